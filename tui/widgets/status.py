"""The status line: what is going on, for how long, and the key that stops it. Empty and still when idle."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer

from tui.keymap import key_text
from tui.rendering.line import Line, Span, wrap
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean, clean_line
from tui.widgets.line_widget import LineWidget

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_PER_SECOND = 8


class StatusLine(LineWidget):
    """Runs a timer only while something happens."""

    def __init__(self, palette: Palette, now: Callable[[], float]) -> None:
        super().__init__(palette, id="status")
        self._now = now
        self._activity = ""
        self._item = ""
        self._tokens = ""
        self._started: float | None = None
        self._retry_at: float | None = None
        self._hint = ""
        self._timer: Timer | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return self._started is not None

    def begin(self) -> None:
        """A turn began."""
        self._started = self._now()
        self._activity = "Starting"
        if self._timer is None:
            self._timer = self.set_interval(1 / FRAMES_PER_SECOND, self.update_lines)
        self.update_lines()

    def end(self) -> None:
        """The turn is over: nothing moves any more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._started = self._retry_at = None
        self._activity = self._tokens = ""
        self.update_lines()

    def show_activity(self, text: str) -> None:
        """What is being done now."""
        self._activity, self._retry_at = clean_line(text), None
        self.update_lines()

    def show_retry(self, reason: str, seconds: float) -> None:
        """A countdown to the next attempt."""
        self._activity, self._retry_at = clean_line(reason), self._now() + seconds
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
        elapsed = self._now() - self._started
        frame = FRAMES[int(elapsed * FRAMES_PER_SECOND) % len(FRAMES)]
        spans: list[Span] = [(f"{frame} ", "accent")]
        if self._retry_at is not None:
            left = max(0, round(self._retry_at - self._now()))
            spans.append((f"{self._activity} Trying again in {left} s", "caution"))
        else:
            spans.append((f"{self._activity}…", "text"))
            if self._item:
                spans.append((f" {self._item}", "accent"))
        key = key_text("session.interrupt", "Ctrl+C")
        stop = f"{key} to stop"
        details = " · ".join(part for part in (f"{int(elapsed)}s", self._tokens, stop) if part)
        return [(*spans, (f"  ({details})", "muted"))]
