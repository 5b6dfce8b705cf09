"""The kinds of agents that can be started, where each comes from, and what is wrong with files that were left out."""

from __future__ import annotations

from collections.abc import Callable

from textual import events

from tui.dialogs.question import key_line
from tui.presenter.sidechains import Sidechains
from tui.rendering.line import Line, truncate
from tui.rendering.palette import Palette
from tui.rendering.tile_views import kind_lines
from tui.screens.panel import Panel


class KindsScreen(Panel[None]):
    """Typing filters; keeps up with the files."""

    COLUMNS = 110

    def __init__(self, palette: Palette, sidechains: Sidechains) -> None:
        super().__init__(palette)
        self._sidechains = sidechains
        self._unwatch: Callable[[], None] = lambda: None

    def on_mount(self) -> None:
        self._unwatch = self._sidechains.watch(self.redraw)

    def on_unmount(self) -> None:
        self._unwatch()

    def head(self, width: int) -> Line:
        count = len(self._sidechains.kinds)
        typed = self.typed or "type to filter"
        return truncate((("Kinds of agents  ", "heading"), (f"{count}  ", "muted"), (typed, "muted")), width)

    def body(self, width: int) -> list[Line]:
        words = self.typed.lower().split()
        kinds = [
            kind
            for kind in self._sidechains.kinds
            if all(word in f"{kind.name} {kind.description} {kind.layer} {kind.source}".lower() for word in words)
        ]
        return kind_lines(kinds, self._sidechains.problems, width)

    def foot(self, width: int) -> Line:
        return truncate(key_line((("Esc", "close"), ("↑ ↓", "scroll"))), width)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down"):
            event.stop()
            self._scroll.scroll_relative(y=-1 if event.key == "up" else 1, animate=False)
        elif event.key == "enter":
            event.stop()
            self.dismiss()
        else:
            super().on_key(event)
