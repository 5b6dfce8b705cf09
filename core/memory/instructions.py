"""Instruction files: the machine's, the user's, then each folder's from the root of the repository down to the working
directory, and what goes with files that were opened further down."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core.host.files import read_regular
from core.host.git import find_repo_root
from core.memory.markup import expanded, split_front
from core.settings.layers import Stamp, stamp_of
from core.tools.base import ToolError
from core.tools.search.globs import compiled

NAMES = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md", "AGENTS.local.md")
MANAGED_NAMES = ("CLAUDE.md", "AGENTS.md")
USER_FILE = ".claude/CLAUDE.md"
RULES = ".claude/rules"
MAX_IMPORT_DEPTH = 5
WARN_CHARS = 40_000
MAX_BYTES = 1_000_000
OUTER_COMMA = re.compile(r",(?![^{}]*\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where instruction files are looked for."""

    cwd: Path
    user_config: Path
    home: Path
    managed: tuple[Path, ...] = ()
    """Folders of whoever runs the machine; nothing leaves out what is there."""
    excludes: tuple[str, ...] = ()
    """Globs of absolute paths that are left out."""
    is_trusted: bool = True
    """Whether the files that the folder brings along count; else only those of user and machine."""

    @property
    def root(self) -> Path:
        """The project's folder: the root of the repository, or else the working directory."""
        return find_repo_root(self.cwd) or self.cwd


@dataclass(slots=True)
class Instructions:
    """What was found: texts for the model, the files they came from, and what the user should know."""

    parts: dict[Path, str] = field(default_factory=dict[Path, str])
    """By instruction file, with its imports in place."""
    near: set[Path] = field(default_factory=set[Path])
    """Those of the parts that hold because a file was opened that they go with."""
    files: list[Path] = field(default_factory=list[Path])
    """All that was read, imported files too, with links followed."""
    waiting: dict[Path, tuple[Path, tuple[str, ...]]] = field(default_factory=dict[Path, tuple[Path, tuple[str, ...]]])
    """Rules for some files, none of which was opened: the folder that their globs are relative to, and the globs."""
    warnings: list[str] = field(default_factory=list[str])
    excluded: list[Path] = field(default_factory=list[Path])
    """Left out by a setting."""
    untrusted: list[Path] = field(default_factory=list[Path])
    """Left out because the folder is not trusted."""
    broken: set[Path] = field(default_factory=set[Path])
    """Instruction files of which something could not be read."""
    stamps: dict[Path, Stamp | None] = field(default_factory=dict[Path, Stamp | None])
    """The state of every file and folder on which all this depends."""

    @property
    def text(self) -> str:
        """All of it as one text for the model, but for what goes with single files."""
        return "\n\n".join(headed(path, body) for path, body in self.parts.items() if path not in self.near)


def headed(path: Path, body: str) -> str:
    """The text of an instruction file as the model reads it."""
    return f"From {path}:\n{body}"


def read_instructions(places: Places, opened: Collection[Path] = ()) -> Instructions:
    """Read all of them, each file once. ``opened``: files that the agent has seen, with links followed."""
    return _Reading(places, opened).read()


def near_folders(places: Places, opened: Iterable[Path]) -> list[Path]:
    """The folders below the working directory that lead to files which were opened; none in another repository."""
    top = _real(places.cwd)
    found: dict[Path, None] = {}
    for file in opened:
        folder = top
        for name in file.parent.relative_to(top).parts if file.is_relative_to(top) else ():
            folder /= name
            if os.path.lexists(folder / ".git"):
                break
            found.setdefault(folder)
    return list(found)


def speaks_for(globs: tuple[str, ...], base: Path, opened: Collection[Path]) -> bool:
    """Whether one of the files is one that the globs are for. Raises ``ToolError`` for a glob that cannot be used."""
    if not opened:
        return False
    real, matches = _real(base), compiled(globs)
    return any(file.is_relative_to(real) and matches(str(file.relative_to(real))) for file in opened)


