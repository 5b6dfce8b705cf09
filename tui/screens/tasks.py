"""All tasks of the session: what runs and what has run, of every kind; and what a command has given so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.timer import Timer

from core.protocol.ops import ReadTask, StopTask
from core.protocol.views import TaskInfo
from tui.dialogs.question import key_line
from tui.presenter.task_book import TaskBook
from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_copy
from tui.rendering.task_views import output_lines, task_row
from tui.screens.panel import Panel
from tui.screens.pick import PickPanel
from tui.screens.reports import ReportPanel
from tui.widgets.transcript.selecting import SelectableView

AGAIN_S = 1.0
"""How often clocks and output are brought up to date while something runs."""
ROWS = 14
"""Rows of the list at least: tasks come and go."""


class TasksScreen(PickPanel[TaskInfo]):
    """Gives the id of the task that was chosen. Those that run stand first."""

    COLUMNS = 116
    TITLE_TEXT = "Tasks"

    def __init__(self, palette: Palette, book: TaskBook, wall: Callable[[], float]) -> None:
        super().__init__(palette, _ordered(book))
        self._book = book
        self._wall = wall
        self._unwatch: Callable[[], None] = lambda: None

    def on_mount(self) -> None:
        self._unwatch = self._book.watch(self._refresh)
        self.set_interval(AGAIN_S, self.redraw)

    def on_unmount(self) -> None:
        self._unwatch()

    def wanted_rows(self, width: int) -> int:
        return max(ROWS, len(self._items))

    def name_of(self, item: TaskInfo) -> str:
        return f"{item.id} {item.kind} {item.status} {item.description} {item.command} {item.agent}"

    def row(self, item: TaskInfo, *, is_chosen: bool) -> tuple[Sequence[Span], Sequence[Span]]:
        left, right = task_row(item, self._wall())
        return ([*left[:-1], (left[-1][0], "strong")] if is_chosen else left), right

    def value_of(self, item: TaskInfo) -> str:
        return item.id

    def body(self, width: int) -> list[Line]:
        if not self._items:
            return [(("Nothing runs, and nothing has run: commands and agents are listed here.", "muted"),)]
        return super().body(width)

    def foot(self, width: int) -> Line:
        stops = "take away" if self.chosen is not None and self.chosen.is_over else "stop"
        return truncate(key_line((("Enter", "open"), ("Del", stops), ("Esc", "close"))), width)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("delete", "ctrl+d") or (event.key == "x" and not self.typed):
            event.stop()
            event.prevent_default()
            self._stop()
        else:
            super().on_key(event)

    def _stop(self) -> None:
        task = self.chosen
        if task is None:
            return
        if task.is_over:
            self._book.dismiss(task.id)
        else:
            self.post_message(ReportPanel.Wanted(StopTask(task_id=task.id)))

    def _refresh(self) -> None:
        """Other tasks: the mark stays with its task."""
        chosen = self.chosen
        self._items = _ordered(self._book)
        self.filtered()
        at = [task.id for task in self._shown].index(chosen.id) if chosen in self._shown else self.at
        self.go(at)
        self.on_resize()


class TaskOutputScreen(Panel[None]):
    """What a command has given so far, read again while it runs."""

    COLUMNS = 116

    def __init__(self, palette: Palette, book: TaskBook, task_id: str) -> None:
        super().__init__(palette)
        self._book = book
        self._task_id = task_id
        self._unwatch: Callable[[], None] = lambda: None
        self._again: Timer | None = None

    @property
    def _known(self) -> TaskInfo:
        known = next((task for task in self._book.tasks if task.id == self._task_id), None)
        return known or TaskInfo(id=self._task_id, description="gone", status="killed")

    def on_mount(self) -> None:
        self._unwatch = self._book.watch(self._changed)
        self._again = self.set_interval(AGAIN_S, self._read)
        self._read()

    def on_unmount(self) -> None:
        self._unwatch()

    def head(self, width: int) -> Line:
        left, right = task_row(self._known, 0.0)
        return truncate((*left, ("  ", "text"), *right), width)

    def body(self, width: int) -> list[Line]:
        return output_lines(self._known, self._book.outputs.get(self._task_id), width)

    def foot(self, width: int) -> Line:
        stop = [] if self._known.is_over else [("x", "stop")]
        return truncate(key_line((("Esc", "close"), ("↑ ↓", "scroll"), ("y", "copy"), *stop)), width)

    def wanted_rows(self, width: int) -> int:
        return max(ROWS, len(self.body(width)))

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "up" | "down":
                self._scroll.scroll_relative(y=-1 if event.key == "up" else 1, animate=False)
            case "home" | "end":
                (self._scroll.scroll_home if event.key == "home" else self._scroll.scroll_end)(animate=False)
            case "pageup" | "pagedown":
                super().on_key(event)
            case "y":
                output = self._book.outputs.get(self._task_id)
                text = clean_copy(output.text) if output is not None else ""
                self.post_message(SelectableView.CopyRequested(text, "output"))
            case "x" if not self._known.is_over:
                self.post_message(ReportPanel.Wanted(StopTask(task_id=self._task_id)))
            case "q" | "enter":
                self.dismiss()
            case _:
                return
        event.stop()
        event.prevent_default()

    def _read(self) -> None:
        self.post_message(ReportPanel.Wanted(ReadTask(task_id=self._task_id)))
        if self._known.is_over and self._again is not None:
            self._again.stop()

    def _changed(self) -> None:
        is_at_end = self._scroll.scroll_offset.y >= self._scroll.max_scroll_y
        self.redraw()
        self.on_resize()
        if is_at_end:
            self.call_after_refresh(self._scroll.scroll_end, animate=False, immediate=True)


def _ordered(book: TaskBook) -> list[TaskInfo]:
    return sorted(book.tasks, key=lambda task: task.is_over)
