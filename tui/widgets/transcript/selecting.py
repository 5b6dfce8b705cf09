"""The mouse in the conversation: dragging selects text, a click acts, what is under the pointer is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.rendering.line import Line, line_width, plain
from tui.rendering.palette import Palette
from tui.widgets.transcript.drawing import GUTTER, Pencil
from tui.widgets.transcript.selection import Point, Selection, selected_text, whole_cells, word_at
from tui.widgets.transcript.viewport import Place
from tui.widgets.transcript.windowed import WindowedView

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block

EDGE_SCROLLS_PER_SECOND = 20
MORE = "…"


class SelectableView(WindowedView):
    """Selecting by mouse and keeping what is selected; points are cells of blocks, so new text moves nothing."""

    class CopyRequested(Message):
        """Text is to go to the clipboard; ``what`` names it for people."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self.selection: Selection | None = None
        self._anchor: Point | None = None
        self._is_dragging = False
        self._pointer = (0, 0)
        self._edge_timer: Timer | None = None
        self._hovered: int | None = None
        self._width_selected_at = 0

    @property
    def selected(self) -> str:
        """The selected text; empty where nothing is selected."""
        return selected_text(self.plan, self.selection) if self.selection else ""

    @property
    def is_edge_scrolling(self) -> bool:
        """Whether a drag beyond the edge scrolls."""
        return self._edge_timer is not None

    def unselect(self) -> None:
        """Nothing is selected any more."""
        if self.selection is not None:
            self.selection = None
            self.show_position()

    def drop(self, block: Block) -> None:
        at = self.plan.place(block.id)
        super().drop(block)
        if at is None:
            return
        self._hovered = None
        self.selection = self.selection and self.selection.without(at)
        if self._anchor is not None:
            self._anchor = None if self._anchor.at == at else self._anchor.shifted(at)

    def copy_selection(self) -> None:
        """Ask for the selected text to be copied."""
        text = self.selected
        if text:
            lines = text.count("\n") + 1
            self.post_message(self.CopyRequested(text, f"{lines} lines" if lines > 1 else f"{len(text)} characters"))

    def activate(self, at: int) -> None:
        """Do what a click on a block's head, or on what it hides, stands for."""

    # The mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1:
            return
        self._is_dragging = False
        if event.shift and self.selection is not None:
            self._anchor = self.selection.first
            self._drag_to(event.x, event.y)
            return
        self._anchor = self._point(event.x, event.y)
        self.unselect()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button != 1:
            # The button was let go where nobody told of it.
            self._end_drag()
        if self._anchor is None:
            self._hover(event.x, event.y)
            return
        self._drag_to(event.x, event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._end_drag()

    def on_mouse_release(self) -> None:
        """Something else takes the mouse: another screen in the middle of a drag, for one."""
        if self.app.mouse_captured is not self:  # pyright: ignore[reportUnknownMemberType]  as Textual has it
            self._stop_edge()
            self._anchor = None

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width_selected_at:
            # Rows and columns mean other text now.
            self._width_selected_at = event.size.width
            self._anchor = self.selection = None
            self._stop_edge()

    def on_leave(self) -> None:
        self._hover(-1, -1)

    def on_click(self, event: events.Click) -> None:
        if self._is_dragging:
            self._is_dragging = False
            return
        point = self._point(event.x, event.y)
        if point is None or event.button != 1:
            return
        if event.chain > 1:
            self._select_unit(point, is_word=event.chain == 2)
            return
        if event.y < len(self.viewport.rows) and self._is_target(point):
            self.activate(point.at)

    def _end_drag(self) -> None:
        self._stop_edge()
        if self._anchor is not None and self._is_dragging:
            self.release_mouse()
            self.copy_selection()
        self._anchor = None

    def _drag_to(self, x: int, y: int) -> None:
        self._pointer = (x, y)
        head = self._point(x, y)
        if self._anchor is None or head is None or (head == self._anchor and not self._is_dragging):
            return
        if not self._is_dragging:
            self._is_dragging = True
            self.capture_mouse()
        self.selection = Selection.between(self._anchor, head)
        if 0 <= y < self.viewport.height:
            self._stop_edge()
        elif self._edge_timer is None:
            self._edge_timer = self.set_interval(1 / EDGE_SCROLLS_PER_SECOND, self._scroll_at_edge)
        self.show_position()

    def _scroll_at_edge(self) -> None:
        x, y = self._pointer
        distance = y if y < 0 else y - self.viewport.height + 1
        before = self.viewport.top
        self.viewport.move(max(-5, min(5, distance)))
        self._drag_to(x, y)
        if self.viewport.top == before:
            self._stop_edge()

    def _stop_edge(self) -> None:
        if self._edge_timer is not None:
            self._edge_timer.stop()
            self._edge_timer = None

    def _select_unit(self, point: Point, *, is_word: bool) -> None:
        """Select a word, or a whole row."""
        line = self.line_at((point.at, point.row))
        if line is None:
            return
        start, end = word_at(line, point.column) if is_word else (0, line_width(line))
        if start < end:
            self.selection = Selection(Point(point.at, point.row, start), Point(point.at, point.row, end))
            self.show_position()
            self.copy_selection()

    def _point(self, x: int, y: int) -> Point | None:
        """The cell under the pointer; the nearest one where the pointer is outside."""
        rows = self.viewport.rows
        if not rows:
            return None
        at, row = rows[min(max(y, 0), len(rows) - 1)]
        column = max(0, x - GUTTER) if 0 <= y < len(rows) else (0 if y < 0 else self.plan.width)
        return Point(at, row, min(column, self.plan.width))

    def _is_target(self, point: Point) -> bool:
        """Whether a click there folds or unfolds: on the head, or on the remark that tells of more."""
        if not self.plan[point.at].block.is_foldable:
            return False
        line = self.line_at((point.at, point.row))
        if line is None:
            return False
        return point.row == self.plan[point.at].block.margin or plain(line).lstrip(" │").startswith(MORE)

    def _hover(self, x: int, y: int) -> None:
        hovered: int | None = None
        if 0 <= y < len(self.viewport.rows):
            point = self._point(x, y)
            if point is not None and self._is_target(point):
                hovered = point.at
        if hovered != self._hovered:
            self._hovered = hovered
            self.show_position()

    # Drawing

    def line_at(self, place: Place) -> Line | None:
        """The line of a row; None in a margin."""
        at, row = place
        number = row - self.plan[at].block.margin
        lines = self.plan.lines(at)
        return lines[number] if 0 <= number < len(lines) else None

    def decorate(self, strip: Strip, place: Place, line: Line | None, pencil: Pencil) -> Strip:
        if line is None:
            return strip
        at, row = place
        if at == self._hovered and row == self.plan[at].block.margin:
            strip = pencil.with_ranges(strip, [(0, line_width(line))], "hover")
        if self.selection is not None:
            columns = self.selection.columns(at, row, line_width(line))
            if columns is not None:
                strip = pencil.with_ranges(strip, [whole_cells(line, *columns)], "selection")
        return strip
