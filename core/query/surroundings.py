"""What holds now of all that the model is told about: the date, the branch, the mode, the instructions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.host.clock import local_date
from core.host.git import read_branch
from core.memory.book import Changes, InstructionBook
from core.orchestration.call import CallEnvironment
from core.prompt.reminders import Known
from core.protocol.events import Notice, NoticeLevel
from core.tools.context import FileStamp, ToolState

MAX_NAMES = 5
"""So many files are named in a notice."""


class Surroundings:
    """Looks at the disk where that is cheap, and reads again what has changed. The user sees what was read."""

    def __init__(self, calls: CallEnvironment, book: InstructionBook, *, tells_mode: bool = True) -> None:
        self._calls = calls
        self._tells_mode = tells_mode
        self.book = book
        self._seen: Mapping[Path, FileStamp] = {}
        """What the agent had seen at the last look."""
        self._reading = asyncio.Lock()

    def now(self) -> Known:
        """As it was read last."""
        root = self._calls.services.root
        return Known(
            date=local_date(self._calls.services.host.clock),
            branch=read_branch(root),
            instructions=self.book.current.parts,
            mode=self._calls.policies.policy.mode if self._tells_mode else "default",
            plan_file=str(self._calls.services.plan_file),
        )

    async def look(self, state: ToolState) -> Known:
        """As it is, with what goes with the files that were seen since the last look."""
        if state.seen is not self._seen:
            # A stamp of its own each time a file is seen, so one that is read again counts.
            files = [path for path, stamp in state.seen.items() if self._seen.get(path) is not stamp]
            if self.book.current.waiting:
                # To match globs for the first time takes 50 ms.
                await asyncio.to_thread(self.book.open, files)
            else:
                self.book.open(files)
            self._seen = state.seen
        await self.refresh()
        return self.now()

    async def refresh(self) -> None:
        """Read the instructions again where a file is no longer what it was."""
        if self.book.is_stale():
            async with self._reading:
                await self._read()

    def forget(self) -> None:
        """What was seen so far is seen anew, and only then what goes with it holds again."""
        self._seen = {}
        self.book.close_all()

    def tell_found(self) -> None:
        """Show the user what was wrong with the instruction files, and which are left out."""
        found = self.book.current
        for text in found.warnings:
            self._note(text, "warning")
        for paths, reason in (
            (found.excluded, "Left out by claudeMdExcludes"),
            (found.untrusted, "Not read, the folder is not trusted"),
        ):
            if paths:
                self._note(f"{reason}: {listed(list(self._names(paths)))}")

    async def _read(self) -> None:
        changes = await asyncio.to_thread(self.book.read)
        self._tell(changes)

    def _tell(self, changes: Changes) -> None:
        changed = [
            *self._names(changes.changed),
            *self._names(changes.new, " (new)"),
            *self._names(changes.gone, " (no longer in force)"),
        ]
        if changed:
            self._note(f"Instructions changed: {listed(changed)}")
        if changes.near:
            self._note(f"Instructions read: {listed(list(self._names(changes.near)))}")
        for text in changes.warnings:
            self._note(text, "warning")

    def _names(self, paths: Iterable[Path], remark: str = "") -> Iterable[str]:
        for path in paths:
            yield short_name(path, self._calls.services.root) + remark

    def _note(self, text: str, level: NoticeLevel = "info") -> None:
        self._calls.publisher.emit(Notice(level=level, text=text))


def short_name(path: Path, root: Path) -> str:
    """The path as people see it: relative to the root where it is inside."""
    return os.path.relpath(path, root) if path.is_relative_to(root) else str(path)


def listed(names: list[str]) -> str:
    """The first few of some names, in one line."""
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
