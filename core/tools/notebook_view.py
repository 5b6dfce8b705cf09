"""A notebook as the model reads it: cells with number, id, source and outputs; images as images."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from core.host.image_files import ImageSize
from core.protocol.errors import AgentError
from core.tools.attached import Attached
from core.tools.images import checked_image, encode, image_block
from core.tools.notebooks import Cell, JSONObject, Notebook, joined

MAX_CHARS = 90_000
"""Of all cells: as much as of any other file."""
MAX_SOURCE_CHARS = 30_000
"""Of one cell."""
MAX_OUTPUT_CHARS = 8_000
"""Of one output."""
MAX_OUTPUTS_CHARS = 24_000
"""Of all outputs of one cell."""
MAX_IMAGES = 10

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
OVERWRITTEN = re.compile(r"[^\n\r]*\r(?!\n)")
"""What a progress bar has drawn over."""
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
TEXTS = ("text/markdown", "text/latex", "text/plain", "text/html", "application/json", "image/svg+xml")
"""The first of these that an output has is shown."""

Part = str | tuple[ImageSize, str]
"""A text, or an image with its base64."""


@dataclass(frozen=True, slots=True)
class NotebookView:
    """What came of some cells."""

    content: str | tuple[JSONObject, ...]
    shown: int
    total: int
    attached: Attached
    """What the conversation holds with the images among them."""


def view_notebook(notebook: Notebook, first: int, limit: int | None, attached: Attached) -> NotebookView:
    """The cells from ``first`` (counted from 1), as far as they fit."""
    cells, total = notebook.cells, len(notebook.cells)
    if not total:
        return NotebookView("[The notebook has no cells.]", 0, 0, attached)
    if first > total:
        return NotebookView(f"[The notebook has only {total} cells; nothing at cell {first}.]", 0, total, attached)
    viewer = _Viewer(attached)
    parts: list[Part] = []
    size, last = 0, first - 1
    for cell in cells[first - 1 : first - 1 + (limit or total)]:
        shown = list(viewer.cell(cell))
        size += sum(len(part) for part in shown if isinstance(part, str))
        if size > MAX_CHARS and parts:
            break
        parts += shown
        last = cell.number
    if first > 1 or last < total:
        go_on = f" Go on with offset={last + 1}." if last < total else ""
        parts.append(f"[PARTIAL view: cells {first}–{last} of {total}.{go_on}]")
    return NotebookView(_content(parts), last - first + 1, total, viewer.attached)


class _Viewer:
    """Takes images as long as there is room for them."""

    def __init__(self, attached: Attached) -> None:
        self.attached = attached
        self._images = 0

    def cell(self, cell: Cell) -> Iterator[Part]:
        """A cell's head and source, then its outputs."""
        count = cell.data.get("execution_count")
        ran = f", run {count}" if isinstance(count, int) else ""
        yield f"[cell {cell.number}, id {cell.id}, {cell.kind}{ran}]\n{_cut(cell.source, MAX_SOURCE_CHARS)}"
        size = 0
        for number, output in enumerate(cell.outputs):
            if size > MAX_OUTPUTS_CHARS:
                yield f"[… {len(cell.outputs) - number:,} more outputs]"
                return
            for part in self._output(output):
                size += len(part) if isinstance(part, str) else 0
                yield part

    def _output(self, output: JSONObject) -> Iterator[Part]:
        match output.get("output_type"):
            case "stream":
                yield _said(str(output.get("name", "output")), joined(output.get("text")))
            case "error":
                trace = joined([f"{line}\n" for line in cast("list[Any]", output.get("traceback") or [])])
                yield _said("error", trace or f"{output.get('ename')}: {output.get('evalue')}")
            case _:
                data: object = output.get("data")
                yield from self._data(cast(JSONObject, data) if isinstance(data, dict) else {})

    def _data(self, data: JSONObject) -> Iterator[Part]:
        """The image among the forms of an output, else the best text."""
        image = next((kind for kind in IMAGES if kind in data), None)
        if image is not None:
            yield self._image(joined(data[image]))
            return
        kind = next((kind for kind in TEXTS if kind in data), None)
        if kind is not None:
            text = joined(data[kind]) or str(data[kind])
            yield _said("output" if kind == "text/plain" else f"output, {kind}", text)
        elif data:
            yield f"[output of type {', '.join(data)}, not shown]"

    def _image(self, encoded: str) -> Part:
        if self._images >= MAX_IMAGES:
            return f"[image, not shown: {MAX_IMAGES} at most in one call; read the cell alone with offset and limit=1]"
        try:
            data = base64.b64decode(encoded)
            image = checked_image(data, "It")
            fresh = encode(data)
            self.attached = self.attached.with_image(len(fresh), max(image.width, image.height))
        except (AgentError, binascii.Error, ValueError) as error:
            return f"[image, not shown: {error}]"
        self._images += 1
        return image, fresh


def _said(label: str, text: str) -> str:
    text = OVERWRITTEN.sub("", ESCAPES.sub("", text.replace("\r\n", "\n")))
    return f"[{label}]\n{_cut(text, MAX_OUTPUT_CHARS)}"


def _cut(text: str, limit: int) -> str:
    text = text.rstrip("\n")
    return text if len(text) <= limit else f"{text[:limit]}\n[… {len(text) - limit:,} more characters]"


def _content(parts: list[Part]) -> str | tuple[JSONObject, ...]:
    """One text, or texts and images in their order."""
    blocks: list[JSONObject] = []
    for part in parts:
        if not isinstance(part, str):
            blocks.append(image_block(*part))
        elif blocks and blocks[-1]["type"] == "text":
            blocks[-1]["text"] += f"\n\n{part}"
        else:
            blocks.append({"type": "text", "text": part})
    return blocks[0]["text"] if len(blocks) == 1 else tuple(blocks)
