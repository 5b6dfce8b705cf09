"""Messages that wait for their turn, above the composer: shown, and with the focus chosen, changed and reordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from tui.keymap import QUEUE_KEYS, bindings
from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.ops import Op
    from core.protocol.views import QueuedMessage

MAX_SHOWN = 4
ROWS = 24
"""Rows of a screen below which one line must do."""
SIGNS = {"steer": "↪ next step", "follow_up": "⏎ after the turn"}
"""How each kind is told: by sign and by word."""
AT_REST = (("↑", " takes it back · "), ("Alt+↑", " chooses"))
CHOOSING = (("Enter", " edits · "), ("Del", " removes · "), ("Alt+↑↓", " moves · "), ("Esc", " back"))


class QueueLane(LineWidget, can_focus=True):
    """One line a message; not there when nothing waits."""

    BINDINGS = bindings(QUEUE_KEYS)

    class Wanted(Message):
        """The queue is to be changed."""

        def __init__(self, op: Op) -> None:
            super().__init__()
            self.op = op

    class TakenBack(Message):
        """A text goes back to the composer, which gets the keys."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="queue")
        self.items: tuple[QueuedMessage, ...] = ()
        self._chosen = ""
        self.display = False

    def show(self, items: tuple[QueuedMessage, ...]) -> None:
        """The queue as it is now; the choice stays with its message, or goes to the one in its place."""
        at = self._at
        self.items = items
        if items and all(item.id != self._chosen for item in items):
            self._chosen = items[min(at, len(items) - 1)].id
        had_focus = self.has_focus
        self.display = bool(items)
        self.update_lines()
        if had_focus and not items:
            self.post_message(self.TakenBack(""))

    def take_all(self) -> None:
        """Everything back to the composer, one message a line.

        Where a shell line is among them only the last one: joined to a prompt it would be none any more.
        """
        self._take_back(self.items[-1:] if any(item.is_line for item in self.items) else self.items)

    def build(self, width: int) -> list[Line]:
        if not self.items:
            return []
        if self.screen.size.height < ROWS:
            return [self._only_line(width)]
        first = min(max(0, self._at - MAX_SHOWN + 1), max(0, len(self.items) - MAX_SHOWN)) if self.has_focus else 0
        shown = self.items[first : first + MAX_SHOWN]
        lines = [self._line(item, width) for item in shown]
        hidden = len(self.items) - len(shown)
        if hidden:
            lines.append(((f"    … {hidden} more", "muted"),))
        hint: list[Span] = [("    ", "faint")]
        for key, words in CHOOSING if self.has_focus else AT_REST:
            hint += [(key, "key"), (words, "faint")]
        return [*lines, truncate(tuple(hint), width)]

    def _only_line(self, width: int) -> Line:
        """All that a short screen has room for: one message, and how many there are beside it."""
        rest = len(self.items) - 1
        tail: Span = (f" … {rest} more" if rest else "", "muted")
        at = self._at if self.has_focus else 0
        return (*self._line(self.items[at], width - len(tail[0])), tail)

    def _line(self, item: QueuedMessage, width: int) -> Line:
        is_chosen = self.has_focus and item.id == self._chosen
        mark: Span = ("❯ ", "accent") if is_chosen else ("  ", "text")
        text: Span = (clean_line(item.text), "strong" if is_chosen else "text")
        return truncate((mark, (f"{SIGNS[item.lane]}: ", "caution"), text), width)

    def choose_last(self) -> None:
        """Take the keys, from below."""
        if self.items:
            self._chosen = self.items[-1].id
            self.focus()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.update_lines()

    def on_click(self, event: events.Click) -> None:
        if self.screen.size.height >= ROWS and event.y < min(MAX_SHOWN, len(self.items)):
            self._chosen = self.items[event.y].id
        self.focus()
        self.update_lines()

    def action_choose(self, direction: int) -> None:
        """The message above or below; beyond the last one the composer."""
        at = self._at + direction
        if at >= len(self.items):
            self.action_leave()
        elif at >= 0:
            self._chosen = self.items[at].id
            self.update_lines()

    def action_edit(self) -> None:
        """Back to the composer with it."""
        self._take_back(self.items[self._at : self._at + 1])

    def action_remove(self) -> None:
        """Away with it."""
        from core.protocol.ops import EditQueued

        if self.items:
            self.post_message(self.Wanted(EditQueued(message_id=self.items[self._at].id, text="")))

    def action_move(self, by: int) -> None:
        """Earlier or later among those of its kind."""
        from core.protocol.ops import MoveQueued

        if self.items:
            self.post_message(self.Wanted(MoveQueued(message_id=self.items[self._at].id, by=by)))

    def action_leave(self) -> None:
        """Back to the composer."""
        self.post_message(self.TakenBack(""))

    def _take_back(self, items: tuple[QueuedMessage, ...]) -> None:
        from core.protocol.ops import EditQueued

        for item in items:
            self.post_message(self.Wanted(EditQueued(message_id=item.id, text="")))
        self.post_message(self.TakenBack("\n".join(item.text for item in items)))

    @property
    def _at(self) -> int:
        return next((index for index, item in enumerate(self.items) if item.id == self._chosen), 0)
