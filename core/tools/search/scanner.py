"""The search without ripgrep: in Python, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core.tools.search.found import Line, NewestFiles
from core.tools.search.globs import FileFilter, Keep
from core.tools.search.query import Query
from core.tools.search.scan import FileScan
from core.tools.search.walk import walk

ResultT = TypeVar("ResultT")


class Scanner:
    """See ``SearchEngine``."""

    async def list_files(self, root: Path, keep: Keep, into: NewestFiles) -> None:
        def work(stop: threading.Event) -> None:
            for name in walk(root, stop):
                if keep(name):
                    into.add(name)

        await _in_thread(work)

    async def find_matches(self, query: Query, root: Path, files: FileFilter, into: NewestFiles, only: str) -> None:
        scan = FileScan(query)

        def work(stop: threading.Event) -> None:
            for name in [only] if only else filter(files.keep, walk(root, stop)):
                with contextlib.suppress(OSError):
                    if matches := scan.count(f"{root}/{name}", stop):
                        into.add(name, matches)

        await _in_thread(work)

    async def read_lines(self, query: Query, root: Path, names: Sequence[str], limit: int) -> list[Line]:
        scan = FileScan(query)

        def work(stop: threading.Event) -> list[Line]:
            lines: list[Line] = []
            for name in names:
                with contextlib.suppress(OSError):
                    for line in scan.lines(f"{root}/{name}", name, stop):
                        lines.append(line)
                        if len(lines) == limit:
                            return lines
            return lines

        return await _in_thread(work)


async def _in_thread(work: Callable[[threading.Event], ResultT]) -> ResultT:
    """Run it, and tell it to stop when the call is cancelled."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()
