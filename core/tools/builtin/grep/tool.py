"""Grep: text in files by regular expression."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.permissions.access import Access
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.builtin.grep.render import rendered
from core.tools.context import ToolContext, ToolState
from core.tools.search.engine import SearchEngine, engine_for, time_limit
from core.tools.search.found import Line, NewestFiles
from core.tools.search.globs import FileFilter, file_filter
from core.tools.search.locate import PlainText, file_mode, located, missing, shown_prefix
from core.tools.search.query import Query, checked_pattern
from core.tools.search.scan import is_binary
from core.tools.search.withheld import Withheld, unhidden

MAX_LINES = 2_000


class GrepInput(ToolInput):
    pattern: PlainText = Field(min_length=1)
    path: PlainText | None = Field(None, description="Folder or file; default: the working directory")
    glob: PlainText | None = None
    type: PlainText | None = None
    output_mode: Literal["files_with_matches", "content", "count"] = "files_with_matches"
    ignore_case: bool = Field(False, alias="-i", description="Ignore case")
    line_numbers: bool = Field(True, alias="-n", description="Line numbers in content")
    after: int = Field(0, alias="-A", ge=0, description="Lines after each match")
    before: int = Field(0, alias="-B", ge=0, description="Lines before each match")
    around: int = Field(0, alias="-C", ge=0, description="Lines before and after")
    head_limit: int = Field(250, ge=0, description=f"Most lines or files; 0: {MAX_LINES:,}")
    multiline: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is searched: the folder, or in it the one file ``only``."""

    root: Path
    only: str = ""


class Grep(Tool[GrepInput]):
    """Finds the files, or the lines in them, that match."""

    name = "Grep"
    input_type = GrepInput
    max_result_size_chars = 20_000

    def is_read_only(self, arguments: GrepInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: GrepInput, state: ToolState) -> Access:
        return Access(reads=(located(arguments.path, state),), is_read_only=True)

    async def run(self, arguments: GrepInput, context: ToolContext) -> ToolResult:
        query = Query(
            pattern=checked_pattern(arguments.pattern, multiline=arguments.multiline),
            ignore_case=arguments.ignore_case,
            multiline=arguments.multiline,
            before=min(max(arguments.before, arguments.around), MAX_LINES),
            after=min(max(arguments.after, arguments.around), MAX_LINES),
            names_only=arguments.output_mode == "files_with_matches",
        )
        files = file_filter(arguments.glob, arguments.type)
        limit = min(arguments.head_limit or MAX_LINES, MAX_LINES)
        path = located(arguments.path, context.state)
        context.judged.real(path)
        async with time_limit():
            scope = await _scope(path)
            withheld = Withheld(scope.root, unhidden(scope.root, files.keep, context.hides))
            files = replace(files, keep=withheld.keep)
            engine = engine_for(context.services.host, context.services.root)
            found, lines = await _search(engine, query, scope, files, limit, arguments)
        # Where it is the same before and after, what was found was found there.
        context.judged.real(path)
        result = rendered(
            found,
            lines,
            mode=arguments.output_mode,
            prefix=shown_prefix(scope.root, context.state.cwd),
            numbers=arguments.line_numbers,
            context=bool(query.before or query.after),
            limit=limit,
        )
        return replace(result, content=f"{result.content}{withheld.note}")


async def _scope(path: Path) -> _Scope:
    """Raises ``ToolError`` for what cannot be searched."""
    # The decision whether the call may run has just looked at the same path: one look more needs no thread.
    mode = file_mode(path)
    return _Scope(path) if stat.S_ISDIR(mode) else await asyncio.to_thread(_file_scope, path, mode)


def _file_scope(path: Path, mode: int) -> _Scope:
    if not mode:
        raise missing(path)
    if not stat.S_ISREG(mode):
        raise ToolError(f"{path} is a device, pipe or socket and is not opened.")
    try:
        if is_binary(str(path)):
            raise ToolError(f"{path} is a binary file, not text.")
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}.") from error
    return _Scope(path.parent, path.name)


async def _search(
    engine: SearchEngine, query: Query, scope: _Scope, files: FileFilter, limit: int, arguments: GrepInput
) -> tuple[NewestFiles, list[Line]]:
    """First the files, with their counts, which is little; then the lines, of the newest files only."""
    found = NewestFiles(scope.root, limit)
    await engine.find_matches(query, scope.root, files, found, scope.only)
    names = [file.name for file in found.newest()]
    if arguments.output_mode != "content" or not names:
        return found, []
    return found, await engine.read_lines(query, scope.root, names, limit + 1)
