"""Which paths are inside, which are protected, which hold secrets. Decided on the literal and the resolved path."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from core.permissions.places import folded, why_protected_name, why_secret_name
from core.settings.paths import find_paths

REPOSITORY = ("HEAD", "objects", "refs")
FOLDED_REPOSITORY = frozenset(name.casefold() for name in REPOSITORY)
"""By these git knows a folder for a repository, whatever it is called (``is_git_directory``)."""

MAX_LINK_NAMES = 200
"""How many files of a folder are looked at for another name of the same file."""


def resolve(path: Path) -> Path:
    """The path with every symlink followed, of what exists and the rest as it stands."""
    return Path(os.path.realpath(path))


def normal(path: Path) -> Path:
    """The path without ``.`` and ``..``, by its names alone; two leading slashes, which may mean anything, are one."""
    text = os.path.normpath(path)
    return Path("/" + text.lstrip("/") if text.startswith("//") else text)


def spellings(path: Path) -> tuple[Path, ...]:
    """The path as named and as resolved; one where that is the same."""
    return tuple(dict.fromkeys((normal(path), resolve(path))))


def is_inside(path: Path, roots: Iterable[Path], follow: Callable[[Path], Path] = resolve) -> bool:
    """Whether the path, as named and as resolved, lies in one of the folders. ``follow`` resolves links."""
    folders = [folder for root in roots for folder in {normal(root), follow(root)}]
    return all(any(spelling.is_relative_to(folder) for folder in folders) for spelling in {normal(path), follow(path)})


def is_protected(path: Path) -> bool:
    """Whether a write there could make another program run something, or change what this one may do."""
    return bool(why_protected(path))


def why_protected(path: Path) -> str:
    """The reason for which a write there is dangerous, also where nothing is there yet; empty where there is none."""
    for spelling in spellings(path):
        reason = why_protected_name(spelling) or _why_protected_here(spelling)
        if reason:
            return reason
    return _why_linked(path)


def holds_secrets(path: Path) -> bool:
    """Whether it holds keys, tokens, passwords or what was typed, as far as names tell."""
    return bool(why_secret(path))


def why_secret(path: Path) -> str:
    """The reason why a read of the file may show a secret; empty where there is none."""
    home = _home()
    for spelling in spellings(path):
        reason = why_secret_name(spelling, home)
        if reason:
            return reason
    return "it is another name of a file with credentials" if _is_another_name(path, _credentials(home)) else ""


def _why_protected_here(path: Path) -> str:
    """What this machine, and what lies beside the path, make of it."""
    own = find_paths(os.environ)
    places = (own.config, own.data, own.log.parent)
    if any(path.is_relative_to(folder) for place in places for folder in spellings(place)):
        return "it steers this program"
    if not _program_folders(os.environ.get("PATH", "")).isdisjoint((path, path.parent)):
        return "programs are found and run there"
    return "git runs or obeys what is there" if _is_in_repository(path) else ""


@lru_cache(maxsize=4)
def _program_folders(path: str) -> frozenset[Path]:
    return frozenset(
        spelling for entry in path.split(os.pathsep) if entry.startswith("/") for spelling in spellings(Path(entry))
    )


def is_repository(folder: Path) -> bool:
    """Whether git takes the folder itself for a repository: a bare one, or a part of another (``commondir``)."""
    there = {name for name in (*REPOSITORY, "commondir") if os.path.lexists(folder / name)}
    return there.issuperset(REPOSITORY) or there.issuperset(("HEAD", "commondir"))


def _is_in_repository(path: Path) -> bool:
    """Whether a folder above the path is a bare repository, or the path would help to make one of it."""
    for name, folder in zip(reversed(path.parts), path.parents, strict=False):
        wanted = folded(name)
        names = (*REPOSITORY, "commondir")
        there = {part for part in names if part.casefold() == wanted or os.path.lexists(f"{folder}/{part}")}
        is_whole = there.issuperset(REPOSITORY) or "commondir" in there
        if "HEAD" in there and (is_whole or (len(there) > 1 and wanted in FOLDED_REPOSITORY)):
            return True
    return False


def _why_linked(path: Path) -> str:
    """A second name of a file elsewhere is as dangerous as the first one, and its own name says nothing of it."""
    info = _linked(path)
    if info is None:
        return ""
    if info.st_uid != os.geteuid():
        return "it is another name of a file of another user"
    if _is_another_name(path, (*_credentials(_home()), *_protected_files(path))):
        return "it is another name of a protected file"
    return ""


def _is_another_name(path: Path, others: Iterable[Path]) -> bool:
    info = _linked(path)
    return info is not None and any(_same(other, info) for other in others)


def _linked(path: Path) -> os.stat_result | None:
    """The state of a file that has several names; None for any other."""
    try:
        info = path.stat()
    except (OSError, ValueError):
        return None
    return info if stat.S_ISREG(info.st_mode) and info.st_nlink > 1 else None


def _same(path: Path, info: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), info)
    except OSError:
        return False


def _credentials(home: Path) -> Iterator[Path]:
    for folder in (home, home / ".ssh", home / ".gnupg", home / ".aws", home / ".kube", home / ".docker"):
        yield from (path for path in _files(folder) if why_secret_name(path, home))


def _protected_files(path: Path) -> Iterator[Path]:
    """The protected files of the home folder, and those by which git is steered in the folders above the path."""
    for folder in (_home(), *path.parents):
        yield from (file for file in _files(folder) if why_protected_name(file))
    for folder in path.parents:
        yield from (*_files(folder / ".git"), *_files(folder / ".git" / "hooks"))


def _files(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path) for entry, _ in zip(entries, range(MAX_LINK_NAMES), strict=False) if entry.is_file()
            ]
    except OSError:
        return []


def _home() -> Path:
    return Path(os.path.expanduser("~"))  # noqa: PTH111  Path.home() raises where there is no home
