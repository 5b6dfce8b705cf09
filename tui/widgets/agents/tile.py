"""One agent: its head, its live conversation, the line in which it is written to."""

from __future__ import annotations

from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from core.protocol.agent_views import AgentInfo
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.rendering.tile_views import Head
from tui.widgets.agents.message_line import MessageLine
from tui.widgets.line_widget import LineWidget
from tui.widgets.sized import Sized
from tui.widgets.transcript.pane import ConversationPane
from tui.widgets.transcript.view import TranscriptView
from tui.widgets.wall import Walled

LOW = 8
"""Rows of a tile below which its message line is only there while it is used."""


class Source(Protocol):
    """Where the blocks of a conversation come from: see ``Feed``."""

    def attach(self, view: TranscriptView) -> None: ...
    def detach(self, view: TranscriptView) -> None: ...


class TileHead(LineWidget):
    """Two lines about the agent, brought up to date by the clock too."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, classes="tile-head")
        self._head: Head | None = None

    def show(self, head: Head) -> None:
        """What it is at now."""
        self._head = head
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        return self._head.lines(width) if self._head is not None else [(), ()]


class AgentTile(Walled, Sized, Vertical):
    """Shows the conversation while it is mounted, and not a moment longer."""

    DEFAULT_CSS = """
    AgentTile {
        width: 1fr;
        height: 1fr;
    }
    """

    class Touched(Message):
        """A click in a tile."""

        def __init__(self, agent_id: str) -> None:
            super().__init__()
            self.agent_id = agent_id

    def __init__(self, palette: Palette, agent: AgentInfo, source: Source, draft: str) -> None:
        super().__init__()
        self.agent = agent
        self.source = source
        self.pane = ConversationPane(palette)
        self.line = MessageLine(draft)
        self._head = TileHead(palette)
        self._is_writing = False

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.pane
        yield self.line

    def on_mount(self) -> None:
        self.source.attach(self.pane.view)

    def on_unmount(self) -> None:
        self.source.detach(self.pane.view)

    def show(self, head: Head) -> None:
        """What the agent is at now."""
        self.agent = head.info
        self._head.show(head)
        self.line.tell(head.info)
        self.set_class(head.is_focused, "-focused")

    def take_keys(self) -> None:
        """To the conversation with them, or to the message that is being written."""
        if self._is_writing:
            self.write()
            return
        self.screen.set_focus(self.pane.view)
        self._make_room()

    def write(self) -> None:
        """Write to the agent."""
        self._is_writing = True
        # Shown first: what is not there cannot have the focus.
        self.line.display = True
        self.screen.set_focus(self.line)

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        self.line.display = self.size.height >= LOW or self.line.has_focus or bool(self.line.value)

    def on_click(self) -> None:
        self.post_message(self.Touched(self.agent.id))

    @on(MessageLine.Left)
    def _line_left(self, event: MessageLine.Left) -> None:
        event.stop()
        self._is_writing = False
        self.take_keys()
