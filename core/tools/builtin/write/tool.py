"""Write: a whole file, new or replaced."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.host.files import TextFile
from core.host.tasks import uncancelled
from core.permissions.access import Access
from core.protocol.views import FileDiff
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.text_files import absolute_path, checked_path, diff_of, load, require_seen, save, write_access


class WriteInput(ToolInput):
    file_path: str
    content: str


class Write(Tool[WriteInput]):
    """Creates a file, or replaces one that was read."""

    name = "Write"
    input_type = WriteInput

    def derive(self, arguments: WriteInput, state: ToolState) -> dict[str, Any]:
        return absolute_path(arguments.file_path, state)

    def touches(self, arguments: WriteInput, state: ToolState) -> Access:
        return write_access(arguments.file_path, state)

    def preview(self, arguments: WriteInput, context: ToolContext) -> FileDiff | None:
        path = checked_path(arguments.file_path, context.state)
        if not _is_there(path):
            return diff_of(path, None, arguments.content)
        old = load(path)
        require_seen(path, old, context.state)
        return diff_of(path, old.text, old.with_text(arguments.content).text)

    async def run(self, arguments: WriteInput, context: ToolContext) -> ToolResult:
        path = checked_path(arguments.file_path, context.state)
        return await uncancelled(asyncio.to_thread(_write, path, arguments.content, context))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}.") from error


def _write(path: Path, content: str, context: ToolContext) -> ToolResult:
    if not _is_there(path):
        if path.is_dir() or not path.name:
            raise ToolError(f"{path} is a folder.")
        return save(path, None, TextFile(content), f"{path} created.")
    old = load(path)
    require_seen(path, old, context.state)
    return save(path, old, old.with_text(content), f"{path} written.")
