"""The search with ripgrep: what it is asked, and how its output is read while it comes."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from core.host.host import Host
from core.host.process import Process
from core.tools.base import ToolError
from core.tools.search.found import Line, NewestFiles
from core.tools.search.globs import FileFilter, Keep
from core.tools.search.query import Query, invalid

COMMON = (
    "--no-config",
    "--no-messages",
    "--color=never",
    "--hidden",
    "--glob=!.git",
    "--no-require-git",
    "--no-ignore-global",
    "--no-ignore-exclude",
    "--null",
)
TEXT = ("--no-mmap", "--with-filename", "--no-heading", "--no-crlf", "--max-columns=0")

COUNT = re.compile(rb"([^\0]+)\0(\d+)\n")
LINE = re.compile(rb"([^\0]+)\0(\d+)([:-])(.*)", re.DOTALL)

MAX_LINE_BYTES = 8_192
"""What is kept of a line of output: a path and more text than is shown."""


class Ripgrep:
    """See ``SearchEngine``."""

    def __init__(self, program: str, host: Host) -> None:
        self._program = program
        self._processes = host.processes
        self._env = {name: value for name, value in host.environ.items() if name != "RIPGREP_CONFIG_PATH"}

    async def list_files(self, root: Path, keep: Keep, into: NewestFiles) -> None:
        await self._run([*COMMON, "--files", "--", "."], root, _Names(keep, into).take)

    async def find_matches(self, query: Query, root: Path, files: FileFilter, into: NewestFiles, only: str) -> None:
        found = (_Names if query.names_only else _Counts)(files.keep if not only else _all, into)
        mode = "--count-matches" if query.multiline else "--count"
        if query.names_only:
            mode = "--files-with-matches"
        kinds = [f"--type-add=wanted:{glob}" for glob in files.names]
        if kinds and not only:
            kinds.append("--type=wanted")
        argv = [*COMMON, *TEXT, mode, *kinds, *_pattern(query), "--", f"./{only}" if only else "."]
        code = await self._run(argv, root, found.take)
        if code not in (0, 1) and found.rest.strip():
            raise _failure(query, found.rest)

    async def read_lines(self, query: Query, root: Path, names: Sequence[str], limit: int) -> list[Line]:
        lines: list[Line] = []
        rest = b""

        def take(data: bytes) -> bool:
            nonlocal rest
            *complete, rest = (rest + data).split(b"\n")
            rest = rest[:MAX_LINE_BYTES]
            lines.extend(line for raw in complete if (line := _line(raw)))
            return len(lines) < limit

        context = [f"--before-context={query.before}", f"--after-context={query.after}"]
        # One thread searches the files in the order given.
        argv = [*COMMON, *TEXT, "--threads=1", "--line-number", *context, *_pattern(query), "--"]
        await self._run([*argv, *(f"./{name}" for name in names)], root, take)
        return lines[:limit]

    async def _run(self, arguments: Sequence[str], root: Path, take: Callable[[bytes], bool]) -> int | None:
        """Feed the output to ``take`` until that has enough; the exit code where it came to its end."""
        process = await self._processes.start([self._program, *arguments], cwd=root, env=self._env)
        code = None
        try:
            while data := await process.read():
                # Asks the disk for the time of each file.
                if not await asyncio.to_thread(take, data):
                    return None
            code = await process.wait()
        finally:
            if code is None:
                await _end(process)
        return code


class _Names:
    """Takes output that is names with a NUL after each."""

    def __init__(self, keep: Keep, into: NewestFiles) -> None:
        self.rest = b""
        self._keep = keep
        self._into = into

    def take(self, data: bytes) -> bool:
        *names, self.rest = (self.rest + data).split(b"\0")
        for raw in names:
            self._add(raw, 1)
        return True

    def _add(self, raw: bytes, matches: int) -> None:
        name = _name(raw)
        if self._keep(name):
            self._into.add(name, matches)


class _Counts(_Names):
    """Takes output that is names with a NUL, the number of matches and a line break after each."""

    def take(self, data: bytes) -> bool:
        data = self.rest + data
        end = 0
        for record in COUNT.finditer(data):
            end = record.end()
            self._add(record[1], int(record[2]))
        self.rest = data[end:]
        return True


def _all(_name: str) -> bool:
    return True


async def _end(process: Process) -> None:
    """Kill it, and meanwhile read on: asyncio sees no process end while output of it is waiting."""

    async def drain() -> None:
        while await process.read():
            pass

    draining = asyncio.create_task(drain())
    try:
        await process.kill()
    finally:
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)


def _pattern(query: Query) -> list[str]:
    flags = ["--ignore-case"] if query.ignore_case else ["--case-sensitive"]
    if query.multiline:
        flags += ["--multiline", "--multiline-dotall"]
    return [*flags, f"--regexp={query.pattern}"]


def _name(raw: bytes) -> str:
    return os.fsdecode(raw.removeprefix(b"./"))


def _line(raw: bytes) -> Line | None:
    parts = LINE.match(raw)
    if parts is None:
        return None
    return Line(_name(parts[1]), int(parts[2]), parts[3] == b":", parts[4].decode("utf-8", "replace"))


def _failure(query: Query, output: bytes) -> ToolError:
    text = output.decode("utf-8", "replace").strip()
    _, found, reason = text.partition("error: ")
    if "regex parse error" in text and found:
        return invalid(query.pattern, reason.partition("\n")[0])
    return ToolError(f"ripgrep failed: {text[:500]}")
