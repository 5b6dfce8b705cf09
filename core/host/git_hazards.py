"""What a repository's own configuration would make plain git run. Asked before git runs unasked and unconfined."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.host.git import SAFE_GIT_ENV, find_repo_root
from core.host.programs import safe_path

LIST_TIMEOUT_S = 2.0
MAX_SUBMODULES = 20
UNREADABLE = "a configuration that git cannot read"
MANY_SUBMODULES = "many submodules, each with a configuration of its own"
LINK_MODE = b"\0\0\xe0\0"
"""How the index writes the mode of a submodule (gitformat-index(5)); other numbers may look the same."""
TRUTH = frozenset("true false yes no on off 0 1".split()) | {""}

PROGRAM_KEYS = re.compile(
    r"diff\.external|diff\..+\.(?:textconv|command)|filter\..+\.(?:clean|smudge|process)|merge\..+\.driver"
    r"|core\.(?:sshcommand|pager|editor|askpass|gitproxy|alternaterefscommand)|sequence\.editor|pager\..+"
    r"|interactive\.difffilter|(?:diff|merge)tool\..+\.cmd|gpg\.program|gpg\..+\.program|gpg\.ssh\.defaultkeycommand"
    r"|credential\.helper|credential\..+\.helper|remote\..+\.(?:uploadpack|receivepack|vcs|promisor|partialclonefilter)"
    r"|extensions\.partialclone|uploadpack\.packobjectshook|trailer\..+\.(?:command|cmd)|tar\..+\.command|hook\..+\.command"
    r"|browser\..+\.cmd|man\..+\.cmd|submodule\..+\.update|url\..+\.(?:insteadof|pushinsteadof)|protocol\..+",
)
"""Keys whose value is run, or makes git fetch while it reads: git-config(1), those that name a command or a helper.

Not ``core.hooksPath`` and ``core.fsmonitor``: the environment of unasked commands switches both off.
"""
HARMLESS = re.compile(r"git-lfs (?:(?:clean|smudge(?: --skip)?) -- %f|filter-process(?: --skip)?)")
"""What ``git lfs install --local`` writes: a program of the machine, not of the repository."""
INCLUDE = re.compile(r"include(?:if\..+)?\.path")
OWN_SCOPES = ("local", "worktree")

Stamps = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found, and the files it depends on as they were."""

    stamps: Stamps
    hazards: tuple[str, ...]


_known: dict[Path, _Known] = {}
"""By the folder that holds ``.git``."""


def repository_hazards(cwd: Path, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Settings of the repository around ``cwd`` by which reading git commands run other programs or use the network.

    Each reads ``diff.pdf.textconv = ./convert``. Empty where there is no repository. Takes milliseconds once, then
    none until one of the files changes.
    """
    root = find_repo_root(cwd)
    if root is None:
        return ()
    known = _known.get(root)
    if known is not None and _stamps(Path(name) for name, _mtime, _size in known.stamps) == known.stamps:
        return known.hazards
    hazards: list[str] = []
    files: list[Path] = []
    try:
        _look(root, os.environ if environ is None else environ, hazards, files)
    except (OSError, subprocess.SubprocessError):
        return (UNREADABLE,)
    _known[root] = _Known(_stamps(files), tuple(dict.fromkeys(hazards)))
    return _known[root].hazards


def _look(root: Path, environ: Mapping[str, str], hazards: list[str], files: list[Path]) -> None:
    """Add what is found in one repository and its submodules, into which git looks too, and the files that say it."""
    files += _config_files(root)
    fields = _git(root, environ, "config", "--list", "-z", "--show-scope", "--show-origin", "--includes").split("\0")
    for scope, origin, entry in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if scope not in OWN_SCOPES:
            continue
        file = root / origin.removeprefix("file:")
        files.append(file)
        key, _, value = entry.partition("\n")
        if INCLUDE.fullmatch(key):
            files.append(file.parent / os.path.expanduser(value))  # noqa: PTH111  may be relative to the file
        elif _is_hazard(key, value):
            hazards.append(f"{key} = {value}")
    submodules = [path for path in _submodules(root, environ) if (path / ".git").exists()]
    if len(submodules) > MAX_SUBMODULES:
        hazards.append(MANY_SUBMODULES)
        return
    for submodule in submodules:
        _look(submodule, environ, hazards, files)


def _submodules(root: Path, environ: Mapping[str, str]) -> list[Path]:
    """Folders that the index holds as repositories of their own."""
    index = _git_folder(root) / "index"
    try:
        if LINK_MODE not in index.read_bytes():
            return []
    except FileNotFoundError:
        return []
    entries = _git(root, environ, "ls-files", "-z", "--stage").split("\0")
    return [root / entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]


def _git(root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What git prints. Raises ``OSError`` or ``subprocess.SubprocessError`` where it fails."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("GIT_", "LD_"))}
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**kept, **SAFE_GIT_ENV, "PATH": safe_path(environ, (root,))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIST_TIMEOUT_S,
        check=True,
    )
    return os.fsdecode(done.stdout)


def _is_hazard(key: str, value: str) -> bool:
    if key.startswith("alias."):
        return value.lstrip().startswith("!")
    if not PROGRAM_KEYS.fullmatch(key.casefold()) or HARMLESS.fullmatch(value):
        return False
    section = key.partition(".")[0]
    if section == "pager" or key.casefold().endswith(".promisor"):
        return (
            value.casefold() not in TRUTH if section == "pager" else value.casefold() not in ("false", "no", "off", "0")
        )
    return section != "submodule" or value.startswith("!")


def _config_files(root: Path) -> list[Path]:
    """Where git looks for the repository's own configuration, there or not, and what names its submodules."""
    git_dir = _git_folder(root)
    shared = _first_line(git_dir / "commondir")
    common = git_dir / shared if shared else git_dir
    names = ("config", "config.worktree", "commondir", "HEAD", "index")
    return [root / ".git", *dict.fromkeys(folder / name for folder in (git_dir, common) for name in names)]


def _git_folder(root: Path) -> Path:
    place = root / ".git"
    return root / _first_line(place).removeprefix("gitdir:").strip() if place.is_file() else place


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="surrogateescape") as opened:
            return opened.readline(4096).rstrip("\n")
    except (OSError, ValueError):
        return ""


def _stamps(files: Iterable[Path]) -> Stamps:
    return tuple((str(file), *_stamp(file)) for file in dict.fromkeys(files))


def _stamp(file: Path) -> tuple[int, int]:
    """Time of the last change in ns, and size; of a folder neither says anything."""
    try:
        info = file.stat()
    except (OSError, ValueError):
        return -1, -1
    return (0, 0) if file.is_dir() else (info.st_mtime_ns, info.st_size)
