"""The bottom line: permission mode and keys at the left; context gauge, cache share and cost at the right."""

from __future__ import annotations

from tui.keymap import key_text
from tui.rendering.amounts import tokens
from tui.rendering.line import Line, Span, line_width
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget

BAR_CELLS = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"
CAUTION, DANGER = 0.7, 0.9
"""Shares of the window at which the gauge changes its colour."""

MODE_WORDS = {
    "default": "asks before changes",
    "acceptEdits": "accepts edits",
    "plan": "plan mode: read-only",
    "bypassPermissions": "asks nothing",
}
MODE_SIGNS = {"default": "◆", "acceptEdits": "▸▸", "plan": "◇", "bypassPermissions": "⚠"}


class Footer(LineWidget):
    """One line, always there."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="footer")
        self._mode = "default"
        self._used = 0
        self._window = 0
        self._cache = ""
        self._cost = ""
        self._tasks = 0

    def show_mode(self, mode: str) -> None:
        """The permission mode."""
        self._mode = mode
        self.update_lines()

    def show_window(self, window: int) -> None:
        """Size of the context window, tokens."""
        self._window = window
        self.update_lines()

    def show_usage(self, used: int, window: int, cache: str, cost: str) -> None:
        """How full the window is, the cache share of the last request, the cost of the session."""
        self._used, self._window, self._cache, self._cost = used, window, cache, cost
        self.update_lines()

    def show_tasks(self, running: int) -> None:
        """How many background tasks run."""
        self._tasks = running
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        left: list[Span] = [(f"{MODE_SIGNS[self._mode]} {MODE_WORDS[self._mode]}", f"mode.{self._mode}")]
        keys: list[Span] = _key("session.mode", "mode") + _key("session.help", "keys")
        if self._tasks:
            left.append((f"  {self._tasks} in background", "caution"))
        right = self._gauge()
        # What gives way on a narrow screen, in this order.
        none: list[Span] = []
        candidates = [(keys, right), (keys[-2:], right), (keys[-2:], right[:3]), (none, right[:2])]
        for some_keys, some_right in candidates:
            gap = width - line_width(left) - line_width(some_keys) - line_width(some_right)
            if gap >= 1:
                return [(*left, *some_keys, (" " * gap, "text"), *some_right)]
        return [tuple(left)]

    def _gauge(self) -> list[Span]:
        share = min(1.0, self._used / self._window) if self._window else 0.0
        style = "bad" if share >= DANGER else "caution" if share >= CAUTION else "good"
        spans: list[Span] = [
            (f"▕{_bar(share)}▏", style),
            (f"{share * 100:.0f}%", style),
        ]
        if self._window:
            spans.append((f" {tokens(self._used)}/{tokens(self._window)}", "muted"))
        if self._cache:
            spans.append((f" · {self._cache}", "muted"))
        if self._cost:
            spans.append((f" · {self._cost}", "muted"))
        return spans


def _key(key_id: str, what: str) -> list[Span]:
    """A key and what it does; nothing where the user has taken the key away."""
    text = key_text(key_id)
    return [(f"  {text}", "key"), (f" {what}", "muted")] if text else []


def _bar(share: float) -> str:
    eighths = round(share * BAR_CELLS * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (EIGHTHS[rest] if rest else "")
    return text.ljust(BAR_CELLS)
