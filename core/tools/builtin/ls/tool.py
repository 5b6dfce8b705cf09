"""LS: the entries of one folder."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

from pydantic import Field

from core.permissions.access import Access
from core.permissions.hiding import Hides
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.search.found import counted, printable
from core.tools.search.globs import Keep, compiled
from core.tools.search.locate import PlainText, existing_folder, located

MAX_ENTRIES = 1_000

Entry = tuple[bool, str]
"""Whether it is not a folder, and the name: in this order they are listed."""


class LSInput(ToolInput):
    path: PlainText
    ignore: list[PlainText] = Field(default=[], description="Globs of names to leave out")


class LS(Tool[LSInput]):
    """Lists a folder."""

    name = "LS"
    input_type = LSInput

    def is_read_only(self, arguments: LSInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: LSInput, state: ToolState) -> Access:
        return Access(reads=(located(arguments.path, state),), is_read_only=True)

    async def run(self, arguments: LSInput, context: ToolContext) -> ToolResult:
        path = located(arguments.path, context.state)
        context.judged.real(path)
        folder = existing_folder(path)
        ignored = compiled(tuple(arguments.ignore)) if arguments.ignore else None
        try:
            lines, total = await asyncio.to_thread(_listed, folder, ignored, context.hides)
        except OSError as error:
            raise ToolError(f"{folder} cannot be read: {error.strerror}.") from error
        # Where it is the same before and after, what was listed was listed there.
        context.judged.real(path)
        if total > len(lines):
            lines.append(f"\n[Cut at {MAX_ENTRIES:,} entries: {total - MAX_ENTRIES:,} more not shown.]")
        return ToolResult(
            content=printable("\n".join(lines)) or "No entries",
            display=ToolDisplay(summary=counted(total, "entry", "entries"), details={"entries": total}),
        )


def _listed(folder: Path, ignored: Keep | None, hides: Hides) -> tuple[list[str], int]:
    """A line for each of the first entries, and the number of all. Raises ``OSError``."""
    total = 0
    first: list[Entry] = []
    with os.scandir(folder) as listing:
        for item in listing:
            if (ignored is not None and ignored(item.name)) or hides(folder / item.name):
                continue
            total += 1
            first.append((not item.is_dir(follow_symlinks=False), item.name))
            if len(first) > 2 * MAX_ENTRIES:
                first = sorted(first)[:MAX_ENTRIES]
    return [_described(folder / name) for _, name in sorted(first)[:MAX_ENTRIES]], total


def _described(path: Path) -> str:
    try:
        info = path.lstat()
        if stat.S_ISDIR(info.st_mode):
            return f"{path.name}/"
        if stat.S_ISLNK(info.st_mode):
            return f"{path.name} -> {path.readlink()}"
    except OSError:
        return path.name
    if stat.S_ISREG(info.st_mode):
        return f"{path.name}  {info.st_size:,}"
    return f"{path.name}  (device, pipe or socket)"
