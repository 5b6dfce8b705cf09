"""A conversation with its search line: what the main screen, a sidechain and a replay show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget
from tui.widgets.transcript.search_bar import SearchBar
from tui.widgets.transcript.view import TranscriptView
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block


class _ReadingLine(LineWidget):
    """What the keys do while the conversation has them all."""

    def build(self, width: int) -> list[Line]:
        keys = (("q", "back"), ("/", "search"), ("n N", "hits"), ("{ }", "prompts"), ("y", "copy"), ("Enter", "fold"))
        spans: list[Span] = [("Reading", "strong accent")]
        for key, what in keys:
            spans += [(f"  {key} ", "key"), (what, "muted")]
        return [truncate(tuple(spans), width)]


class ConversationPane(Walled, Vertical):
    """Searching, and reading with everything unfolded."""

    DEFAULT_CSS = """
    ConversationPane {
        width: 1fr;
        height: 1fr;
    }
    """

    class Left(Message):
        """The keys go back to where the user types. ``is_done``: from the conversation itself, not from a search in it
        or from reading it unfolded."""

        def __init__(self, *, is_done: bool = False) -> None:
            super().__init__()
            self.is_done = is_done

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.view = TranscriptView(palette)
        self._search = SearchBar()
        self._reading_line = _ReadingLine(palette, classes="reading")
        self._reading_line.display = False
        self._folded_before: dict[str, bool] | None = None

    def compose(self) -> ComposeResult:
        yield self.view
        yield self._search
        yield self._reading_line

    def toggle_reading(self) -> bool:
        """Unfold everything and take the keys, or go back to how it was; whether it is being read now."""
        self._reading_line.display = self._folded_before is None
        if self._folded_before is None:
            self._folded_before = self.view.set_folded({block.id: False for block in self.view.blocks})
            self.screen.set_focus(self.view)
            return True
        self.view.set_folded(self._folded_before)
        self._folded_before = None
        self.post_message(self.Left())
        return False

    def search(self, text: str = "") -> None:
        """Open the search line."""
        self._search.open(text)

    def look_at(self, block: Block) -> None:
        """Show a block from its beginning, once what else changes with it is laid out too."""

        def begin() -> None:
            at = self.view.plan.place(block.id)
            if at is not None:
                self.view.viewport.put_first((at, block.margin))
                self.view.show_position()

        self.call_after_refresh(begin)

    def copy_answer(self) -> None:
        """Copy the newest words of the model."""
        answers = [block for block in self.view.blocks if block.is_answer]
        text = answers[-1].source if answers else ""
        self.post_message(TranscriptView.CopyRequested(text, "answer"))

    @on(TranscriptView.SearchRequested)
    def _search_requested(self) -> None:
        self.search()

    @on(SearchBar.Typed)
    def _search_typed(self, event: SearchBar.Typed) -> None:
        self.view.search(event.text)

    @on(SearchBar.Move)
    def _search_stepped(self, event: SearchBar.Move) -> None:
        self.view.action_find(event.direction)

    @on(SearchBar.Closed)
    def _search_left(self, event: SearchBar.Closed) -> None:
        if not event.keep:
            self.view.search("")
            self._search.close()
        if event.keep or self._folded_before is not None:
            self.screen.set_focus(self.view)
        else:
            self.post_message(self.Left())

    @on(TranscriptView.SearchMoved)
    def _search_moved(self, event: TranscriptView.SearchMoved) -> None:
        self._search.show_count(event.number, event.total)

    @on(TranscriptView.SearchEnded)
    def _search_ended(self) -> None:
        self._search.show_count(0, 0)
        if not self._search.has_focus:
            self._search.close()

    @on(TranscriptView.LeaveRequested)
    def _view_left(self) -> None:
        self._search.close()
        if self._folded_before is not None:
            self.toggle_reading()
        else:
            self.post_message(self.Left(is_done=True))
