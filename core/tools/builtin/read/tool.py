"""Read: a text file with line numbers, whole or in part; an image, a PDF or a notebook as what it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import Field

from core.host.files import TextFile
from core.host.image_files import sniff_image
from core.permissions.access import Access
from core.permissions.paths import is_inside
from core.protocol.views import ToolDisplay
from core.tools.attached import Attached
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.file_kinds import HEAD_BYTES, is_pdf
from core.tools.images import MAX_IMAGE_BYTES, checked_image, encode, image_block
from core.tools.notebook_view import view_notebook
from core.tools.notebooks import NotebookError, parse_notebook
from core.tools.pdf_files import MAX_PDF_BYTES, document_block, take_pages, title
from core.tools.text_files import Place, absolute_path, load, load_bytes, place_of, read_access, seen_as

DEFAULT_LINES = 2_000
MAX_LINE_CHARS = 2_000
MAX_CHARS = 90_000
"""About 25,000 tokens: what one call may bring into the context."""
WRAPPED_NOTE = (
    f"[A saved result: longer lines are wrapped at {MAX_LINE_CHARS:,} characters, each row counts as a line.]\n"
)
"""A result may be one line of megabytes, and nothing of it must be out of reach."""
ATTACHING = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".ipynb"))
"""Files that may become attachments. They are read one after the other: each must know what the others took."""


class ReadInput(ToolInput):
    file_path: str
    offset: int | None = Field(None, ge=1, description="First line (of a notebook: cell), from 1")
    limit: int | None = Field(None, ge=1, description="Number of lines or cells")
    pages: str | None = Field(None, description='Of a PDF: "3" or "1-5"')


class Read(Tool[ReadInput]):
    """Shows a file to the model and remembers that it was seen."""

    name = "Read"
    input_type = ReadInput
    max_result_size_chars = None

    def is_read_only(self, arguments: ReadInput, state: ToolState) -> bool:
        return True

    def is_concurrency_safe(self, arguments: ReadInput, state: ToolState) -> bool:
        return Path(arguments.file_path).suffix.lower() not in ATTACHING

    def derive(self, arguments: ReadInput, state: ToolState) -> dict[str, Any]:
        return absolute_path(arguments.file_path, state)

    def touches(self, arguments: ReadInput, state: ToolState) -> Access:
        return read_access(arguments.file_path, state)

    async def run(self, arguments: ReadInput, context: ToolContext) -> ToolResult:
        place = place_of(arguments.file_path, context)
        is_saved = is_inside(place.path, (context.services.output_dir,))
        return await asyncio.to_thread(_read, place, arguments, context.state.attached, is_saved)


def _read(place: Place, arguments: ReadInput, attached: Attached, is_saved: bool) -> ToolResult:
    head = load_bytes(place, HEAD_BYTES)
    if is_pdf(head):
        return _read_pdf(place, arguments.pages, attached)
    if arguments.pages:
        raise ToolError(f"{place} is no PDF: it has no pages.", "Use offset and limit, or neither.")
    if sniff_image(head):
        return _read_image(place, attached)
    file = load(place)
    if place.path.suffix.lower() == ".ipynb":
        return _read_notebook(place, file, arguments, attached)
    if is_saved and any(len(line) > MAX_LINE_CHARS for line in _lines(file.text)):
        return _read_text(place, file, arguments, WRAPPED_NOTE, is_wrapped=True)
    return _read_text(place, file, arguments)


def _read_text(
    place: Place, file: TextFile, arguments: ReadInput, note: str = "", *, is_wrapped: bool = False
) -> ToolResult:
    lines = _lines(file.text)
    if is_wrapped:
        lines = [line[at : at + MAX_LINE_CHARS] for line in lines for at in range(0, len(line) or 1, MAX_LINE_CHARS)]
    text, shown = _render(lines, arguments.offset or 1, arguments.limit)
    total = len(lines)
    summary = f"{shown} line{'' if shown == 1 else 's'}" + (f" of {total}" if shown < total else "")
    real, seen = place.real, seen_as(file)
    return ToolResult(
        content=note + text,
        display=ToolDisplay(summary=summary, details={"lines": shown, "total_lines": total}),
        modify=lambda state: state.with_seen(real, seen),
    )


def _read_notebook(place: Place, file: TextFile, arguments: ReadInput, attached: Attached) -> ToolResult:
    try:
        notebook = parse_notebook(file.text)
    except NotebookError as error:
        return _read_text(place, file, arguments, f"[Not shown as a notebook: {error}. As text:]\n")
    view = view_notebook(notebook, arguments.offset or 1, arguments.limit, attached)
    cells = f"{view.shown} cell{'' if view.shown == 1 else 's'}"
    cells += f" of {view.total}" if view.shown < view.total else ""
    real, seen = place.real, seen_as(file)
    return ToolResult(
        content=view.content,
        display=ToolDisplay(summary=f"notebook, {cells}"),
        modify=lambda state: state.with_seen(real, seen).with_attached(view.attached),
    )


def _read_image(place: Place, attached: Attached) -> ToolResult:
    data = load_bytes(place, MAX_IMAGE_BYTES + 1)
    image = checked_image(data, str(place))
    encoded = encode(data)
    grown = attached.with_image(len(encoded), max(image.width, image.height))
    size = f"{image.width}×{image.height}"
    kind = image.media_type.removeprefix("image/").upper()
    return _attachment(
        f"{place.path.name}: {kind} image, {size} pixels, {len(data):,} bytes.",
        image_block(image, encoded),
        f"image {size}",
        grown,
    )


def _read_pdf(place: Place, pages: str | None, attached: Attached) -> ToolResult:
    data = load_bytes(place, MAX_PDF_BYTES + 1)
    if len(data) > MAX_PDF_BYTES:
        raise ToolError(
            f"{place} is too large: a PDF may have {MAX_PDF_BYTES / 1e6:.0f} MB at most.",
            "Take pages or text out of it with a command (qpdf --pages, pdftotext).",
        )
    part = take_pages(data, pages, str(place))
    encoded = encode(part.data)
    return _attachment(
        f"{place.path.name}: PDF, {part.described}.",
        document_block(encoded, title(place.path.name, part)),
        f"PDF, {part.described}",
        attached.with_document(len(encoded)),
    )


def _attachment(text: str, block: dict[str, Any], summary: str, attached: Attached) -> ToolResult:
    return ToolResult(
        content=({"type": "text", "text": text}, block),
        display=ToolDisplay(summary=summary),
        modify=lambda state: state.with_attached(attached),
    )


def _lines(text: str) -> list[str]:
    """Lines as editors and grep count them: ``splitlines`` would also end one at a form feed."""
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines]


def _render(lines: list[str], offset: int, limit: int | None) -> tuple[str, int]:
    """The numbered lines and how many there are; what is left out is said at the end."""
    if not lines:
        return "[The file is empty.]", 0
    if offset > len(lines):
        return f"[The file has only {len(lines)} lines; nothing at line {offset}.]", 0
    rows: list[str] = []
    size = 0
    for number, line in enumerate(lines[offset - 1 : offset - 1 + (limit or DEFAULT_LINES)], offset):
        if len(line) > MAX_LINE_CHARS:
            line = f"{line[:MAX_LINE_CHARS]} [… {len(line) - MAX_LINE_CHARS:,} more characters]"
        row = f"{number:6}\t{line}"
        size += len(row) + 1
        if size > MAX_CHARS and rows:
            break
        rows.append(row)
    last = offset + len(rows) - 1
    text = "\n".join(rows)
    if offset > 1 or last < len(lines):
        text += f"\n\n[PARTIAL view: lines {offset}–{last} of {len(lines)}."
        text += f" Go on with offset={last + 1}.]" if last < len(lines) else "]"
    return text, len(rows)
