"""The line below a tile in which its agent is written to."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.widgets import Input

from core.protocol.agent_views import AgentInfo
from tui.widgets.wall import Walled

NEWLINE = "↵"
"""Stands for a newline of a pasted text."""


class MessageLine(Walled, Input):
    """Keeps what was typed until it is sent. Newlines of a paste are shown by a sign and sent as newlines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="agents.unwrite", tooltip="Back to the agent's conversation"),
    ]

    # A longer text is no reason to lay out the screen anew, at each key.
    virtual_size = Reactive(Size(0, 0), layout=False)

    class Written(Message):
        """A message is to be sent."""

        def __init__(self, line: MessageLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

    class Left(Message):
        """The keys go back to the conversation."""

        def __init__(self, line: MessageLine) -> None:
            super().__init__()
            self.line = line

    def __init__(self, text: str = "") -> None:
        super().__init__(text, select_on_focus=False)
        # Blinking would write to the terminal for ever, also when nothing happens.
        self.cursor_blink = False

    def tell(self, info: AgentInfo) -> None:
        """Say what will become of a message."""
        if info.is_over:
            words = "m: write to it; it goes on with that, with all it knows"
        elif info.status == "pending":
            words = "m: write to it; read when it starts"
        else:
            words = "m: write to it; read after its running tools"
        if words != self.placeholder:
            self.placeholder = words

    def action_leave(self) -> None:
        """Back, with the draft kept."""
        self.post_message(self.Left(self))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.replace(NEWLINE, "\n").strip()
        if text:
            self.value = ""
            self.post_message(self.Written(self, text))
        self.action_leave()

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(NEWLINE.join(event.text.strip().splitlines()))
