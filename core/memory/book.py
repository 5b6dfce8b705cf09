"""The instructions as they are now: kept, and read again only when something has changed on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from core.memory.instructions import Instructions, Places, near_folders, read_instructions, speaks_for
from core.settings.layers import stamp_of
from core.tools.base import ToolError

SETTLE_S = 0.1
"""A file that is missing or empty is looked at again after so long: an editor may be about to write it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a look has brought."""

    new: tuple[Path, ...] = ()
    near: tuple[Path, ...] = ()
    """What is new because a file was opened that it goes with."""
    changed: tuple[Path, ...] = ()
    gone: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    """Those that were not there before."""


class InstructionBook:
    """Holds what was read, and which files were opened, as far as instructions may go with them.

    ``places`` None: there are no instructions.
    """

    def __init__(self, places: Places | None) -> None:
        self._places = places
        self.current = Instructions()
        self._opened: dict[Path, None] = {}
        self._folders: set[Path] = set()
        """Below the working directory, that are looked at because of what was opened."""
        self._is_due = False

    def is_stale(self) -> bool:
        """Whether a file or folder is no longer what it was, or something may go with a file that was opened."""
        return self._is_due or any(stamp_of(path) != stamp for path, stamp in self.current.stamps.items())

    def folders(self) -> Iterable[Path]:
        """Where a change may come from."""
        return {*self.current.stamps, *(file.parent for file in self.current.files)}

    def open(self, files: Iterable[Path]) -> None:
        """Note files that the agent has seen, with links followed."""
        new = [file for file in files if file not in self._opened]
        if self._places is None or not self._places.is_trusted or not new:
            return
        self._opened.update(dict.fromkeys(new))
        folders = set(near_folders(self._places, new)) - self._folders
        self._folders |= folders
        if folders or any(self._speaks(base, globs, new) for base, globs in self.current.waiting.values()):
            self._is_due = True

    def close_all(self) -> None:
        """Nothing is open any more, and what went with it no longer holds."""
        self._opened, self._folders, self._is_due = {}, set(), False
        found = self.current
        self.current = replace(
            found, parts={path: body for path, body in found.parts.items() if path not in found.near}, near=set()
        )

    def read(self) -> Changes:
        """Read everything. Blocks. What cannot be read now stays as it was."""
        if self._places is None:
            return Changes()
        self._is_due = False
        before, opened = self.current, tuple(self._opened)
        found = read_instructions(self._places, opened)
        if before.parts.keys() - found.parts.keys():
            time.sleep(SETTLE_S)
            found = read_instructions(self._places, opened)
        for path in found.broken & before.parts.keys():
            found.parts[path] = before.parts[path]
            found.near |= {path} & before.near
        self.current = found
        new = [path for path in found.parts if path not in before.parts]
        return Changes(
            new=tuple(path for path in new if path not in found.near),
            near=tuple(path for path in new if path in found.near),
            changed=tuple(
                path for path in found.parts if before.parts.get(path, found.parts[path]) != found.parts[path]
            ),
            gone=tuple(path for path in before.parts if path not in found.parts),
            warnings=tuple(text for text in found.warnings if text not in before.warnings),
        )

    def _speaks(self, base: Path, globs: tuple[str, ...], files: list[Path]) -> bool:
        try:
            return speaks_for(globs, base, files)
        except ToolError:
            return False
