"""MultiEdit: several replacements in one file, all or none."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from core.host.tasks import uncancelled
from core.permissions.access import Access
from core.protocol.views import FileDiff
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.edits import replace
from core.tools.text_files import Place, absolute_path, diff_of, load, place_of, require_seen, save, write_access


class Replacement(ToolInput):
    old_string: str
    new_string: str
    replace_all: bool = False


class MultiEditInput(ToolInput):
    file_path: str
    edits: list[Replacement] = Field(min_length=1)


class MultiEdit(Tool[MultiEditInput]):
    """Applies replacements one after the other, each on the text that the one before left."""

    name = "MultiEdit"
    input_type = MultiEditInput

    def derive(self, arguments: MultiEditInput, state: ToolState) -> dict[str, Any]:
        return absolute_path(arguments.file_path, state)

    def touches(self, arguments: MultiEditInput, state: ToolState) -> Access:
        return write_access(arguments.file_path, state)

    def preview(self, arguments: MultiEditInput, context: ToolContext) -> FileDiff | None:
        place = place_of(arguments.file_path, context)
        old = load(place)
        require_seen(place, old, context.state)
        return diff_of(place, old.text, old.with_text(_apply(old.text, arguments, place)).text)

    async def run(self, arguments: MultiEditInput, context: ToolContext) -> ToolResult:
        place = place_of(arguments.file_path, context)
        return await uncancelled(asyncio.to_thread(_edit, place, arguments, context))


def _edit(place: Place, arguments: MultiEditInput, context: ToolContext) -> ToolResult:
    old = load(place)
    require_seen(place, old, context.state)
    text = _apply(old.text, arguments, place)
    return save(place, old, old.with_text(text), f"{place} edited ({len(arguments.edits)} replacements).")


def _apply(text: str, arguments: MultiEditInput, place: Place) -> str:
    for number, edit in enumerate(arguments.edits, 1):
        try:
            text, _count = replace(
                text, edit.old_string, edit.new_string, replace_all=edit.replace_all, where=str(place)
            )
        except ToolError as error:
            raise ToolError(f"Edit {number}: {error.user_message} Nothing was changed.", error.hint) from error
    return text
