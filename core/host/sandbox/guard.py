"""The protected places of one confined command: those held by empty folders meanwhile, and those watched."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path

from core.host.sandbox.confinement import Confinement


class Guard:
    """Stands while the command runs. ``held`` counts, for all guards of a session, who needs an empty folder."""

    def __init__(self, confinement: Confinement, held: Counter[Path]) -> None:
        self._held = held
        self._holds: list[Path] = []
        for path in confinement.reserved:
            self._hold(path)
        watched = (*confinement.protected, *confinement.reserved)
        self._before = {path: _link_or_none(path) for path in watched if not path.exists() or path.is_symlink()}
        self.standing = tuple(path for path in watched if path not in self._before)
        """What exists, and can therefore be made read-only."""

    def _hold(self, path: Path) -> None:
        if path not in self._held:
            # A missing or read-only parent: then the command cannot make it either, or the watch sees it.
            try:
                path.mkdir()
            except OSError:
                return
        self._held[path] += 1
        self._holds.append(path)

    def let_go(self) -> None:
        """Remove the empty folders that nobody else needs. Only what is still empty goes."""
        for path in self._holds:
            self._held[path] -= 1
            if not self._held[path]:
                del self._held[path]
                with contextlib.suppress(OSError):
                    path.rmdir()
        self._holds.clear()

    def find_strays(self) -> tuple[Path, ...]:
        """Protected places that came into being meanwhile, or links that became something else."""
        return tuple(path for path, link in self._before.items() if os.path.lexists(path) and _link_or_none(path) != link)

    def put_aside(self, aside: Path) -> tuple[Path, ...]:
        """Move the strays to a folder, and put back the links they replaced. Those that could be moved."""
        moved: list[Path] = []
        for path in self.find_strays():
            with contextlib.suppress(OSError, shutil.Error):
                aside.mkdir(parents=True, exist_ok=True)
                shutil.move(path, aside / f"{len(moved)}-{path.name}")
                moved.append(path)
                link = self._before[path]
                if link is not None:
                    path.symlink_to(link)
        return tuple(moved)


def _link_or_none(path: Path) -> str | None:
    """Where a link leads; None for what is none, or is missing."""
    with contextlib.suppress(OSError):
        return os.readlink(path)  # noqa: PTH115  the text as it stands
    return None
