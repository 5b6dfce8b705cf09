"""A box over the window: a head, a body that scrolls, a foot that always stands, and a filter that is simply typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, ScreenResultType

from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget
from tui.widgets.wall import Walled

FRAME_ROWS = 5
"""Rows beside body and tail: the border, head, a blank line below it, foot."""


class _Rows(LineWidget):
    """Draws what its panel says."""

    def __init__(self, palette: Palette, part: str, panel: Panel[ScreenResultType]) -> None:
        super().__init__(palette, classes=f"panel-{part}")
        self._part = part
        self._panel = panel

    def build(self, width: int) -> list[Line]:
        match self._part:
            case "head":
                return [self._panel.head(width), ()]
            case "foot":
                return [*self._panel.tail(width), self._panel.foot(width)]
            case _:
                return self._panel.body(width)


class Panel(Walled, ModalScreen[ScreenResultType]):
    """Subclasses say what stands in head, body and foot; ``typed`` is the filter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="panel.close", tooltip="Close")]
    COLUMNS = 76
    """How wide the box is at most."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self.typed = ""
        self._head = _Rows(palette, "head", self)
        self._body = _Rows(palette, "body", self)
        self._foot = _Rows(palette, "foot", self)
        self._scroll = VerticalScroll(self._body, can_focus=False)
        self.box = Vertical(classes="panel")

    def compose(self) -> ComposeResult:
        with self.box:
            yield self._head
            yield self._scroll
            yield self._foot

    def head(self, width: int) -> Line:
        """The first line."""
        raise NotImplementedError

    def body(self, width: int) -> list[Line]:
        """What scrolls."""
        raise NotImplementedError

    def tail(self, width: int) -> list[Line]:
        """What stands still between body and foot."""
        return [()]

    def foot(self, width: int) -> Line:
        """The last line: how to leave."""
        raise NotImplementedError

    def wanted_rows(self, width: int) -> int:
        """Rows of the body where there is room for them: those of the whole list, for a filter must not make the box
        jump."""
        typed, self.typed = self.typed, ""
        rows = len(self.body(width))
        self.typed = typed
        return rows

    def filtered(self) -> None:
        """The filter has changed."""
        self.redraw()

    def redraw(self) -> None:
        """Draw all of it anew."""
        for part in (self._head, self._body, self._foot):
            part.update_lines()

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        for widget in self.query(LineWidget):
            widget.set_palette(palette)

    def show_row(self, row: int) -> None:
        """Scroll so that a row of the body is in view."""
        top, height = round(self._scroll.scroll_y), self._scroll.size.height
        if row < top or row >= top + height:
            self._scroll.scroll_to(y=row if row < top else row - height + 1, animate=False, immediate=True)

    def action_leave(self) -> None:
        """Close it."""
        self.dismiss()

    def on_resize(self) -> None:
        columns = min(self.COLUMNS, self.size.width - 2)
        self.box.styles.width = columns
        # Six columns are taken by border and padding.
        rows = self.wanted_rows(columns - 6)
        self._scroll.styles.height = max(1, min(rows, self.size.height - FRAME_ROWS - len(self.tail(columns))))

    def on_key(self, event: events.Key) -> None:
        page = max(1, self._scroll.size.height - 1)
        match event.key:
            case "pageup" | "pagedown":
                self._scroll.scroll_relative(y=-page if event.key == "pageup" else page, animate=False)
            case "backspace":
                self._type(self.typed[:-1])
            case "ctrl+u":
                self._type("")
            case _ if event.character is not None and event.is_printable:
                self._type(self.typed + event.character)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _type(self, text: str) -> None:
        if text != self.typed:
            self.typed = text
            self._scroll.scroll_home(animate=False, immediate=True)
            self.filtered()
