"""The todo list: a panel at the side where there is room, one line above the status where there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.views import TodoItem

WIDE = 110
"""Columns from which the list has a panel of its own."""
ROOMY = 160
"""Columns from which the panel is a wide one."""


class _TodoWidget(LineWidget):
    def __init__(self, palette: Palette, id: str) -> None:
        super().__init__(palette, id=id)
        self._items: tuple[TodoItem, ...] = ()

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        self._items = items
        self.update_lines()


class TodoPanel(_TodoWidget):
    """The list, cut around the item in progress where it is longer than the panel."""

    DEFAULT_CSS = """
    TodoPanel {
        height: 1fr;
    }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, "todos")

    def build(self, width: int) -> list[Line]:
        from tui.rendering.todo_list import fitted_todos

        done = sum(item.status == "completed" for item in self._items)
        pending = sum(item.status == "pending" for item in self._items)
        head: Line = (
            ("Todo", "strong"),
            (f"  {done}/{len(self._items)} done", "muted"),
            (f" · {pending} open" if pending else "", "muted"),
        )
        return [head, (("", "text"),), *fitted_todos(self._items, width, max(1, self.size.height - 2))]

    def on_resize(self) -> None:
        self.update_lines()


class TodoLine(_TodoWidget):
    """The list in one line: how far it is, and the item in progress."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, "todo-line")

    def build(self, width: int) -> list[Line]:
        done = sum(item.status == "completed" for item in self._items)
        spans: list[Span] = [(f"☑ {done}/{len(self._items)}", "muted")]
        current = next((item for item in self._items if item.status == "in_progress"), None)
        upcoming = next((item for item in self._items if item.status == "pending"), None)
        if current is not None:
            spans.append((f"  ◐ {clean_line(current.active_form or current.content)}", "accent"))
        if upcoming is not None:
            spans.append((f"  then: {clean_line(upcoming.content)}", "faint"))
        return [truncate(tuple(spans), width)]


class TodoViews:
    """Panel and line as one: which of them stands where depends on the room, and on whether it is wanted."""

    def __init__(self, panel: TodoPanel, line: TodoLine, side: Widget) -> None:
        self._panel = panel
        self._line = line
        self._side = side
        self._has_items = False
        self._is_wanted = True
        self._columns = 0

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        self._has_items = bool(items)
        self._panel.show(items)
        self._line.show(items)
        self.place(self._columns)

    def toggle(self) -> None:
        """Hide the list, or show it again."""
        self._is_wanted = not self._is_wanted
        self.place(self._columns)

    def place(self, columns: int) -> None:
        """Lay out for a screen of that many columns."""
        self._columns = columns
        is_shown = self._has_items and self._is_wanted
        self._side.set_class(columns >= ROOMY, "-roomy")
        self._side.display = is_shown and columns >= WIDE
        self._line.display = is_shown and columns < WIDE
