"""Where agents' files lie, and which there are; bounded, whatever is linked to."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from core.host.exact import open_regular
from core.host.git import find_repo_root
from core.protocol.agent_views import AgentLayer
from core.settings.layers import Stamp, stamp_of

FOLDERS = (".agent-tui", ".claude", ".agents")
NAME = "agents"
SUFFIX = ".md"
FRONT = b"---"
MAX_FILES = 1_000
MAX_ENTRIES = 20_000
"""Names that are looked at in one place, folders below it included: a link may lead to the whole disk."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with definitions."""

    folder: Path
    layer: AgentLayer
    base: Path
    """The folder that it belongs to; it and what is between may be made later."""
    is_shared: bool = False
    """Whether it holds other files too, and is no place for folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What decides where they are looked for."""

    cwd: Path
    user_config: Path
    home: Path
    managed: tuple[Path, ...] = ()
    is_trusted: bool = False
    """Whether what the project brings along counts: a definition may carry permissions."""

    @property
    def root(self) -> Path:
        """The project's folder: the root of the repository, or else the working folder."""
        return find_repo_root(self.cwd) or self.cwd

    def ranks(self) -> list[tuple[Place, ...]]:
        """All places, strongest first; those of one rank are equals, and their order decides."""
        managed = [
            Place(folder / name, "managed", folder) for folder in self.managed for name in (NAME, ".claude/agents")
        ]
        return [tuple(managed), self.user(), *(self.project() if self.is_trusted else ())]

    def user(self) -> tuple[Place, ...]:
        """The user's own."""
        ours = Place(self.user_config / NAME, "user", self.user_config)
        return (ours, *(Place(self.home / name / NAME, "user", self.home) for name in FOLDERS[1:]))

    def project(self) -> list[tuple[Place, ...]]:
        """The project's, from the working folder up to the root of the repository."""
        own = {place.folder for place in self.user()}
        folders = [self.cwd, *self.cwd.parents]
        ranks = [
            [Place(folder / name / NAME, "project", folder) for name in FOLDERS]
            for folder in folders[: folders.index(self.root) + 1]
        ]
        ranks[0].append(Place(self.cwd / NAME, "project", self.cwd, is_shared=True))
        # In the home folder itself the user's files are no project's.
        return [tuple(place for place in rank if place.folder not in own) for rank in ranks]


@dataclass(slots=True)
class Found:
    """The files of one place, in the order of their names, and the state of the folders."""

    files: list[Path] = field(default_factory=list[Path])
    stamps: dict[Path, Stamp | None] = field(default_factory=dict[Path, Stamp | None])
    is_cut: bool = False


def find_files(place: Place) -> Found:
    """Look at a place. What cannot be listed is empty."""
    found, seen = Found(), set[tuple[int, int]]()
    waiting, left = [place.folder], MAX_ENTRIES
    while waiting:
        folder = waiting.pop(0)
        found.stamps[folder] = stamp = stamp_of(folder)
        # A link may lead back to where it lies.
        if stamp is None or stamp[2:] in seen:
            continue
        seen.add(stamp[2:])
        entries = _entries(folder, left)
        left -= len(entries)
        for entry in entries:
            if _is_folder(entry):
                waiting += [] if place.is_shared else [folder / entry.name]
            elif entry.name.endswith(SUFFIX):
                found.files.append(folder / entry.name)
        if left <= 0 or len(found.files) > MAX_FILES:
            found.is_cut = True
            break
    found.files = sorted(found.files)[:MAX_FILES]
    return found


def brought(places: Places) -> list[Path]:
    """The files that the project has, whether it is trusted or not, as far as their names and first bytes tell."""
    return [
        path
        for rank in places.project()
        for place in rank
        for path in find_files(place).files
        if not place.is_shared or _has_front(path)
    ]


def untrusted_agents(places: Places) -> tuple[str, ...]:
    """A line for each folder of an untrusted project that has agents, for the question of trust."""
    folders = Counter(path.parent for path in brought(places))
    return tuple(
        f"{os.path.relpath(folder, places.cwd)}: {number} agent{'s' * (number > 1)}"
        for folder, number in folders.items()
    )


def _has_front(path: Path) -> bool:
    try:
        with open_regular(Path(os.path.realpath(path))) as stream:
            return stream.read(len(FRONT)) == FRONT
    except OSError:
        return False


def _entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    """In the order of their names, so that nothing depends on the disk's."""
    try:
        with os.scandir(folder) as entries:
            return sorted(itertools.islice(entries, most), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
