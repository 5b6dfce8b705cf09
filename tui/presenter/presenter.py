"""From events to the screen: one method for each event, ``on_`` and its kind. The only place that knows both.

What a subagent does is shown by a presenter of its own, of the same class, on the blocks of its conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.envelope import Envelope
from core.protocol.ids import MAIN_AGENT
from tui.presenter.agent_events import AgentEvents
from tui.presenter.block_events import BlockEvents
from tui.presenter.call_events import CallEvents
from tui.presenter.context_events import ContextEvents
from tui.presenter.session_events import SessionEvents
from tui.presenter.turn_events import TurnEvents

OF_THE_SESSION = (
    ev.AgentStarted,
    ev.AgentProgressed,
    ev.AgentEnded,
    ev.AgentRecalled,
    ev.AgentKindsChanged,
    ev.TaskNotified,
    ev.TaskOutputReported,
    ev.TasksChanged,
    ev.SharedTasksChanged,
    ev.RulesChanged,
    ev.WorkspaceRead,
)
"""Shown by the main conversation, whichever agent has brought them about."""


class Presenter(SessionEvents, TurnEvents, BlockEvents, CallEvents, ContextEvents, AgentEvents):
    """Shows envelopes in the order they come."""

    def apply(self, batch: Sequence[Envelope]) -> None:
        """Show a batch, then lay out once."""
        for envelope in batch:
            self.show(envelope)
        self.flush()

    def show(self, envelope: Envelope) -> None:
        """Show one event; laid out at the next ``flush``."""
        if envelope.agent_id not in (MAIN_AGENT, self._agent_id) and not isinstance(envelope.event, OF_THE_SESSION):
            self._show_of_agent(envelope)
            return
        self._ts, self._session_id = envelope.ts, envelope.session_id
        getattr(self, f"on_{envelope.event.kind}")(envelope.event)

    def flush(self) -> None:
        """Lay out what has changed: first what agents said, which is a part of their blocks here."""
        touched, self._touched = self._touched, {}
        for chain in touched.values():
            chain.feed.flush()
            self._draw_agent(chain)
        self._on.transcript.flush()

    def _show_of_agent(self, envelope: Envelope) -> None:
        agent_id = envelope.agent_id
        # An agent that nobody has told of has events all the same: what it asks must be seen.
        chain = self.sidechains.get(agent_id) or self.sidechains.update(
            AgentInfo(id=agent_id, agent_type="agent", description="")
        )
        show = self._agents.get(agent_id)
        if show is None:
            show = self._agents[agent_id] = Presenter(self._surfaces_of(chain), of=self, chain=chain).show
        before = chain.activity, chain.item, chain.todos, chain.queued
        show(envelope)
        self._touched[agent_id] = chain
        if before != (chain.activity, chain.item, chain.todos, chain.queued):
            self.sidechains.tell()
            self._show_agent(chain)