class _Reading:
    """One look at all the files."""

    def __init__(self, places: Places, opened: Collection[Path]) -> None:
        self._places = places
        self._opened = opened
        self._found = Instructions()
        self._root = places.root
        self._import_root = places.home
        """Imports of the file being read must lie in here: a repository must not pull in the user's private files."""
        self._is_broken = False

    def read(self) -> Instructions:
        """Go through all places, weakest first."""
        places = self._places
        for folder in places.managed:
            self._take_folder(folder, MANAGED_NAMES, _real(folder), is_managed=True)
        home = _real(places.home)
        self._take_folder(places.user_config, ("AGENTS.md",), home)
        self._take_folder(places.home, (USER_FILE,), home, rules_for=self._root)
        folders = [places.cwd, *places.cwd.parents]
        for folder in reversed(folders[: folders.index(self._root) + 1]):
            if places.is_trusted:
                self._take_folder(folder, NAMES, _real(self._root), rules_for=folder)
            else:
                self._pass_over(folder)
        for folder in near_folders(places, self._opened) if places.is_trusted else ():
            self._take_folder(folder, NAMES, _real(self._root), rules_for=folder, is_near=True)
        return self._found

    def _take_folder(
        self,
        folder: Path,
        names: tuple[str, ...],
        import_root: Path,
        *,
        rules_for: Path | None = None,
        is_managed: bool = False,
        is_near: bool = False,
    ) -> None:
        self._import_root = import_root
        # A file that is made is seen by its folder.
        for place in (folder, folder / ".claude"):
            self._found.stamps[place] = stamp_of(place)
        for name in names:
            self._take(folder / name, is_managed=is_managed, is_near=is_near)
        if rules_for is not None:
            for path in self._rules(folder / RULES):
                self._take(path, base=rules_for, is_near=is_near)

    def _rules(self, folder: Path) -> list[Path]:
        found: list[Path] = []
        for parent, _folders, names in os.walk(folder):
            self._found.stamps[Path(parent)] = stamp_of(Path(parent))
            found += [Path(parent, name) for name in names if name.endswith(".md")]
        return sorted(found)

    def _take(self, path: Path, *, base: Path | None = None, is_managed: bool = False, is_near: bool = False) -> None:
        """Add one file where there is one. ``base``: what the globs of a rule are relative to."""
        found, real = self._found, _real(path)
        if real in found.files or not _is_file(real):
            return
        if not is_managed and self._is_excluded(path, real):
            found.excluded.append(path)
        elif path.is_relative_to(self._root) and not real.is_relative_to(self._import_root):
            found.warnings.append(f"{path} is a link to a file outside {self._import_root} and is left out.")
        else:
            self._is_broken = False
            text = self._load(path, real)
            try:
                globs, text = _globs(text) if base is not None else ((), text)
                if globs and base is not None and not speaks_for(globs, base, self._opened):
                    found.waiting[path] = base, globs
                    return
            except (ValueError, ToolError) as error:
                found.warnings.append(f"{path} is left out: {error}")
                return
            body = self._expanded(text, path, real, 0).strip()
            if self._is_broken:
                found.broken.add(path)
            if body:
                found.parts[path] = body
                if is_near or globs:
                    found.near.add(path)

    def _is_excluded(self, path: Path, real: Path) -> bool:
        excludes = self._places.excludes
        if not excludes:
            return False
        try:
            matches = compiled(excludes)
        except ToolError as error:
            warning = f"claudeMdExcludes: {error}"
            self._found.warnings += [warning] if warning not in self._found.warnings else []
            return False
        return any(matches(spelling) for spelling in (str(path), str(real)))

    def _load(self, path: Path, real: Path) -> str:
        """The text of a file; empty, and told, where it cannot be read."""
        found = self._found
        found.files.append(real)
        found.stamps[real] = stamp_of(real)
        try:
            text = read_regular(real, MAX_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            found.warnings.append(f"{path} cannot be read as instructions: {reason}")
            self._is_broken = True
            return ""
        if len(text) > WARN_CHARS:
            found.warnings.append(
                f"{path} has {len(text):,} characters of instructions; over {WARN_CHARS:,} is too much."
            )
        return text

    def _expanded(self, text: str, path: Path, real: Path, depth: int) -> str:
        """The text without comments, with its imports in place, up to ``MAX_IMPORT_DEPTH`` deep."""
        return expanded(text, lambda name: self._imported(name, path, real, depth))

    def _imported(self, name: str, path: Path, real: Path, depth: int) -> str:
        """The text that the mention stands for; empty where it stays as it is."""
        target = _real(self._places.home / name[2:] if name.startswith("~/") else real.parent / name)
        warnings = self._found.warnings
        if target in self._found.files or not _is_file(target):
            return ""
        if not target.is_relative_to(self._import_root):
            warnings.append(f"{path}: @{name} lies outside {self._import_root} and is left out.")
            return ""
        if depth >= MAX_IMPORT_DEPTH:
            warnings.append(f"{path}: @{name} is more than {MAX_IMPORT_DEPTH} imports deep and is left out.")
            return ""
        return self._expanded(self._load(target, target), target, target, depth + 1).strip()

    def _pass_over(self, folder: Path) -> None:
        self._found.untrusted += [folder / name for name in NAMES if _is_file(folder / name)]


def _globs(text: str) -> tuple[tuple[str, ...], str]:
    """The files that a rule is for, none for all, and the rule itself. Raises ``ValueError``."""
    data, rest = split_front(text)
    paths = data.get("paths")
    given = OUTER_COMMA.split(paths) if isinstance(paths, str) else paths
    items = cast("list[Any]", given) if isinstance(given, list) else [] if given is None else [given]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("paths must be a list of globs")
    globs = tuple(item.strip().removeprefix("./").removeprefix("/") for item in items)
    return tuple(f"{glob}**" if glob.endswith("/") else glob for glob in globs if glob), rest


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  never raises


def _real(path: Path) -> Path:
    """Every link followed; of a loop what could be."""
    return Path(os.path.realpath(path))
