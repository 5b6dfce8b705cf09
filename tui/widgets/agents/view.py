"""The agents as the user handles them: what each key does, and the line that says so."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from core.protocol import ops
from core.protocol.agent_views import AgentInfo
from tui.keymap import AGENT_KEYS, bindings, key_text
from tui.rendering.line import Line, Span, line_width
from tui.rendering.palette import Palette
from tui.widgets.agents.message_line import MessageLine
from tui.widgets.agents.strip import AgentStrip
from tui.widgets.agents.tile import AgentTile
from tui.widgets.agents.tiled import TiledView
from tui.widgets.line_widget import LineWidget
from tui.widgets.transcript.pane import ConversationPane


class _Keys(LineWidget):
    """What the keys do, to the focused agent as it is now."""

    KEYS = (
        ("agents.leave", "back"),
        ("agents.next", "next"),
        ("agents.write", "write"),
        ("agents.stop", "stop"),
        ("agents.move", "background"),
    )
    MORE = (("agents.pin", "pin"), ("agents.kinds", "kinds"), ("agents.audit", "audit"))

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="agent-keys")
        self._other: dict[str, str] = {}

    def tell(self, agent: AgentInfo | None) -> None:
        """This one is focused, and like this."""
        over = {"agents.stop": "take away"} if agent is not None and agent.is_over else {}
        aside = {"agents.move": "foreground"} if agent is not None and agent.in_background and not over else {}
        if self._other != over | aside:
            self._other = over | aside
            self.update_lines()

    def build(self, width: int) -> list[Line]:
        keys = [(key_text(key_id), self._other.get(key_id, what)) for key_id, what in self.KEYS]
        keys += [(_keys_of("agents.one", "agents.two", "agents.four"), "tiles")]
        keys += [(_keys_of("agents.page_before", "agents.page_after"), "page")]
        keys += [(key_text(key_id), what) for key_id, what in self.MORE]
        spans: list[Span] = []
        for key, what in keys:
            part: list[Span] = [(f"{'  ' if spans else ''}{key} ", "key"), (what, "muted")] if key else []
            if line_width(spans) + line_width(part) > width:
                break
            spans += part
        return [tuple(spans)]


def _keys_of(*key_ids: str) -> str:
    return " ".join(text for key_id in key_ids if (text := key_text(key_id)))


class AgentsView(TiledView):
    """What the keys do about the agents that are looked at."""

    BINDINGS = bindings(AGENT_KEYS)

    class Wanted(Message):
        """The engine should hear this."""

        def __init__(self, op: ops.Op) -> None:
            super().__init__()
            self.op = op

    class Left(Message):
        """Back to the conversation."""

    class KindsRequested(Message):
        """The user wants to see what kinds there are."""

    class StopRequested(Message):
        """The user wants to stop all agents."""

    class Remarked(Message):
        """Something to be told in passing."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield _Keys(self._palette)

    def _tell(self) -> None:
        super()._tell()
        for keys in self.query(_Keys):
            keys.tell(self.tile.agent if self.tile is not None else None)

    # Keys

    def action_step(self, direction: int) -> None:
        """The next tile, or the one before; with only one the next agent."""
        if len(self._arrangement.places) > 1:
            self._arrangement.step(direction)
        else:
            self._arrangement.page([chain.info for chain in self._ordered], direction)
        self._rearranged()

    def action_go(self, number: int) -> None:
        """The agent of this number."""
        if number <= len(self._chains.all):
            self.look_at(self._chains.all[number - 1].info.id)

    def action_turn(self, direction: int) -> None:
        """The agents after those in the tiles, or before."""
        if not self._arrangement.page([chain.info for chain in self._ordered], direction):
            self.post_message(self.Remarked("All agents are in the tiles."))
        self._rearranged()

    def action_tiles(self, count: int) -> None:
        """So many tiles."""
        self._desk.chosen = count
        if self._count < count:
            self.post_message(self.Remarked(f"There is no room for {count} tiles here."))
        self._rearranged()

    def action_write(self) -> None:
        """Write to the focused agent."""
        if self.tile is not None:
            self.tile.write()

    def action_stop(self) -> None:
        """Stop the focused agent; one that is over is taken away."""
        if self.tile is None:
            return
        agent = self.tile.agent
        if agent.is_over:
            self._chains.dismiss(agent.id)
            self._rearranged()
        else:
            self.post_message(self.Wanted(ops.StopTask(task_id=agent.id)))

    def action_stop_all(self) -> None:
        """Stop all agents."""
        self.post_message(self.StopRequested())

    def action_move(self) -> None:
        """Have the conversation wait for it, or no longer."""
        if self.tile is not None and not self.tile.agent.is_over:
            agent = self.tile.agent
            self.post_message(self.Wanted(ops.MoveTask(task_id=agent.id, to_background=not agent.in_background)))

    def action_pin(self) -> None:
        """Pin the focused agent to its tile, or no longer."""
        self._arrangement.toggle_pin()
        self._tell()

    def action_audit(self) -> None:
        """Write down what the focused agent did."""
        if self.tile is not None:
            self.post_message(self.Wanted(ops.ExportAudit(agent_id=self.tile.agent.id)))

    def action_leave(self) -> None:
        """Back to the conversation."""
        self.post_message(self.Left())

    def action_kinds(self) -> None:
        """What kinds of agents there are."""
        self.post_message(self.KindsRequested())

    # Messages

    @on(AgentStrip.Picked)
    def _picked(self, event: AgentStrip.Picked) -> None:
        self.look_at(event.agent_id)

    @on(AgentTile.Touched)
    def _touched(self, event: AgentTile.Touched) -> None:
        if event.agent_id != self._arrangement.focused:
            self.look_at(event.agent_id)

    @on(MessageLine.Written)
    def _written(self, event: MessageLine.Written) -> None:
        tile = next(tile for tile in self._own_tiles if tile.line is event.line)
        tile.pane.view.scroll_edge(1)
        self.post_message(self.Wanted(ops.MessageAgent(agent_id=tile.agent.id, text=event.text)))

    @on(ConversationPane.Left)
    def _tile_left(self, event: ConversationPane.Left) -> None:
        event.stop()
        if event.is_done:
            self.post_message(self.Left())
        else:
            self.take_keys()
