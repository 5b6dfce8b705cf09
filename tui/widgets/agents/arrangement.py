"""Which agent stands in which tile: pure, so that it can be tested without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Standing(Protocol):
    """What must be known of an agent: see ``AgentInfo``."""

    @property
    def id(self) -> str: ...
    @property
    def is_over(self) -> bool: ...


@dataclass(slots=True)
class Arrangement:
    """``places`` holds an agent's id for each tile, empty where none stands. Nobody is moved without a reason: an agent
    keeps its tile until it is dismissed, the user pages on, or it is over and one that runs has no tile."""

    places: list[str]
    focused: str = ""
    pinned: frozenset[str] = frozenset()

    def begin(self, agents: Sequence[Standing]) -> None:
        """Somebody comes to look: one that was focused and is over gives way to one that runs, unless it is pinned."""
        runs = [agent.id for agent in agents if not agent.is_over]
        if runs and self.focused not in runs and self.focused not in self.pinned:
            self.focused = next((agent_id for agent_id in self.places if agent_id in runs), runs[0])

    def update(self, agents: Sequence[Standing], count: int) -> None:
        """There are these agents now, those that run first, and so many tiles."""
        over = {agent.id: agent.is_over for agent in agents}
        self.pinned &= over.keys()
        was = self.places.index(self.focused) if self.focused in self.places else 0
        places = [agent_id if agent_id in over else "" for agent_id in self.places]
        if len(places) > count:
            # The one that is looked at stays, then those that are pinned, then the first ones.
            worth = [(there != self.focused, there not in self.pinned, not there) for there in places]
            best = sorted(range(len(places)), key=worth.__getitem__)[:count]
            places = [places[at] for at in sorted(best)]
        self.places = places + [""] * (count - len(places))
        self._fill([agent.id for agent in agents if agent.id not in self.places], over)
        if not self.focused or self.focused not in self.places:
            self.focused = self._near(was)

    def look_at(self, agent_id: str) -> None:
        """Focus an agent; one without a tile takes that of the focused one, or where that is pinned of another one."""
        if agent_id not in self.places and self.places:
            free = [at for at, there in enumerate(self.places) if there not in self.pinned]
            here = self.places.index(self.focused) if self.focused in self.places else 0
            at = here if here in free or not free else free[0]
            self.places[at] = agent_id
        self.focused = agent_id

    def step(self, direction: int) -> None:
        """Focus the next tile, or the one before."""
        there = [agent_id for agent_id in self.places if agent_id]
        if there:
            at = there.index(self.focused) if self.focused in there else 0
            self.focused = there[(at + direction) % len(there)]

    def page(self, agents: Sequence[Standing], direction: int) -> bool:
        """Have the tiles that are not pinned show the agents after those shown, or before; whether there are any."""
        free = [at for at, there in enumerate(self.places) if there not in self.pinned]
        order = [agent.id for agent in agents if agent.id not in self.pinned]
        if not free or len(order) <= len(free):
            return False
        pages = -(-len(order) // len(free))
        first = self.places[free[0]]
        now = order.index(first) // len(free) if first in order else 0
        begin = (now + direction) % pages * len(free)
        # Behind the last one the first ones stand again.
        for at, agent_id in zip(free, (order + order)[begin:], strict=False):
            self.places[at] = agent_id
        if self.focused not in self.places:
            self.focused = self.places[free[0]]
        return True

    def toggle_pin(self) -> bool:
        """Pin the focused agent to its tile, or no longer; whether it is now."""
        self.pinned ^= {self.focused} if self.focused else set()
        return self.focused in self.pinned

    def _fill(self, waiting: list[str], over: dict[str, bool]) -> None:
        """Empty tiles take whoever has none; one that runs also takes the tile of one that is over."""
        for at, there in enumerate(self.places):
            if not there and waiting:
                self.places[at] = waiting.pop(0)
        for at, there in enumerate(self.places):
            is_free = there and over[there] and there != self.focused and there not in self.pinned
            if is_free and waiting and not over[waiting[0]]:
                self.places[at] = waiting.pop(0)

    def _near(self, was: int) -> str:
        """Who stands where the focused one stood, or else anyone."""
        near = self.places[was : was + 1] + self.places
        return next((agent_id for agent_id in near if agent_id), "")
