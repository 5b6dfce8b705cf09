"""Todo list and shared tasks: a panel at the side where there is room, one line above the status where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.views import SharedTask, TodoItem

BLANK: Line = (("", "text"),)
WIDE = 110
"""Columns from which the list has a panel of its own."""
ROOMY = 160
"""Columns from which the panel is a wide one."""


class _TodoWidget(LineWidget):
    def __init__(self, palette: Palette, id: str) -> None:
        super().__init__(palette, id=id)
        self._items: tuple[TodoItem, ...] = ()
        self._tasks: tuple[SharedTask, ...] = ()

    def show(self, items: tuple[TodoItem, ...], tasks: tuple[SharedTask, ...]) -> None:
        """The lists as they are now."""
        self._items, self._tasks = items, tasks
        self.update_lines()


class TodoPanel(_TodoWidget):
    """The list, and below it the shared tasks, each cut around what is in progress where it is too long."""

    DEFAULT_CSS = """
    TodoPanel {
        height: 1fr;
    }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, "todos")

    def build(self, width: int) -> list[Line]:
        from tui.rendering.todo_list import fitted_tasks, fitted_todos

        room = self.size.height
        lines: list[Line] = []
        if self._items:
            # The agent's own list may take half of the panel, and what the other does not need.
            own_room = max(room // 2, room - len(self._tasks) - 3) if self._tasks else room
            lines += [_head("Todo", self._items), BLANK, *fitted_todos(self._items, width, max(1, own_room - 2))]
        if self._tasks:
            lines += [BLANK] if lines else []
            left = max(1, room - len(lines) - 2)
            lines += [_head("Shared tasks", self._tasks), BLANK, *fitted_tasks(self._tasks, width, left)]
        return lines

    def on_resize(self) -> None:
        self.update_lines()


def _head(title: str, items: Sequence[TodoItem | SharedTask]) -> Line:
    """What the list is, and how far it has come."""
    done, pending = _count(items, "completed"), _count(items, "pending")
    return (
        (title, "strong"),
        (f"  {done}/{len(items)} done", "muted"),
        (f" · {pending} open" if pending else "", "muted"),
    )


def _count(items: Sequence[TodoItem | SharedTask], status: str) -> int:
    return sum(item.status == status for item in items)


class TodoLine(_TodoWidget):
    """The lists in one line: how far they are, and the item in progress."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, "todo-line")

    def build(self, width: int) -> list[Line]:
        spans: list[Span] = []
        if self._items:
            spans.append((f"☑ {_count(self._items, 'completed')}/{len(self._items)}", "muted"))
        if self._tasks:
            gap = "  " if spans else ""
            spans.append((f"{gap}tasks {_count(self._tasks, 'completed')}/{len(self._tasks)}", "muted"))
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
        self._items: tuple[TodoItem, ...] = ()
        self._tasks: tuple[SharedTask, ...] = ()
        self._is_wanted = True
        self._columns = 0

    def show(self, items: tuple[TodoItem, ...]) -> None:
        """The todo list as it is now."""
        self._items = items
        self._update()

    def show_shared(self, tasks: tuple[SharedTask, ...]) -> None:
        """The tasks that the agents share as they are now."""
        self._tasks = tasks
        self._update()

    def _update(self) -> None:
        self._panel.show(self._items, self._tasks)
        self._line.show(self._items, self._tasks)
        self.place(self._columns)

    def toggle(self) -> None:
        """Hide the list, or show it again."""
        self._is_wanted = not self._is_wanted
        self.place(self._columns)

    def place(self, columns: int) -> None:
        """Lay out for a screen of that many columns."""
        self._columns = columns
        is_shown = bool(self._items or self._tasks) and self._is_wanted
        self._side.set_class(columns >= ROOMY, "-roomy")
        self._side.display = is_shown and columns >= WIDE
        self._line.display = is_shown and columns < WIDE
