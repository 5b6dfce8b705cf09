"""The menu above the composer: commands, or files to mention."""

from __future__ import annotations

from textual import events
from textual.message import Message

from tui.rendering.line import Line, line_width, pad, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.composer.items import Item, Menu
from tui.widgets.line_widget import LineWidget

MAX_ROWS = 8
DETAIL_GAP = 2


class CompletionMenu(LineWidget):
    """Not there while nothing is completed. Takes no keys: those reach the editor."""

    class Picked(Message):
        """A row was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="completion")
        self._menu = Menu()
        self._first = 0
        self._rows = MAX_ROWS
        self.display = False

    def show(self, menu: Menu | None) -> None:
        """Show these rows, or go away."""
        self._menu = menu or Menu()
        self.display = bool(self._menu.items or self._menu.note)
        self._rows = max(3, min(MAX_ROWS, self.screen.size.height // 3))
        chosen = max(0, self._menu.chosen)
        self._first = max(min(self._first, chosen), chosen - self._rows + 1)
        self._first = max(0, min(self._first, len(self._menu.items) - self._rows))
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        menu, last = self._menu, self._first + self._rows
        lines = [
            self._row(self._first + place, item, width) for place, item in enumerate(menu.items[self._first : last])
        ]
        if menu.note:
            lines.append(((f"  {clean_line(menu.note)}", "muted"),))
        elif len(menu.items) > self._rows:
            shown = f"{self._first + 1}–{min(last, len(menu.items))} of {len(menu.items)}"
            lines.append(((f"  {shown}", "faint"),))
        return lines

    def on_click(self, event: events.Click) -> None:
        place = self._first + event.y
        if event.y < self._rows and place < len(self._menu.items):
            self.post_message(self.Picked(place))

    def _row(self, place: int, item: Item, width: int) -> Line:
        is_chosen = place == self._menu.chosen
        line: Line = (("❯ ", "accent") if is_chosen else ("  ", "text"), *item.shown)
        room = width - line_width(line) - DETAIL_GAP
        if item.detail and room > DETAIL_GAP:
            line = (*line, (" " * DETAIL_GAP, "text"), *truncate(item.detail, room))
        line = truncate(line, width)
        if is_chosen:
            line = pad(tuple((text, f"{style} menu.chosen") for text, style in line), width, "menu.chosen")
        return line
