"""The kinds of agents there are: found in their files, kept, and read again only where a file has changed."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from core.agents.definition import GENERAL, AgentDefinition
from core.agents.places import MAX_FILES, Found, Place, Places, brought, find_files
from core.agents.reading import Reading, parse_definition, read_definition
from core.agents.tool_filter import allowed_tools
from core.protocol.agent_views import AgentKind
from core.settings.layers import Stamp, stamp_of

BUILT_IN = "built-in"
SETTLE_S = 0.1
"""A file that counted and is missing or broken is looked at again after so long: an editor may be about to write it."""
MAX_DESCRIPTION = 300
"""Characters of a description that the main model is told."""
MIN_DESCRIPTION = 40
EXAMPLE = "<example>"
LEAD = re.compile(r"(?<=[.!?\n])[\w' ]{0,30}\bexamples?\b[\w' ]{0,30}:\s*\Z", re.IGNORECASE)
MAX_LEAD = 100
"""What leads to examples (``Examples:``) is looked for in so many characters before them."""
TAG = re.compile(r"<(?=\s*/?\s*system)", re.IGNORECASE)


class Definitions:
    """Holds the definitions that count, the strongest of each name, and what is wrong with files that do not.

    ``tools``: names of all tools there are, for the names in the files.
    """

    def __init__(self, places: Places, tools: Collection[str]) -> None:
        self._places = places
        self._tools = frozenset(tools)
        self._files: dict[tuple[Path, str], tuple[Stamp | None, Reading]] = {}
        """What was read, by file and layer, and the state of the file then."""
        self._folders: dict[Path, Stamp | None] = {}
        self._overrides: dict[str, str] = {}
        self._root = Path(os.path.realpath(places.root))
        self._lock = threading.Lock()
        self._is_read = False
        self.agents: Mapping[str, AgentDefinition] = {agent.name: agent for agent in built_in()}
        """By name; the built-in ones first, and nothing else before the first look. Another object after a change."""
        self.problems: tuple[str, ...] = ()
        self.listing: Mapping[str, str] = {name: _told(agent) for name, agent in self.agents.items()}
        """What the main model is told of each, by name."""
        self.untrusted: tuple[Path, ...] = ()
        """Left out because the folder is not trusted."""

    def read(self) -> bool:
        """Look at all places, and read what is new; whether that has changed anything. Blocks."""
        with self._lock:
            before = self.agents, self.problems
            sources = {agent.source for agent in self.agents.values()}
            self._look()
            if sources - {agent.source for agent in self.agents.values()}:
                time.sleep(SETTLE_S)
                self._look()
            return (self.agents, self.problems) != before

    def is_stale(self) -> bool:
        """Whether a file or folder is no longer what it was."""
        return not self._is_read or any(
            stamp_of(path) != stamp
            for path, stamp in (
                *self._folders.items(),
                *((path, stamp) for (path, _layer), (stamp, _reading) in self._files.items()),
            )
        )

    def folders(self) -> Iterable[Path]:
        """Where a change may come from, those that may yet be made included."""
        between = {
            folder
            for rank in self._places.ranks()
            for place in rank
            for folder in place.folder.parents
            if folder.is_relative_to(place.base)
        }
        # A change of a linked file is told in its own folder.
        return {*self._folders, *between, *(Path(os.path.realpath(path)).parent for path, _layer in self._files)}

    def find(self, name: str) -> AgentDefinition | None:
        """The definition of a name, or of the only one that differs from it in the case of letters."""
        if name in self.agents:
            return self.agents[name]
        near = [agent for own, agent in self.agents.items() if own.casefold() == name.strip().casefold()]
        return near[0] if len(near) == 1 else None

    def kinds(self, tool_names: Collection[str]) -> tuple[AgentKind, ...]:
        """The definitions as the window shows them. ``tool_names``: the tools that there are in this session."""
        return tuple(
            AgentKind(
                name=agent.name,
                description=agent.description,
                layer=agent.layer,
                source=agent.source,
                model=agent.model,
                color=agent.color,
                tools=allowed_tools(agent, tool_names),
                is_read_only=agent.is_read_only,
                overrides=self._overrides.get(agent.name, ""),
            )
            for agent in self.agents.values()
        )

    def _look(self) -> None:
        winners: dict[str, AgentDefinition] = {}
        problems: list[str] = []
        files: dict[tuple[Path, str], tuple[Stamp | None, Reading]] = {}
        self._folders, self._overrides = {}, {}
        seen: set[str] = set()
        for rank in self._places.ranks():
            of_rank: dict[str, AgentDefinition] = {}
            for place in rank:
                for path in self._found(place, problems).files:
                    real = os.path.realpath(path)
                    if real in seen:
                        continue
                    seen.add(real)
                    if place.layer == "project" and not Path(real).is_relative_to(self._root):
                        problems.append(f"{path}:1: it is a link to a file outside {self._root}: copy it")
                        continue
                    files[path, place.layer] = kept = self._kept(path, place)
                    problems += kept[1].problems
                    if kept[1].definition is not None:
                        _take(kept[1].definition, of_rank, problems)
            self._add(of_rank.values(), winners)
        self._add(built_in(), winners)
        # The built-in ones come first, as they are or in the words of others.
        names = [agent.name for agent in built_in()]
        ordered = {name: winners[name] for name in (*names, *sorted(winners.keys() - set(names)))}
        self._files, self._is_read = files, True
        if ordered != dict(self.agents):
            self.agents = MappingProxyType(ordered)
            self.listing = {name: _told(agent) for name, agent in ordered.items()}
        if tuple(problems) != self.problems:
            self.problems = tuple(problems)
        self.untrusted = () if self._places.is_trusted else tuple(brought(self._places))

    def _found(self, place: Place, problems: list[str]) -> Found:
        found = find_files(place)
        self._folders |= found.stamps
        if found.is_cut:
            problems.append(f"{place.folder}:1: more than {MAX_FILES:,} files: not all of them are read")
        return found

    def _kept(self, path: Path, place: Place) -> tuple[Stamp | None, Reading]:
        stamp, known = stamp_of(path), self._files.get((path, place.layer))
        if known is not None and known[0] == stamp:
            return known
        return stamp, read_definition(path, place.layer, self._tools, is_shared=place.is_shared)

    def _add(self, agents: Iterable[AgentDefinition], winners: dict[str, AgentDefinition]) -> None:
        """Those of the next rank: they count where nothing stronger has their name."""
        for agent in agents:
            winner = winners.setdefault(agent.name, agent)
            if winner is not agent:
                self._overrides.setdefault(agent.name, agent.source or BUILT_IN)


@lru_cache(maxsize=1)
def built_in() -> tuple[AgentDefinition, ...]:
    """Those that come with the program; the general one first."""
    readings = [
        parse_definition(path.read_bytes(), path.name, BUILT_IN, None)
        for path in sorted(Path(__file__).with_name("builtin").glob("*.md"))
    ]
    agents = [replace(reading.definition, source="") for reading in readings if reading.definition is not None]
    return tuple(sorted(agents, key=lambda agent: (agent.name != GENERAL, agent.name)))


def _take(agent: AgentDefinition, of_rank: dict[str, AgentDefinition], problems: list[str]) -> None:
    """One more of a rank; of several of one name the first counts."""
    first = of_rank.setdefault(agent.name, agent)
    if first is not agent:
        problems.append(f"{agent.source}:1: {first.source} defines {agent.name} too, and counts: rename one of them")


def _told(agent: AgentDefinition) -> str:
    """A description in one line, without examples, cut where it is long."""
    text = agent.description
    at = text.lower().find(EXAMPLE)
    if at >= MIN_DESCRIPTION:
        start = max(0, at - MAX_LEAD)
        text = text[:start] + LEAD.sub("", text[start:at])
    line = " ".join(TAG.sub("‹", text).split())
    short = line if len(line) <= MAX_DESCRIPTION else f"{line[: MAX_DESCRIPTION - 1].rstrip()}…"
    return f"{short} (read-only)" if agent.is_read_only else short
