"""Glob: files by name, the last modified first."""

from __future__ import annotations

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.search.engine import engine_for, time_limit
from core.tools.search.found import NewestFiles, counted, printable
from core.tools.search.globs import GlobTarget, name_matcher, split
from core.tools.search.locate import PlainText, existing_folder, located, shown_prefix
from core.tools.search.withheld import unhidden

MAX_FILES = 100


class GlobInput(ToolInput):
    pattern: PlainText = Field(min_length=1)
    path: PlainText | None = Field(None, description="Folder to search; default: the working directory")


class Glob(Tool[GlobInput]):
    """Lists the files whose path matches a pattern."""

    name = "Glob"
    input_type = GlobInput
    max_result_size_chars = 20_000

    def is_read_only(self, arguments: GlobInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: GlobInput, state: ToolState) -> Access:
        return Access(reads=(_target(arguments, state).read,), is_read_only=True)

    async def run(self, arguments: GlobInput, context: ToolContext) -> ToolResult:
        existing_folder(located(arguments.path, context.state))
        target = _target(arguments, context.state)
        context.judged.real(target.read)
        found = NewestFiles(target.root, MAX_FILES)
        if target.is_literal:
            found.add(target.rest)
        elif target.rest:
            engine = engine_for(context.services.host, context.services.root)
            async with time_limit():
                keep = unhidden(target.root, name_matcher(target.rest), context.hides)
                await engine.list_files(target.root, keep, found)
            # Where it is the same before and after, what was found was found there.
            context.judged.real(target.read)
        prefix = shown_prefix(target.root, context.state.cwd)
        return _result(found, prefix)


def _target(arguments: GlobInput, state: ToolState) -> GlobTarget:
    return split(located(arguments.path, state), arguments.pattern)


def _result(found: NewestFiles, prefix: str) -> ToolResult:
    lines = [printable(f"{prefix}{file.name}") for file in found.newest()]
    cut = found.files - len(lines)
    if cut:
        lines.append(
            f"\n[Cut: the {len(lines)} last modified of {found.files:,} files, {cut:,} more not shown. "
            "Use a narrower pattern or path.]"
        )
    return ToolResult(
        content="\n".join(lines) or "No files found",
        display=ToolDisplay(summary=counted(found.files, "file"), details={"files": found.files, "cut": cut}),
    )
