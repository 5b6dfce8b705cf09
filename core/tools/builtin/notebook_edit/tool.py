"""NotebookEdit: one cell of a Jupyter notebook replaced, inserted or deleted."""

from __future__ import annotations

import asyncio
from typing import Any

from core.host.files import TextFile
from core.host.tasks import uncancelled
from core.permissions.access import Access
from core.protocol.views import FileDiff, ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.notebook_edits import CellChange, CellEdit, CellType, EditMode, edit_notebook
from core.tools.notebooks import NotebookError, parse_notebook
from core.tools.text_files import (
    Place,
    change_summary,
    checked_path,
    diff_of,
    load,
    place_of,
    require_seen,
    write_access,
    write_back,
)


class NotebookEditInput(ToolInput):
    notebook_path: str
    cell_id: str | None = None
    new_source: str | None = None
    cell_type: CellType | None = None
    edit_mode: EditMode = "replace"


class NotebookEdit(Tool[NotebookEditInput]):
    """Changes a notebook that was read and has not changed since, under the rules of Edit."""

    name = "NotebookEdit"
    input_type = NotebookEditInput
    should_defer = True

    def derive(self, arguments: NotebookEditInput, state: ToolState) -> dict[str, Any]:
        return {"notebook_path": str(checked_path(arguments.notebook_path, state))}

    def touches(self, arguments: NotebookEditInput, state: ToolState) -> Access:
        return write_access(arguments.notebook_path, state)

    def preview(self, arguments: NotebookEditInput, context: ToolContext) -> FileDiff | None:
        place = place_of(arguments.notebook_path, context)
        _file, change = _change(place, arguments, context, new_id="new")
        return diff_of(place, change.old, change.new)

    async def run(self, arguments: NotebookEditInput, context: ToolContext) -> ToolResult:
        place = place_of(arguments.notebook_path, context)
        return await uncancelled(asyncio.to_thread(_edit, place, arguments, context))


def _edit(place: Place, arguments: NotebookEditInput, context: ToolContext) -> ToolResult:
    file, change = _change(place, arguments, context, new_id=context.services.host.ids.uuid())
    modify = write_back(place, file.with_text(change.text))
    return ToolResult(
        content=f"{place}: {change.said}.",
        display=ToolDisplay(
            summary=change_summary(change.old, change.new), diff=diff_of(place, change.old, change.new)
        ),
        modify=modify,
    )


def _change(
    place: Place, arguments: NotebookEditInput, context: ToolContext, *, new_id: str
) -> tuple[TextFile, CellChange]:
    """The file as it is, and what would become of it. Raises ``ToolError``."""
    file = load(place)
    require_seen(place, file, context.state)
    if arguments.new_source is None and arguments.edit_mode != "delete":
        raise ToolError("new_source is missing.")
    try:
        notebook = parse_notebook(file.text)
    except NotebookError as error:
        raise ToolError(f"{place} is no notebook that can be edited: {error}.", "Use Edit on its text.") from error
    edit = CellEdit(
        mode=arguments.edit_mode,
        cell_id=arguments.cell_id,
        source=arguments.new_source or "",
        kind=arguments.cell_type,
        new_id=new_id,
    )
    return file, edit_notebook(file.text, notebook, edit)
