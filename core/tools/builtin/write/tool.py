"""Write: a whole file, new or replaced."""

from __future__ import annotations

import asyncio
from typing import Any

from core.host.files import TextFile
from core.host.tasks import uncancelled
from core.permissions.access import Access
from core.protocol.views import FileDiff
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.text_files import Place, absolute_path, diff_of, load, place_of, require_seen, save, write_access


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
        place = place_of(arguments.file_path, context)
        if not _is_there(place):
            return diff_of(place, None, arguments.content)
        old = load(place)
        require_seen(place, old, context.state)
        return diff_of(place, old.text, old.with_text(arguments.content).text)

    async def run(self, arguments: WriteInput, context: ToolContext) -> ToolResult:
        place = place_of(arguments.file_path, context)
        return await uncancelled(asyncio.to_thread(_write, place, arguments.content, context))


def _is_there(place: Place) -> bool:
    try:
        return place.real.exists()
    except OSError as error:
        raise ToolError(f"{place} cannot be written: {error.strerror}.") from error


def _write(place: Place, content: str, context: ToolContext) -> ToolResult:
    if not _is_there(place):
        return save(place, None, TextFile(content), f"{place} created.")
    old = load(place)
    require_seen(place, old, context.state)
    return save(place, old, old.with_text(content), f"{place} written.")
