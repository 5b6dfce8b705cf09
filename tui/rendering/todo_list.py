"""A todo list or a task list that fits: cut around the item in progress where there are more lines than room."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.views import SharedTask, TodoItem
from tui.rendering.line import Line
from tui.rendering.tool_views import shared_task_rows, todo_lines

CONTEXT = 1
"""Items before the one in progress that are kept in view while there is room."""


def fitted_todos(items: tuple[TodoItem, ...], width: int, room: int) -> list[Line]:
    """At most ``room`` lines, with the item in progress among them, and how many items are out of view."""
    return _fitted([todo_lines((item,), width) for item in items], _current(items), room)


def fitted_tasks(tasks: tuple[SharedTask, ...], width: int, room: int) -> list[Line]:
    """The same for the tasks that the agents share."""
    rows = shared_task_rows(tasks, width)
    return _fitted(rows, _current(tasks), room)


def _fitted(rows: list[list[Line]], current: int, room: int) -> list[Line]:
    if sum(map(len, rows)) <= room or not rows:
        return [line for row in rows for line in row]
    first, last = _window(rows, current, max(1, room - 2))
    shown = [line for row in rows[first : last + 1] for line in row]
    above: list[Line] = [((f"… {first} above", "muted"),)] if first else []
    below: list[Line] = [((f"… {len(rows) - 1 - last} more", "muted"),)] if last < len(rows) - 1 else []
    return [*above, *shown, *below]


def _current(items: Sequence[TodoItem | SharedTask]) -> int:
    for status in ("in_progress", "pending"):
        for index, item in enumerate(items):
            if item.status == status:
                return index
    return len(items) - 1


def _window(rows: list[list[Line]], current: int, room: int) -> tuple[int, int]:
    """The first and the last item in view: a little before the current one, then what follows, then more before."""
    first = last = current
    left = room - len(rows[current])
    for limit in (max(0, current - CONTEXT), None, 0):
        if limit is None:
            while last + 1 < len(rows) and len(rows[last + 1]) <= left:
                last += 1
                left -= len(rows[last])
            continue
        while first > limit and len(rows[first - 1]) <= left:
            first -= 1
            left -= len(rows[first])
    return first, last
