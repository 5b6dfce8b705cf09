"""The todo list: a panel at the side where there is room, one line above the status where there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.views import TodoItem


class TodoPanel(LineWidget):
    """The whole list."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="todos")
        self._items: tuple[TodoItem, ...] = ()

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        self._items = items
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        from tui.rendering.tool_views import todo_lines

        done = sum(item.status == "completed" for item in self._items)
        head: Line = (("Todo", "strong"), (f"  {done}/{len(self._items)} done", "muted"))
        return [head, (("", "text"),), *todo_lines(self._items, width)]


class TodoLine(LineWidget):
    """The list in one line: how far it is, and the item in progress."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="todo-line")
        self._items: tuple[TodoItem, ...] = ()

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The list as it is now."""
        self._items = items
        self.update_lines()

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
