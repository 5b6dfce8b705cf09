"""The protected places of one confined command: those that are there, those held by an empty folder meanwhile, and
those that must not come into being."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.host.sandbox.confinement import Confinement


class Guard:
    """Stands while the command runs. ``held`` counts, for all guards of a session, who needs an empty folder."""

    def __init__(self, confinement: Confinement, held: Counter[Path]) -> None:
        self._confinement = confinement
        self._held = held
        self._holds: list[Path] = []
        for path in confinement.reserved:
            self._hold(path)
        self._repositories = tuple(root / ".git" for root in confinement.roots if _is_repository(root / ".git"))
        self._before = {path: _link_or_none(path) for path in self._places()}

    @property
    def standing(self) -> tuple[Path, ...]:
        """What exists, and can therefore be made read-only. A link cannot."""
        return tuple(path for path, link in self._before.items() if link is None)

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
        """Protected places that came into being meanwhile, or that became something else."""
        return tuple(path for path in self._places() if self._before.get(path, "") != _link_or_none(path))

    def put_aside(self, aside: Path) -> tuple[Path, ...]:
        """Move the strays to a folder, and put back the links they replaced. Those that could be moved."""
        moved: list[Path] = []
        for path in self.find_strays():
            with contextlib.suppress(OSError, shutil.Error):
                aside.mkdir(parents=True, exist_ok=True)
                shutil.move(path, aside / f"{len(moved)}-{path.name}")
                moved.append(path)
                link = self._before.get(path)
                if link is not None:
                    path.symlink_to(link)
        return tuple(moved)

    def _hold(self, path: Path) -> None:
        if path not in self._held:
            # Not where its own folder is missing too: that is then found afterwards.
            try:
                path.mkdir()
            except OSError:
                return
        self._held[path] += 1
        self._holds.append(path)

    def _places(self) -> Iterator[Path]:
        """The protected places that exist now."""
        confinement = self._confinement
        yield from (path for path in (*confinement.protected, *confinement.reserved) if os.path.lexists(path))
        for root in confinement.roots:
            with contextlib.suppress(OSError):
                for name in os.listdir(root):  # noqa: PTH208  names are enough
                    if name.casefold() in confinement.names and root / name not in self._repositories:
                        yield root / name


def _is_repository(path: Path) -> bool:
    """Whether it is a folder that commits go to: only parts of it are protected, by their own paths."""
    return path.is_dir() and not path.is_symlink() and (path / "HEAD").is_file()


def _link_or_none(path: Path) -> str | None:
    """Where a link leads; None for what is none."""
    with contextlib.suppress(OSError):
        return os.readlink(path)  # noqa: PTH115  the text as it stands
    return None
