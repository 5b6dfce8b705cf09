"""One agent: its head, its live conversation, the line in which it is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from core.protocol.agent_views import AgentInfo
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.rendering.tile_views import Head
from tui.widgets.agents.message_line import MessageLine
from tui.widgets.line_widget import LineWidget
from tui.widgets.sized import Sized
from tui.widgets.transcript.pane import ConversationPane
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block

LOW = 8
"""Rows of a tile below which its message line is only there while it is used."""


SOON_S = 0.1
"""Four conversations laid out thirty times a second would cost the keys their echo, and no eye follows four."""


class Source(Protocol):
    """Where the blocks of a conversation come from: see ``Feed``."""

    def attach(self, view: AgentTile) -> None: ...
    def detach(self, view: AgentTile) -> None: ...


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
    """Shows the conversation while it is mounted, and not a moment longer: a view of it, which hands everything on, but
    lays out less often where the user types elsewhere."""

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
        self._soon: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.pane
        yield self.line

    def on_mount(self) -> None:
        self.source.attach(self)

    def on_unmount(self) -> None:
        self.source.detach(self)

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        self.pane.view.append(block)

    def changed(self, block: Block) -> None:
        """A block has changed."""
        self.pane.view.changed(block)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        self.pane.view.drop(block)

    def flush(self) -> None:
        """Lay out what has changed: at once where it is read, else soon, with what comes until then."""
        if self.pane.view.has_focus:
            self._lay_out()
        elif self._soon is None:
            self._soon = self.set_timer(SOON_S, self._lay_out)

    def _lay_out(self) -> None:
        if self._soon is not None:
            self._soon.stop()
            self._soon = None
        self.pane.view.flush()

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
