"""From events to the screen: one method for each event, ``on_`` and its kind. The only place that knows both."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.envelope import Envelope
from tui.presenter.agent_events import AgentEvents
from tui.presenter.block_events import BlockEvents
from tui.presenter.call_events import CallEvents
from tui.presenter.context_events import ContextEvents
from tui.presenter.session_events import SessionEvents
from tui.presenter.turn_events import TurnEvents


class Presenter(SessionEvents, TurnEvents, BlockEvents, CallEvents, ContextEvents, AgentEvents):
    """Shows envelopes in the order they come."""

    def apply(self, batch: Sequence[Envelope]) -> None:
        """Show a batch, then lay out once."""
        for envelope in batch:
            self.show(envelope)
        self.flush()

    def show(self, envelope: Envelope) -> None:
        """Show one event; laid out at the next ``flush``."""
        self._ts, self._session_id = envelope.ts, envelope.session_id
        getattr(self, f"on_{envelope.event.kind}")(envelope.event)

    def flush(self) -> None:
        """Lay out what has changed."""
        self._on.transcript.flush()
