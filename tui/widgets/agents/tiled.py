"""Agents in one, two or four tiles below the strip of all of them: who is shown where, what is told of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.timer import Timer

from tui.rendering.agent_views import AgentNow
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.rendering.tile_views import Head, StripItem
from tui.widgets.agents.arrangement import Arrangement
from tui.widgets.agents.strip import AgentStrip
from tui.widgets.agents.tile import AgentTile
from tui.widgets.line_widget import LineWidget
from tui.widgets.sized import Sized
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from tui.presenter.sidechains import Sidechain, Sidechains

ROOM = {4: (100, 26), 2: (60, 22)}
"""Columns and rows of the screen that a number of tiles needs. A question that takes room for a while moves no tile."""
BESIDE = 100
"""Columns from which two tiles stand side by side."""
SECOND_S = 1.0


@dataclass(slots=True)
class Desk:
    """What stays while the agents are not looked at: who stands where, how many tiles, what was not sent yet."""

    arrangement: Arrangement = field(default_factory=lambda: Arrangement([]))
    chosen: int = 0
    """How many tiles the user wants; 0: as many as are of use."""
    drafts: dict[str, str] = field(default_factory=dict[str, str])


class _Empty(LineWidget):
    """A tile in which nobody stands."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, classes="tile-empty")
        self._words = ""

    def say(self, words: str) -> None:
        """Why it is empty."""
        if words != self._words:
            self._words = words
            self.update_lines()

    def build(self, width: int) -> list[Line]:
        return [(), *[((f"  {line}", "muted"),) for line in self._words.split("\n")]]


NOBODY = (
    "No agent was started yet.\nThe model starts them when a task is worth one;\n/subtask <task> starts one yourself."
)


