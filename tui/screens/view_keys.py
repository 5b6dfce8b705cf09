"""What the keys of the conversation do: scroll, read, search, copy; and those of the todo list."""

from __future__ import annotations

from textual import on

from tui.screens.session_keys import SessionKeys
from tui.widgets.todo import TodoViews
from tui.widgets.transcript.pane import ConversationPane
from tui.widgets.transcript.view import TranscriptView


class ViewKeys(SessionKeys):
    """The part of the main screen that speaks of what it shows."""

    _pane: ConversationPane
    _transcript: TranscriptView
    _todos: TodoViews

    @property
    def pane_in_view(self) -> ConversationPane:
        """The conversation that the keys are about."""
        return self._pane

    def action_toggle_todos(self) -> None:
        """Show or hide the todo list."""
        self._todos.toggle()

    def action_transcript(self) -> None:
        """Read the conversation with everything unfolded, or go back to how it was."""
        self.set_class(self.pane_in_view.toggle_reading(), "-reading")

    def action_search(self, text: str = "") -> None:
        """Search the conversation."""
        self.pane_in_view.search(text)

    def action_copy_last(self) -> None:
        """Copy the newest answer as Markdown."""
        self.pane_in_view.copy_answer()

    @on(ConversationPane.Left)
    def _conversation_left(self) -> None:
        self.remove_class("-reading")
        self.set_focus(self.composer)

    def action_page(self, direction: int) -> None:
        """Scroll what a question is about, or where all of that is in view the conversation."""
        if not (self.dock.has_keys and self.dock.scroll_body(direction)):
            self.pane_in_view.view.scroll_page(direction)

    def action_edge(self, direction: int) -> None:
        """To the beginning or the end of the conversation."""
        self.pane_in_view.view.scroll_edge(direction)
