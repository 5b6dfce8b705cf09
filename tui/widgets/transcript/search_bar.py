"""The line where a search of the conversation is typed; it tells how many hits there are."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tui.widgets.wall import Walled


class SearchBar(Walled, Input):
    """Only there while a search is typed or its hits are gone through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="search.close", tooltip="End the search"),
        Binding("down", "move(1)", "Next hit", id="search.next", tooltip="Next hit"),
        Binding("up", "move(-1)", "Hit before", id="search.previous", tooltip="Hit before"),
    ]

    class Typed(Message):
        """The text to search for, empty for none."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Move(Message):
        """To the next hit (1) or the one before (-1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Closed(Message):
        """``keep`` where the hits stay to be gone through, else the search is over."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self) -> None:
        super().__init__(placeholder="Search the conversation", select_on_focus=True)
        self.display = False

    def open(self, text: str = "") -> None:
        """Show it and take the keys."""
        self.display = True
        if text and text != self.value:
            self.value = text
        elif self.value:
            self.post_message(self.Typed(self.value))
        # At once: what is typed in the same burst is meant for it.
        self.screen.set_focus(self)

    def close(self) -> None:
        """Take it away."""
        self.display = False

    def show_count(self, number: int, total: int) -> None:
        """Which hit of how many is shown."""
        if self.value:
            self.border_subtitle = f"{number} of {total}" if total else "not found"
        else:
            self.border_subtitle = ""

    def action_move(self, direction: int) -> None:
        """Another hit without leaving the line."""
        self.post_message(self.Move(direction))

    def action_close(self) -> None:
        """The search is over."""
        self.close()
        self.post_message(self.Closed(keep=False))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(keep=True))
