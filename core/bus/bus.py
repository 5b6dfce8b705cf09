"""Publish and subscribe. Publishing is synchronous and never waits for a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.bus.subscription import Backlog, Subscription
from core.host.clock import Clock
from core.protocol.envelope import Envelope
from core.protocol.events import Event
from core.protocol.ids import MAIN_AGENT


class Bus:
    """All events of one session, numbered from 1."""

    def __init__(self, session_id: str, clock: Clock) -> None:
        self.session_id = session_id
        self._clock = clock
        self._seq = 0
        self._subscriptions: list[Subscription] = []

    def publish(
        self, event: Event, *, turn_id: str = "", agent_id: str = MAIN_AGENT, parent_tool_use_id: str = ""
    ) -> None:
        """Number the event and hand it to every reader."""
        self._seq += 1
        envelope = Envelope(
            seq=self._seq,
            ts=self._clock.time(),
            session_id=self.session_id,
            event=event,
            turn_id=turn_id,
            agent_id=agent_id,
            parent_tool_use_id=parent_tool_use_id,
        )
        for subscription in self._subscriptions:
            subscription.offer(envelope)

    def subscribe(self, *, backlog: Backlog | None = None) -> Subscription:
        """A reader of everything published from now on."""
        subscription = Subscription(last_seq=self._seq, backlog=backlog)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Close the reader and forget it."""
        subscription.close()
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    @property
    def seq(self) -> int:
        """Number of the newest event."""
        return self._seq


@dataclass(frozen=True, slots=True)
class Author:
    """An agent whose events are published."""

    agent_id: str = MAIN_AGENT
    parent_tool_use_id: str = ""
    """The call of the main conversation that it works for."""
    label: str = ""
    heard: Callable[[Event], None] | None = None
    """Sees each event of this agent right after it was published."""


MAIN = Author()


class Publisher:
    """Publishes for one agent in one turn, so that callers name neither."""

    def __init__(self, bus: Bus, by: Author = MAIN, turn_id: str = "") -> None:
        self._bus = bus
        self._by = by
        self.turn_id = turn_id

    @property
    def agent_id(self) -> str:
        """Who publishes."""
        return self._by.agent_id

    @property
    def subagent(self) -> str:
        """Who publishes; empty for the main agent."""
        return "" if self.agent_id == MAIN_AGENT else self.agent_id

    @property
    def label(self) -> str:
        """How people are told which agent that is; empty for the main one."""
        return self._by.label

    def emit(self, event: Event) -> None:
        """Publish the event as this agent's."""
        self._bus.publish(
            event, turn_id=self.turn_id, agent_id=self._by.agent_id, parent_tool_use_id=self._by.parent_tool_use_id
        )
        if self._by.heard is not None:
            self._by.heard(event)

    def for_turn(self, turn_id: str) -> Publisher:
        """The same agent in another turn."""
        return Publisher(self._bus, self._by, turn_id)

    def for_agent(self, by: Author) -> Publisher:
        """Another agent on the same bus."""
        return Publisher(self._bus, by)
