"""Where programs are looked for: never in the folder that is worked in, whose files are not the user's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

SYSTEM_FOLDERS = frozenset(
    "/bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /opt/homebrew/bin /opt/homebrew/sbin".split()
)
"""Kept whatever is worked in: ``/`` holds them all."""


def safe_path(environ: Mapping[str, str], folders: Iterable[Path]) -> str:
    """The PATH without its relative entries (an empty one is the current folder) and without those in ``folders``."""
    # Of an empty PATH every shell takes the current folder for the only one.
    return _safe(environ, folders) or os.defpath


def find_program(name: str, environ: Mapping[str, str], folders: Iterable[Path] | None = None) -> str | None:
    """The absolute path of a program on the safe PATH; None where there is none.

    Without ``folders`` the current one is shut out.
    """
    return shutil.which(name, path=_safe(environ, _current() if folders is None else folders))


def _safe(environ: Mapping[str, str], folders: Iterable[Path]) -> str:
    return _without(environ.get("PATH", os.defpath), tuple(folders))


@lru_cache(maxsize=32)
def _without(path: str, folders: tuple[Path, ...]) -> str:
    """Remembered: every command and every search asks, and following the links of all entries takes a millisecond."""
    closed = {Path(spelling) for folder in folders for spelling in (os.path.normpath(folder), os.path.realpath(folder))}
    entries = path.split(os.pathsep)
    return os.pathsep.join(dict.fromkeys(entry for entry in entries if _is_safe(entry, closed)))


def _current() -> list[Path]:
    try:
        return [Path.cwd()]
    except OSError:
        return []


def _is_safe(entry: str, closed: set[Path]) -> bool:
    if not entry.startswith("/"):
        return False
    plain = os.path.normpath(entry)
    return plain in SYSTEM_FOLDERS or not any(
        Path(spelling).is_relative_to(folder) for spelling in (plain, os.path.realpath(plain)) for folder in closed
    )