class TiledView(Walled, Sized, Vertical, can_focus=True):
    """Follows the agents of the session while it is mounted. ``wall`` gives seconds since the epoch."""

    DEFAULT_CSS = """
    AgentsView, AgentsView > Grid {
        height: 1fr;
    }
    AgentsView > Grid {
        grid-gutter: 0 1;
    }
    """
    # A click is for a tile; only where there is none the keys are here.
    FOCUS_ON_CLICK = False

    def __init__(self, palette: Palette, sidechains: Sidechains, desk: Desk, wall: Callable[[], float]) -> None:
        super().__init__(id="agents")
        self._palette = palette
        self._chains = sidechains
        self._desk = desk
        self._arrangement = desk.arrangement
        self._wall = wall
        self._strip = AgentStrip(palette)
        self._grid = Grid()
        self._empty = _Empty(palette)
        self._tiles: list[AgentTile | _Empty] = []
        self._is_outdated = False
        self._most = 0
        """How many ran at once since they are looked at; where none ran, how many there were."""
        self._unwatch: Callable[[], None] = lambda: None
        self._clock: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._strip
        yield self._grid

    def on_mount(self) -> None:
        self._arrangement.begin([chain.info for chain in self._ordered])
        self._unwatch = self._chains.watch(self._heard)
        self._clock = self.set_interval(SECOND_S, self._tell)

    def on_unmount(self) -> None:
        self._unwatch()
        for tile in self._own_tiles:
            self._keep_draft(tile)

    def on_resize(self) -> None:
        self._changed()
        self.call_after_refresh(self.keep_keys)

    # What others ask

    @property
    def tile(self) -> AgentTile | None:
        """The tile that the keys are about."""
        focused = self._arrangement.focused
        return next((tile for tile in self._own_tiles if tile.agent.id == focused), None)

    def take_keys(self) -> None:
        """To the focused tile with them, to its message where one is being written."""
        tile = self.tile
        if tile is None:
            self.screen.set_focus(self)
        elif not tile.has_focus_within:
            tile.take_keys()

    def keep_keys(self) -> None:
        """The same, unless something else has them: a question, or what the user types it with."""
        holder = self.screen.focused
        if holder is None or holder is self or self in holder.ancestors:
            self.take_keys()

    def look_at(self, agent_id: str) -> None:
        """Focus an agent."""
        if self._chains.get(agent_id) is not None:
            self._arrangement.look_at(agent_id)
            self._rearranged()

    def set_palette(self, palette: Palette) -> None:
        """What is mounted from now on has other colours."""
        self._palette = palette

    # What is shown

    @property
    def _own_tiles(self) -> Sequence[AgentTile]:
        return [tile for tile in self._tiles if isinstance(tile, AgentTile)]

    @property
    def _ordered(self) -> list[Sidechain]:
        """Those that run first."""
        return sorted(self._chains.all, key=lambda chain: chain.info.is_over)

    @property
    def _count(self) -> int:
        """How many tiles: as many as the user wants, else as are of use, where there is room."""
        there = len(self._chains.all)
        # One that ends leaves its tile where it is, and so does one that goes on among many that are over.
        self._most = max(self._most, sum(not chain.info.is_over for chain in self._chains.all)) or there
        wanted = min(self._desk.chosen or self._most, there)
        wanted = 1 if wanted <= 1 else 2 if wanted == 2 else 4
        width, height = self.screen.size
        fit = (n for n, (columns, rows) in ROOM.items() if n <= wanted and width >= columns and height >= rows)
        return next(fit, 1)

    def _rearranged(self) -> None:
        """The user has moved something."""
        self._changed()
        self.call_after_refresh(self.keep_keys)

    def _heard(self) -> None:
        """Something has changed; what else changes with it is looked at together."""
        if not self._is_outdated:
            self._is_outdated = True
            self.call_later(self._changed)

    def _changed(self) -> None:
        """There are other agents, or more is known of them."""
        self._is_outdated = False
        if not self.size.width:
            return
        had = self.tile is not None and self.tile.has_focus_within
        self._arrangement.update([chain.info for chain in self._ordered], self._count)
        wanted = [self._tile_for(agent_id) for agent_id in self._arrangement.places]
        if wanted != self._tiles:
            self._mount(wanted)
            if had or self.has_focus:
                self.call_after_refresh(self.keep_keys)
        self._tell()

    def _tile_for(self, agent_id: str) -> AgentTile | _Empty:
        """The tile that it has already, or a new one."""
        chain = self._chains.get(agent_id)
        if chain is None:
            return self._empty
        for tile in self._own_tiles:
            if tile.agent.id == agent_id:
                return tile
        return AgentTile(self._palette, chain.info, chain.feed, self._desk.drafts.pop(agent_id, ""))

    def _mount(self, wanted: list[AgentTile | _Empty]) -> None:
        """Bring the tiles into the grid, in their order."""
        gone = [tile for tile in self._tiles if tile not in wanted]
        new = [tile for tile in wanted if tile not in self._tiles]
        self._tiles = wanted
        columns = 2 if len(wanted) == 4 or (len(wanted) == 2 and self.size.width >= BESIDE) else 1
        self._grid.styles.grid_size_columns = columns
        self._grid.styles.grid_size_rows = -(-len(wanted) // columns)
        with self.app.batch_update():  # pyright: ignore[reportUnknownMemberType]
            for tile in gone:
                if isinstance(tile, AgentTile):
                    self._keep_draft(tile)
                tile.remove()
            self._grid.mount(*new)
            for at, tile in enumerate(wanted):
                if self._grid.children[at] is not tile:
                    self._grid.move_child(tile, before=at)

    def _keep_draft(self, tile: AgentTile) -> None:
        if tile.line.value:
            self._desk.drafts[tile.agent.id] = tile.line.value

    def _tell(self) -> None:
        """Bring heads and strip up to what is known at this moment."""
        focused, pinned, now = self._arrangement.focused, self._arrangement.pinned, self._wall()
        numbers = {chain.info.id: number for number, chain in enumerate(self._chains.all, 1)}
        for tile in self._own_tiles:
            chain = self._chains.get(tile.agent.id)
            if chain is not None:
                tile.show(
                    Head(
                        number=numbers.get(chain.info.id, 0),
                        info=chain.info,
                        at=_now(chain, now),
                        is_focused=chain.info.id == focused and len(self._tiles) > 1,
                        is_pinned=chain.info.id in pinned,
                    )
                )
        shown = set(self._arrangement.places)
        self._strip.show(
            [
                StripItem(
                    number=numbers[chain.info.id],
                    info=chain.info,
                    at=_now(chain, now),
                    is_shown=chain.info.id in shown,
                    is_focused=chain.info.id == focused,
                )
                for chain in self._ordered
            ]
        )
        self._empty.say(NOBODY if not numbers else "Nobody stands here yet.")
        if self._clock is not None:
            (self._clock.resume if any(not chain.info.is_over for chain in self._chains.all) else self._clock.pause)()


def _now(chain: Sidechain, now: float) -> AgentNow:
    """What is known of it beside its info."""
    return AgentNow(now=now, activity=chain.activity, is_asking=chain.is_asking, heard=chain.heard)
