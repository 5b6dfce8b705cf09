"""What a search brings back, in bounded memory: the newest files, and how many there were in all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SLACK = 1_000
"""How many files beyond the limit are kept before the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found. ``name`` is relative to the folder searched; ``matches`` is 1 where nothing counts."""

    name: str
    matches: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, from 1, without its end; a match or the context of one."""

    name: str
    number: int
    is_match: bool
    text: str


class NewestFiles:
    """Takes any number of files and keeps the ``limit`` that were modified last."""

    def __init__(self, root: Path, limit: int) -> None:
        self.files = 0
        self.matches = 0
        self._root = str(root)
        self._limit = limit
        self._kept: list[Found] = []
        self._oldest = 0
        """Files from before this time are not among the newest."""

    def add(self, name: str, matches: int = 1) -> None:
        """Take a file in; one that has gone meanwhile is left out."""
        try:
            info = os.stat(f"{self._root}/{name}")  # noqa: PTH116 - a Path for each of 100,000 files is slow
        except OSError:
            return
        self.files += 1
        self.matches += matches
        if info.st_mtime_ns < self._oldest:
            return
        self._kept.append(Found(name, matches, info.st_mtime_ns))
        if len(self._kept) > self._limit + SLACK:
            self._kept = self.newest()
            self._oldest = self._kept[-1].mtime_ns

    def newest(self) -> list[Found]:
        """At most ``limit`` files, the last modified first; by name where that is the same."""
        self._kept.sort(key=lambda found: (-found.mtime_ns, found.name))
        return self._kept[: self._limit]


def printable(text: str) -> str:
    """The text with what was not UTF-8 replaced, so that it can be sent as JSON."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
