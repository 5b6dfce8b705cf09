"""Read: a text file with line numbers, whole or in part."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from core.permissions.access import Access
from core.permissions.paths import resolve
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import FileStamp, ToolContext, ToolState
from core.tools.text_files import absolute_path, checked_path, load

DEFAULT_LINES = 2_000
MAX_LINE_CHARS = 2_000
MAX_CHARS = 90_000
"""About 25,000 tokens: what one call may bring into the context."""


class ReadInput(ToolInput):
    file_path: str
    offset: int | None = Field(None, ge=1, description="First line, from 1")
    limit: int | None = Field(None, ge=1, description="Number of lines")


class Read(Tool[ReadInput]):
    """Shows a file to the model and remembers that it was seen."""

    name = "Read"
    input_type = ReadInput
    max_result_size_chars = None

    def is_read_only(self, arguments: ReadInput, state: ToolState) -> bool:
        return True

    def derive(self, arguments: ReadInput, state: ToolState) -> dict[str, Any]:
        return absolute_path(arguments.file_path, state)

    def check_permissions(self, arguments: ReadInput, context: ToolContext) -> Access:
        return Access(reads=(checked_path(arguments.file_path, context.state),), is_read_only=True)

    async def run(self, arguments: ReadInput, context: ToolContext) -> ToolResult:
        path = checked_path(arguments.file_path, context.state)
        file = await asyncio.to_thread(load, path)
        target, seen = resolve(path), FileStamp(file.digest)
        lines = _lines(file.text)
        text, shown = _render(lines, arguments.offset or 1, arguments.limit)
        total = len(lines)
        summary = f"{shown} line{'' if shown == 1 else 's'}" + (f" of {total}" if shown < total else "")
        return ToolResult(
            content=text,
            display=ToolDisplay(summary=summary, details={"lines": shown, "total_lines": total}),
            modify=lambda state: state.with_seen(target, seen),
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
