"""The envelope of an event: where and when it happened."""

from __future__ import annotations

from dataclasses import dataclass

from core.protocol.events import Event
from core.protocol.ids import MAIN_AGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One event as it is delivered. ``seq`` grows by one with each event of a session, from 1."""

    seq: int
    ts: float
    """Seconds since the epoch."""
    session_id: str
    event: Event
    turn_id: str = ""
    agent_id: str = MAIN_AGENT
    parent_tool_use_id: str = ""
