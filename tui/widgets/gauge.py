"""The bottom line: permission mode and keys at the left; context gauge, cache share and cost at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.timer import Timer

from tui.keymap import key_text
from tui.rendering.amounts import tokens
from tui.rendering.line import Line, Span, line_width
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.views import ContextLimits

MINUTE_S = 60
EARLY_S = 0.05
BAR_CELLS = 10
WIDE_BAR_CELLS = 20
MODE_WORDS = {
    "default": "asks before changes",
    "acceptEdits": "accepts edits",
    "plan": "plan mode: read-only",
    "dontAsk": "refuses instead of asking",
    "bypassPermissions": "bypass: asks nothing",
}
MODE_SIGNS = {"default": "◆", "acceptEdits": "▸▸", "plan": "◇", "dontAsk": "⊘", "bypassPermissions": "⚠"}


class Footer(LineWidget):
    """One line, always there. ``wall`` gives seconds since the epoch."""

    class GaugeClicked(Message):
        """The user wants to know more of the window."""

    def __init__(self, palette: Palette, wall: Callable[[], float]) -> None:
        super().__init__(palette, id="footer")
        self._wall = wall
        self._mode = "default"
        self._used = 0
        self._window = 0
        self._limits: ContextLimits | None = None
        self._cache: int | None = None
        self._warm_until: float | None = None
        self._cold_cost = ""
        self._cost = ""
        self._breaker = "closed"
        self._tasks = 0
        self._agents = 0
        self._has_mode_key = True
        self._cooling: Timer | None = None
        self._gauge_at = 0
        """The column where the gauge begins."""

    def show_mode(self, mode: str) -> None:
        """The permission mode."""
        self._mode = mode
        self.update_lines()

    def show_window(self, window: int, limits: ContextLimits) -> None:
        """Size of the context window and where it is nearly full, tokens."""
        self._window, self._limits = window, limits
        self.update_lines()

    def show_usage(self, used: int, cost: str, *, breaker: str = "closed") -> None:
        """How full the window is, the cost of the session, and whether the window is still shrunk on its own."""
        self._used, self._cost, self._breaker = used, cost, breaker
        self.update_lines()

    def show_cost(self, cost: str) -> None:
        """The cost of the session alone: an agent has spent something."""
        if cost != self._cost:
            self._cost = cost
            self.update_lines()

    def show_cache(self, percent: int | None, warm_until: float | None, cold_cost: str = "") -> None:
        """The cache share of the last request, until when (since the epoch) the cache is warm, and what the next send
        costs once it is not."""
        self._cache, self._warm_until, self._cold_cost = percent, warm_until, cold_cost
        self._count_down()

    def show_tasks(self, running: int) -> None:
        """How many background tasks run."""
        self._tasks = running
        self.update_lines()

    def show_agents(self, running: int) -> None:
        """How many subagents run."""
        if running != self._agents:
            self._agents = running
            self.update_lines()

    def tell_mode_key(self, has_key: bool) -> None:
        """Whether the key of the mode changes it where the user is now."""
        self._has_mode_key = has_key
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        left: list[Span] = [(f"{MODE_SIGNS[self._mode]} {MODE_WORDS[self._mode]}", f"mode.{self._mode}")]
        if self._agents:
            left.append((f"  {self._agents} agent{'' if self._agents == 1 else 's'}", "caution"))
            left.append((f" {key_text('session.agents')}", "key"))
        if self._tasks:
            left.append((f"  {self._tasks} in background", "caution"))
        for keys, right in self._arrangements():
            gap = width - line_width(left) - line_width(keys) - line_width(right)
            if gap >= 1:
                self._gauge_at = width - line_width(right)
                return [(*left, *keys, (" " * gap, "text"), *right)]
        self._gauge_at = width
        return [tuple(left)]

    def on_click(self, event: events.Click) -> None:
        """The gauge opens what it sums up."""
        at = event.get_content_offset(self)
        if at is not None and at.x >= self._gauge_at:
            self.post_message(self.GaugeClicked())

    def _count_down(self) -> None:
        """Draw the line, and once more when it is a minute less; once cold nothing moves any more."""
        if self._cooling is not None:
            self._cooling.stop()
            self._cooling = None
        left = self._warm_for
        if left > 0:
            # A moment later, so that a timer that is early does not count the same minute twice.
            self._cooling = self.set_timer((left % MINUTE_S or MINUTE_S) + EARLY_S, self._count_down)
        self.update_lines()

    @property
    def _warm_for(self) -> float:
        """Seconds; 0 where nothing is cached, or not any more."""
        return max(0.0, self._warm_until - self._wall()) if self._warm_until is not None else 0.0

    def _arrangements(self) -> list[tuple[list[Span], list[Span]]]:
        """Keys and gauge from the richest to the poorest: what is given up first on a narrow screen stands first."""
        mode = _key("session.mode", "mode") if self._has_mode_key else []
        help_ = _key("session.help", "keys")
        wide, small = self._bar(WIDE_BAR_CELLS), self._bar(BAR_CELLS)
        share, words, size = self._share(), self._words(), self._amount()
        cache, until, cost = self._cache_share(), self._cache_left(), _part(self._cost)
        return [
            ([*mode, *help_], [*wide, *share, *words, *size, *cache, *until, *cost]),
            ([*mode, *help_], [*small, *share, *words, *size, *cache, *until, *cost]),
            (help_, [*small, *share, *words, *size, *cache, *until, *cost]),
            *([([], [*small, *share, *words, *size, *cache, *until, *cost])] if until else []),
            (help_, [*small, *share, *words, *size, *cache, *cost]),
            (help_, [*small, *share, *words, *cache, *cost]),
            ([], [*small, *share, *words, *cost]),
            ([], [*small, *share, *words]),
            ([], [*share, *words]),
            ([], share),
        ]

    def _bar(self, cells: int) -> list[Span]:
        from tui.rendering.meter import bar

        return bar(self._used, self._window, self._limits, cells) if self._limits is not None else []

    def _share(self) -> list[Span]:
        if self._limits is None:
            return []
        from tui.rendering.meter import zone

        share = min(1.0, self._used / self._window) if self._window else 0.0
        return [(f"{share * 100:.0f}%", zone(self._used, self._limits).style)]

    def _words(self) -> list[Span]:
        """What the colour says, and that the window is no longer shrunk on its own."""
        if self._limits is None:
            return []
        from tui.rendering.meter import DUE, zone

        found = zone(self._used, self._limits)
        if self._breaker == "closed":
            return [(f" {found.words}", found.style)] if found.words else []
        # What is due does not come.
        words = "" if found is DUE else f" {found.words}".rstrip()
        return [(words, found.style), (" ⊘ no autocompact", "bad")]

    def _amount(self) -> list[Span]:
        return [(f" {tokens(self._used)}/{tokens(self._window)}", "muted")] if self._window else []

    def _cache_share(self) -> list[Span]:
        if self._cache is None:
            return []
        return _part("cache cold" if self._is_cold else f"cache {self._cache}%")

    def _cache_left(self) -> list[Span]:
        """How long it stays warm, or what it means that it did not."""
        if self._cache is None or self._warm_until is None:
            return []
        if self._is_cold:
            return _part(f"next send ≈ {self._cold_cost}" if self._cold_cost else "")
        minutes = int(self._warm_for // MINUTE_S)
        return _part(f"{minutes} min" if minutes else "<1 min")

    @property
    def _is_cold(self) -> bool:
        return self._warm_until is not None and not self._warm_for


def _part(text: str) -> list[Span]:
    return [(f" · {text}", "muted")] if text else []


def _key(key_id: str, what: str) -> list[Span]:
    """A key and what it does; nothing where the user has taken the key away."""
    text = key_text(key_id)
    return [(f"  {text}", "key"), (f" {what}", "muted")] if text else []
