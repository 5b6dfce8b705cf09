"""The agents in place of the conversation: how they come into view and go, and what is done about them.

They stand on the main screen itself, so that a question is asked beside them as it is beside the conversation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from tui.screens.view_keys import ViewKeys
from tui.widgets.composer import asks
from tui.widgets.transcript.pane import ConversationPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.rendering.palette import Palette
    from tui.widgets.agents.tiled import Desk
    from tui.widgets.agents.view import AgentsView
    from tui.widgets.gauge import Footer

TWICE_S = 3.0
"""How soon the keys that stop all agents must be pressed again."""


class AgentKeys(ViewKeys):
    """The part of the main screen that shows agents and stops them."""

    _palette: Palette
    wall: Callable[[], float]
    _agents: AgentsView | None = None
    _desk: Desk | None = None
    _footer: Footer
    _stop_by = 0.0

    async def action_agents(self, agent_id: str = "") -> None:
        """Watch the agents, beginning with one of them; back to the conversation where they are watched already."""
        if self._agents is None:
            await self.open_agents()
        elif not agent_id:
            await self.close_agents()
        if self._agents is not None and agent_id:
            self._agents.look_at(agent_id)

    async def open_agents(self) -> None:
        """Put the agents in place of the conversation."""
        from tui.widgets.agents.tiled import Desk
        from tui.widgets.agents.view import AgentsView

        if self.presenter is None:
            return
        self._desk = self._desk or Desk()
        self._agents = AgentsView(self._palette, self.presenter.sidechains, self._desk, self.wall)
        self.add_class("-agents")
        self._transcript.is_seen = False
        await self.mount(self._agents, after="#middle")
        self._swapped()

    async def close_agents(self) -> None:
        """Back to the conversation."""
        view, self._agents = self._agents, None
        if view is not None:
            self.remove_class("-agents")
            self._transcript.is_seen = True
            self._transcript.flush()
            await view.remove()
            self._swapped()

    def _swapped(self) -> None:
        """The other one is there now: two keys are different ones, and so is the room for a question."""
        is_main = self._agents is None
        self.status.tell_stop(is_main)
        self._footer.tell_mode_key(is_main)
        self.give_keys()
        self.dock.refit()

    def give_keys(self) -> None:
        """The keys go to a question, else to what is shown."""
        if self.dock.is_open:
            self.dock.take_keys()
        elif self._agents is not None:
            self._agents.take_keys()
        else:
            self.composer.focus()

    @property
    def pane_in_view(self) -> ConversationPane:
        """The conversation of the agent that is looked at, else the main one."""
        tile = self._agents.tile if self._agents is not None else None
        return tile.pane if tile is not None else self._pane

    def action_interrupt(self) -> None:
        """Esc: away from the agents, else stop the turn."""
        if self._agents is not None:
            self.call_later(self.close_agents)
        else:
            super().action_interrupt()

    def action_cycle_mode(self) -> None:
        """The tile before, else the next permission mode."""
        if self._agents is not None:
            self._agents.action_step(-1)
        else:
            super().action_cycle_mode()

    @on(asks.StopAgentsRequested)
    def action_stop_agents(self) -> None:
        """Stop all agents: asked for twice."""
        from core.protocol.ops import StopAgents

        running = sum(not chain.info.is_over for chain in self.presenter.sidechains.all) if self.presenter else 0
        if not running:
            self.remark("No agent runs.")
            return
        now = self._now()
        if now <= self._stop_by:
            self._stop_by = 0.0
            self.status.show_hint("")
            self.send(StopAgents())
        else:
            self._stop_by = now + TWICE_S
            self.remark(f"Once more stops {'the agent that runs' if running == 1 else f'all {running} agents'}")

    def action_subtask(self, prompt: str) -> None:
        """Give a task to a fork of the conversation."""
        from core.protocol.ops import StartFork

        self.send(StartFork(prompt=prompt))

    def on_agents_view_wanted(self, event: AgentsView.Wanted) -> None:
        """Tell the engine."""
        self.send(event.op)

    def on_agents_view_remarked(self, event: AgentsView.Remarked) -> None:
        """Say it."""
        self.remark(event.text)

    def on_agents_view_stop_requested(self) -> None:
        """Stop all."""
        self.action_stop_agents()

    def on_agents_view_kinds_requested(self) -> None:
        """What kinds there are."""
        self.action_kinds()

    async def on_agents_view_left(self) -> None:
        """Back to the conversation."""
        await self.close_agents()
