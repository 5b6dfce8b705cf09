"""The status line: what is going on, for how long, and the key that stops it. Empty and still when idle."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from textual.timer import Timer

from tui.keymap import key_text
from tui.rendering.amounts import elapsed
from tui.rendering.line import Line, Span, cell_len, line_width, truncate, wrap
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean, clean_line
from tui.widgets.line_widget import LineWidget

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_SECOND = 8
SILENT_S = 20
"""Without a word from the model for so long, and the line tells it."""
MIN_ACTIVITY = 16
"""Columns of what goes on for which the time gives way too."""
MIN_ITEM = 8
"""Columns below which the todo item in progress says nothing any more."""


class StatusLine(LineWidget):
    """Runs a timer only while something happens; while the user is waited for it stands still."""

    def __init__(self, palette: Palette, now: Callable[[], float]) -> None:
        super().__init__(palette, id="status")
        self._now = now
        self._activity = ""
        self._item = ""
        self._tokens = ""
        self._started: float | None = None
        self._retry_at: float | None = None
        self._attempt = ""
        self._heard: float | None = None
        """When the model was last heard of; None where something else is waited for."""
        self._is_waiting = False
        self._can_stop = True
        """Whether the key that interrupts does so where the user is, and does not lead back from there."""
        self._asks_alone = False
        """Whether it is a subagent that waits for the user: the key says no to it, and the turn goes on."""
        self._hint = ""
        self._timer: Timer | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return self._started is not None

    def begin(self) -> None:
        """A turn began."""
        self._started = self._now()
        self._set("Starting")

    def end(self) -> None:
        """The turn is over: nothing moves any more."""
        self._started = None
        self._tokens = ""
        self._set("")

    def show_activity(self, text: str, *, is_awaited: bool = False) -> None:
        """What is being done now. ``is_awaited``: it is the model that is waited for."""
        self._set(clean_line(text), is_awaited=is_awaited)

    def hear(self) -> None:
        """The model has sent something."""
        if self._heard is not None:
            self._heard = self._now()

    def show_waiting(self, who: str = "") -> None:
        """It is the user's turn: nothing moves until the answer. ``who``: the subagent that asks."""
        words = f"Waiting for your answer ({clean_line(who)})" if who else "Waiting for you"
        self._set(words, is_waiting=True, asks_alone=bool(who))

    def show_retry(self, what: str, seconds: float, attempt: str) -> None:
        """A countdown to the next attempt, and which of how many it will be."""
        self._attempt = attempt
        self._set(clean_line(what), retry_at=self._now() + seconds)

    def tell_stop(self, can_stop: bool) -> None:
        """Whether the key that interrupts does so where the user is now."""
        self._can_stop = can_stop
        self.update_lines()

    def show_tokens(self, text: str) -> None:
        """Tokens up and down in this turn."""
        self._tokens = text

    def show_item(self, text: str) -> None:
        """The todo item in progress."""
        self._item = clean_line(text)
        self.update_lines()

    def show_hint(self, text: str) -> None:
        """A short remark in place of the status while idle; empty takes it away."""
        self._hint = text
        self.update_lines()

    def clear_hint(self, text: str) -> None:
        """Take a remark away, unless another has taken its place."""
        if self._hint == text:
            self.show_hint("")

    def build(self, width: int) -> list[Line]:
        if self._hint:
            margin: Line = (("  ", "text"),)
            return wrap([(clean(self._hint), "caution")], width, first_prefix=margin, rest_prefix=margin)
        if self._started is None:
            return [(("", "text"),)]
        running = self._now() - self._started
        # Time that is not drawn anew would be wrong: none while it stands still.
        times = "" if self._is_waiting else elapsed(running)
        spans = self._what(FRAMES[int(running * FRAMES_PER_SECOND) % len(FRAMES)])
        # Beside a countdown it would read as a part of the reason.
        item = self._item if self._retry_at is None else ""
        stop = f"{key_text('session.interrupt', 'Ctrl+C')} to stop" if self._can_stop and not self._asks_alone else ""
        return [_arrange(spans, item, [times, self._tokens], stop, width)]

    def _what(self, frame: str) -> list[Span]:
        if self._retry_at is not None:
            left = max(0, ceil(self._retry_at - self._now()))
            again = f"again in {left} s" if left else "again now"
            attempt = f" · {self._attempt}" if self._attempt else ""
            return [(f"{frame} ", "accent"), (self._activity, "text"), (f" · {again}", "caution"), (attempt, "muted")]
        if self._is_waiting:
            return [("? ", "state.asking"), (self._activity, "state.asking")]
        silent = self._now() - self._heard if self._heard is not None else 0
        told: list[Span] = [(f" silent for {elapsed(silent)}", "caution")] if silent >= SILENT_S else []
        return [(f"{frame} ", "accent"), (f"{self._activity}…", "text"), *told]

    def _set(
        self,
        activity: str,
        *,
        is_waiting: bool = False,
        asks_alone: bool = False,
        is_awaited: bool = False,
        retry_at: float | None = None,
    ) -> None:
        self._activity, self._is_waiting, self._retry_at = activity, is_waiting, retry_at
        self._asks_alone = asks_alone
        self._heard = self._now() if is_awaited else None
        moves = self.is_busy and not is_waiting
        if moves and self._timer is None:
            self._timer = self.set_interval(1 / FRAMES_PER_SECOND, self.update_lines)
        elif not moves and self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.update_lines()


def _arrange(what: list[Span], item: str, details: list[str], stop: str, width: int) -> Line:
    """One line in which the key that stops is never cut. The item gives way first, then tokens, then what goes on."""
    some = [part for part in details if part]
    while some and line_width(what) + cell_len(_detail([*some, stop])) > width:
        if len(some) == 1 and width - cell_len(_detail([*some, stop])) >= MIN_ACTIVITY:
            break
        some.pop()
    tail: Span = (_detail([*some, stop]), "muted")
    room = width - cell_len(tail[0])
    left = truncate(tuple(what), max(1, room))
    free = room - line_width(left) - 1
    if item and free >= MIN_ITEM:
        left = (*left, *truncate(((f" {item}", "accent"),), free + 1))
    return (*left, tail)


def _detail(parts: list[str]) -> str:
    told = " · ".join(part for part in parts if part)
    return f"  ({told})" if told else ""
