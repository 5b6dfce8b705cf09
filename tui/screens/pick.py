"""A panel with a list in which one row is chosen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from textual import events
from textual.fuzzy import FuzzySearch

from tui.rendering.line import Line, Span, line_width
from tui.rendering.palette import Palette
from tui.screens.panel import Panel

Item = TypeVar("Item")


class PickPanel(Panel[str | None], Generic[Item]):
    """Gives the value of the row on which Enter was pressed or that was clicked; None for Esc."""

    TITLE_TEXT = ""
    HINT = "type to filter"

    def __init__(self, palette: Palette, items: Sequence[Item]) -> None:
        super().__init__(palette)
        self._items = list(items)
        self._shown = list(items)
        self._search = FuzzySearch()
        self.at = 0

    @abstractmethod
    def name_of(self, item: Item) -> str:
        """What the filter looks at."""

    @abstractmethod
    def row(self, item: Item, *, is_chosen: bool) -> tuple[Sequence[Span], Sequence[Span]]:
        """What stands at the left and at the right of its row."""

    @abstractmethod
    def value_of(self, item: Item) -> str:
        """What the panel gives for it."""

    def moved(self, item: Item) -> None:
        """Another row is marked."""

    @property
    def chosen(self) -> Item | None:
        """The marked item; None where the filter leaves none."""
        return self._shown[self.at] if self._shown else None

    def head(self, width: int) -> Line:
        typed: list[Span] = [(self.typed, "strong"), ("▏", "accent")] if self.typed else [(self.HINT, "muted")]
        return ((f"{self.TITLE_TEXT}  ", "heading"), *typed)

    def body(self, width: int) -> list[Line]:
        shown = self._shown if self.typed else self._items
        if not shown:
            return [((f"Nothing matches {self.typed!r}.", "muted"),)]
        lines: list[Line] = []
        for at, item in enumerate(shown):
            left, right = self.row(item, is_chosen=at == self.at)
            mark: Span = ("❯ ", "accent") if at == self.at else ("  ", "text")
            gap = width - 2 - line_width(left) - line_width(right)
            tail = [(" " * gap, "text"), *right] if gap > 0 else []
            lines.append((mark, *left, *tail))
        return lines

    def foot(self, width: int) -> Line:
        return (("Enter", "key"), (" chooses   ", "muted"), ("Esc", "key"), (" closes this", "muted"))

    def filtered(self) -> None:
        if self.typed:
            scored = [(self._search.match(self.typed, self.name_of(item))[0], item) for item in self._items]
            self._shown = [item for score, item in sorted(scored, key=lambda pair: -pair[0]) if score > 0]
        else:
            self._shown = list(self._items)
        self.go(0)

    def go(self, at: int) -> None:
        """Mark a row."""
        self.at = max(0, min(at, len(self._shown) - 1))
        self.redraw()
        self.show_row(self.at)
        if self.chosen is not None:
            self.moved(self.chosen)

    def on_key(self, event: events.Key) -> None:
        page = max(1, self._scroll.size.height - 1)
        steps = {"up": -1, "down": 1, "ctrl+p": -1, "ctrl+n": 1, "pageup": -page, "pagedown": page}
        if event.key in ("up", "down", "ctrl+p", "ctrl+n") and self._shown:
            self.go((self.at + steps[event.key]) % len(self._shown))
        elif event.key in steps:
            self.go(self.at + steps[event.key])
        elif event.key in ("home", "end"):
            self.go(0 if event.key == "home" else len(self._shown) - 1)
        elif event.key == "enter":
            self._take()
        else:
            super().on_key(event)
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """A click on a row takes it; one beside the box closes it."""
        row = event.get_content_offset(self._body)
        if row is not None and event.screen_offset in self._scroll.region:
            if row.y < len(self._shown):
                self.go(row.y)
                self._take()
        elif event.screen_offset not in self.box.region:
            self.action_leave()

    def action_leave(self) -> None:
        self.dismiss(None)

    def _take(self) -> None:
        if self.chosen is not None:
            self.dismiss(self.value_of(self.chosen))
