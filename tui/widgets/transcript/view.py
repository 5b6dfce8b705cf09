"""The conversation: its prompts, search, and the way back to the end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.keymap import TRANSCRIPT_KEYS, bindings, key_text
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.widgets.transcript.drawing import Pencil
from tui.widgets.transcript.reading import ReadableView
from tui.widgets.transcript.scrollbar import show_marks
from tui.widgets.transcript.search import Search
from tui.widgets.transcript.viewport import Place

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block

MAX_MARKS = 400
"""More hits than this are not marked one by one: the bar has no room for them."""


class TranscriptView(ReadableView):
    """One conversation: the main one, a sidechain, or a replay."""

    BINDINGS = bindings(TRANSCRIPT_KEYS)

    class SearchRequested(Message):
        """The reader wants to type a search."""

    class LeaveRequested(Message):
        """The reader wants to go back to the input."""

    class SearchMoved(Message):
        """Another hit, or none: ``number`` of ``total``."""

        def __init__(self, number: int, total: int) -> None:
            super().__init__()
            self.number = number
            self.total = total

    class SearchEnded(Message):
        """Nothing is searched for any more."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._prompts: list[int] = []
        self._search: Search | None = None
        self._marks_key: tuple[object, ...] = ()
        self._marked_total = 0

    def append(self, block: Block) -> None:
        if block.is_prompt:
            self._prompts.append(len(self.plan))
        super().append(block)

    def drop(self, block: Block) -> None:
        at = self.plan.place(block.id)
        if at is None:
            return
        super().drop(block)
        if self._search is not None:
            self._search.drop(at)
        self._prompts = [place - (place > at) for place in self._prompts if place != at]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # With no block chosen the key is for whoever else wants it.
        return action != "fold" or self.cursor is not None

    def action_prompt(self, direction: int) -> None:
        """To the prompt before or after, put at the top of the view."""
        in_view = {at for at, _ in self.viewport.rows}
        here = self.cursor if self.cursor in in_view else self.viewport.top[0]
        at = bisect_left(self._prompts, here) - 1 if direction < 0 else bisect_right(self._prompts, here)
        if 0 <= at < len(self._prompts):
            self.cursor = self._prompts[at]
            self.viewport.put_first((self.cursor, 0))
            self.show_position()

    def action_scroll(self, pages: float) -> None:
        """Scroll by parts of a page."""
        self.scroll_lines(round(pages * self.viewport.height))

    def action_edge(self, direction: int) -> None:
        """To the beginning or the end."""
        self.scroll_edge(direction)

    def action_search(self) -> None:
        """Type what to search."""
        self.post_message(self.SearchRequested())

    def action_leave(self) -> None:
        """Let go of the selection, then of the search, then of the keys."""
        if self.selection is not None:
            self.unselect()
        elif self._search is not None:
            self.search("")
        else:
            self.post_message(self.LeaveRequested())

    # Search

    def search(self, query: str) -> None:
        """Search for a text, from what is in view on; an empty one ends the search."""
        self._search = Search(self.plan, query) if query else None
        self.action_find(1)

    def action_find(self, direction: int) -> None:
        """To the next hit, or to the one before."""
        search = self._search
        if search is None:
            self.post_message(self.SearchEnded())
            self.show_position()
            return
        place = search.step(direction, self.viewport.top)
        if place is not None:
            self.viewport.reveal(place, margin=3)
            self.cursor = place[0]
        self.show_position()
        self.post_message(self.SearchMoved(search.number, search.total))

    # Textual

    def on_click(self, event: events.Click) -> None:
        if self._is_behind and event.y == self.viewport.height - 1 and not self._is_dragging:
            self.scroll_edge(1)
        else:
            super().on_click(event)
        event.prevent_default()

    def on_focus(self) -> None:
        self.show_position()

    def on_blur(self) -> None:
        self.show_position()

    def show_position(self) -> None:
        super().show_position()
        self._show_marks()

    # Drawing

    def decorate(self, strip: Strip, place: Place, line: Line | None, pencil: Pencil) -> Strip:
        strip = super().decorate(strip, place, line, pencil)
        if self._search is not None and line is not None:
            style = "search.current" if place == self._search.current else "search"
            strip = pencil.with_ranges(strip, self._search.columns(line), style)
        if place[0] == self.cursor and self.has_focus and line is not None:
            strip = pencil.with_bar(strip)
        return strip

    def footer_strip(self, pencil: Pencil) -> Strip | None:
        if not self._is_behind:
            return None
        fresh = len(self.plan) - self._seen_blocks
        key = key_text("view.bottom", "click")
        return pencil.centered(f" ↓ {fresh} new · {key} " if fresh > 0 else f" ↓ {key} to follow ", "badge")

    @property
    def _is_behind(self) -> bool:
        return not self.viewport.following and self.viewport.is_full

    def _show_marks(self) -> None:
        """Mark prompts and hits on the scrollbar; made anew only where they would move by a cell."""
        total, height = self.plan.heights.total, self.viewport.height
        hits = self._search.blocks if self._search is not None else []
        key = (len(self._prompts), len(hits), self._search and self._search.query, height, self._palette)
        if not total or (key == self._marks_key and abs(total - self._marked_total) * height < total):
            return
        self._marks_key, self._marked_total = key, total
        marks: dict[int, Style] = {}
        for places, name in ((self._prompts, "muted"), (hits, "caution")):
            style = self._palette.style(name)
            for at in places[-MAX_MARKS:]:
                marks[self.plan.heights.top(at) * height // total] = style
        show_marks(self.vertical_scrollbar, marks if self.viewport.is_full else {})
