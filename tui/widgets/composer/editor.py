"""The input: an editor that sends on Enter and remembers what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui.keymap import COMPOSER_KEYS, bindings
from tui.rendering.sanitize import clean
from tui.widgets.composer.history import History
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.views import Lane

MAX_LINES = 10


class Composer(Walled, TextArea):
    """Grows with its text up to ``MAX_LINES`` lines."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 12;
        padding: 0 1;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = bindings(COMPOSER_KEYS[1:])
    ALLOW_MAXIMIZE: ClassVar[bool | None] = False

    class Submitted(Message):
        """The user sends a prompt."""

        def __init__(self, text: str, lane: Lane) -> None:
            super().__init__()
            self.text = text
            self.lane: Lane = lane

    class Typing(Message):
        """The user has begun to type."""

    class TakeBack(Message):
        """The user wants the queued messages back in the editor."""

    class ChooseQueued(Message):
        """The user goes to the queued messages."""

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder="Ask, or tell it what to do",
        )
        # A cursor that blinks would write to the terminal for ever.
        self.cursor_blink = False
        self.prompts = History()
        self.has_queue = False
        """Whether messages wait that ``↑`` can take back."""
        self.is_busy = False
        """Whether a turn runs, so that a prompt can be sent after it."""

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self._enter()
        elif event.is_printable and not self.text:
            self.post_message(self.Typing())

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert(clean(event.text.replace("\r\n", "\n").replace("\r", "\n")))

    def action_newline(self) -> None:
        """Start a new line."""
        self.insert("\n")

    def action_follow_up(self) -> None:
        """Send after the running turn; with nothing to send or to wait for, on to the next widget."""
        if self.is_busy and self.text.strip():
            self._send("follow_up")
        else:
            self.screen.focus_next()

    def action_choose_queued(self) -> None:
        """To the queued messages, where there are any."""
        if self.has_queue:
            self.post_message(self.ChooseQueued())

    def action_older(self) -> None:
        """Up: in the text first, then to older prompts."""
        if self.cursor_location[0] > 0 or self._is_wrapped_above:
            self.action_cursor_up()
        elif self.has_queue and not self.text.strip():
            self.post_message(self.TakeBack())
        else:
            self._recall(self.prompts.older(self.text))

    def action_newer(self) -> None:
        """Down: in the text first, then to newer prompts."""
        if self.cursor_location[0] < self.document.line_count - 1 or self._is_wrapped_below:
            self.action_cursor_down()
        else:
            self._recall(self.prompts.newer())

    def put(self, text: str) -> None:
        """Replace what is in the editor; the cursor goes to the end."""
        self.text = text
        self.move_cursor(self.document.end)

    def give_back(self, text: str) -> None:
        """Add a text at the end, below a draft where there is one."""
        self.put(f"{self.text}\n{text}" if self.text.strip() else text)

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document[row][:column].endswith("\\"):
            self.action_delete_left()
            self.insert("\n")
            return
        self._send("steer")

    def _send(self, lane: Lane) -> None:
        text = self.text.strip()
        if text:
            self.prompts.add(text)
            self.text = ""
            self.post_message(self.Submitted(text, lane))

    def _recall(self, text: str | None) -> None:
        if text is not None:
            self.put(text)

    @property
    def _is_wrapped_above(self) -> bool:
        return self.wrapped_document.location_to_offset(self.cursor_location).y > 0

    @property
    def _is_wrapped_below(self) -> bool:
        offset = self.wrapped_document.location_to_offset(self.cursor_location)
        return offset.y < self.wrapped_document.height - 1
