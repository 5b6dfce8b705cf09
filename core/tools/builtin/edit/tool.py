"""Edit: one exact replacement in a file."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from core.host.tasks import uncancelled
from core.permissions.access import Access
from core.protocol.views import FileDiff
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.edits import replace
from core.tools.text_files import Place, absolute_path, diff_of, load, place_of, require_seen, save, write_access


class EditInput(ToolInput):
    file_path: str
    old_string: str
    new_string: str
    replace_all: bool = Field(False, description="Replace every occurrence")


class Edit(Tool[EditInput]):
    """Replaces a text that occurs exactly once, or every occurrence where asked."""

    name = "Edit"
    input_type = EditInput

    def derive(self, arguments: EditInput, state: ToolState) -> dict[str, Any]:
        return absolute_path(arguments.file_path, state)

    def touches(self, arguments: EditInput, state: ToolState) -> Access:
        return write_access(arguments.file_path, state)

    def preview(self, arguments: EditInput, context: ToolContext) -> FileDiff | None:
        place = place_of(arguments.file_path, context)
        old = load(place)
        require_seen(place, old, context.state)
        new, _count = replace(
            old.text, arguments.old_string, arguments.new_string, replace_all=arguments.replace_all, where=str(place)
        )
        return diff_of(place, old.text, old.with_text(new).text)

    async def run(self, arguments: EditInput, context: ToolContext) -> ToolResult:
        place = place_of(arguments.file_path, context)
        return await uncancelled(asyncio.to_thread(_edit, place, arguments, context))


def _edit(place: Place, arguments: EditInput, context: ToolContext) -> ToolResult:
    old = load(place)
    require_seen(place, old, context.state)
    text, count = replace(
        old.text, arguments.old_string, arguments.new_string, replace_all=arguments.replace_all, where=str(place)
    )
    times = f" ({count} occurrences)" if count > 1 else ""
    return save(place, old, old.with_text(text), f"{place} edited{times}.")
