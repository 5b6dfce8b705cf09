"""The two ways to search behind one interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from core.host.host import Host
from core.host.programs import find_program
from core.tools.base import ToolError
from core.tools.search.found import Line, NewestFiles
from core.tools.search.globs import FileFilter, Keep
from core.tools.search.query import Query
from core.tools.search.ripgrep import Ripgrep
from core.tools.search.scanner import Scanner

SEARCH_TIMEOUT_S = 30.0


class SearchEngine(Protocol):
    """Searches the files beneath a folder that are not ignored. Names are relative to that folder.

    Every method raises ``ToolError`` for a search that cannot be made, and leaves nothing running when cancelled.
    """

    async def list_files(self, root: Path, keep: Keep, into: NewestFiles) -> None:
        """Put every wanted file into ``into``."""
        ...

    async def find_matches(self, query: Query, root: Path, files: FileFilter, into: NewestFiles, only: str) -> None:
        """Put every wanted file with a match into ``into``, counted unless ``names_only``.

        With ``only``, look just in the file of that name.
        """
        ...

    async def read_lines(self, query: Query, root: Path, names: Sequence[str], limit: int) -> list[Line]:
        """The first ``limit`` matching and context lines of these files, in their order."""
        ...


def engine_for(host: Host, root: Path) -> SearchEngine:
    """Ripgrep where there is one outside the folder that is worked in, else the search in Python."""
    program = find_program("rg", host.environ, (root,))
    return Ripgrep(program, host) if program else Scanner()


@asynccontextmanager
async def time_limit() -> AsyncGenerator[None]:
    """Bounds a whole search. Raises ``ToolError`` when its time is over."""
    try:
        async with asyncio.timeout(SEARCH_TIMEOUT_S):
            yield
    except TimeoutError as error:
        raise ToolError(
            f"The search was stopped after {SEARCH_TIMEOUT_S:g} s.", "Narrow path, glob or pattern."
        ) from error
