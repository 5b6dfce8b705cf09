"""Which folders the user trusts. A repository's own files are used only there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from core.host.files import write_atomic
from core.host.git import find_repo_root

SYSTEM_FOLDERS = frozenset(
    "bin boot dev etc home lib media mnt opt proc root run sbin srv sys tmp usr var".split()
    + "Applications Library System Users Volumes private".split()
)
"""The folders at the top of the disk by the Filesystem Hierarchy Standard, and those of macOS."""


def is_trusted(store: Path, folder: Path) -> bool:
    """Whether the user trusts the folder: itself, or one above it in the same repository (in none: any above it).

    What counts is where the folder really is: a ``.git`` file that points into a trusted one does not make it
    trusted, and a trusted folder does not vouch for a repository in it. An unreadable store trusts nothing.
    """
    trusted = _read(store)
    return any(str(candidate) in trusted for candidate in _vouching(_real(folder)))


def trust(store: Path, folder: Path) -> None:
    """Remember that the user trusts the folder and all in it; not where it is too broad. Raises ``OSError``."""
    real = _real(folder)
    if is_broad(real):
        return
    folders = sorted({*_read(store), str(real)})
    write_atomic(store, (json.dumps({"folders": folders}, indent=2) + "\n").encode(), 0o600)


def is_broad(folder: Path) -> bool:
    """Whether much more than one project is in the folder: the home folder and all above it, a temporary folder that
    everybody writes to, a folder of the system. Trust in it is for one session."""
    real = _real(folder)
    home = _real(Path(os.path.expanduser("~")))  # noqa: PTH111  Path.home() raises where there is no home
    shared = [_real(Path(path)) for path in (tempfile.gettempdir(), "/tmp", "/var/tmp")]
    is_top = len(real.parts) == 2 and real.name in SYSTEM_FOLDERS
    return is_top or home.is_relative_to(real) or any(path.is_relative_to(real) for path in shared)


def _vouching(folder: Path) -> Iterator[Path]:
    """The folders whose trust is the folder's too."""
    root = find_repo_root(folder)
    for candidate in (folder, *folder.parents):
        if not is_broad(candidate):
            yield candidate
        if candidate == root:
            return


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _read(store: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        data = json.loads(store.read_text("utf-8"))["folders"]
        # Of a text each character would count, "/" among them.
        if isinstance(data, list):
            return [item for item in cast("list[object]", data) if isinstance(item, str)]
    return []
