"""How each event may be delivered: kept one by one, or folded into a newer one for a slow reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from core.protocol import events as ev
from core.protocol.events import Event

Delivery = Literal["keep", "coalesce"]

COALESCED: frozenset[type[Event]] = frozenset({ev.BlockDelta, ev.ToolProgress, ev.UsageUpdated, ev.AgentProgressed})
"""Folded into the newest queued event of the same agent and subject. All others are kept, in order."""

DELIVERY: dict[type[Event], Delivery] = {cls: "coalesce" if cls in COALESCED else "keep" for cls in get_args(Event)}


def fold_key(event: Event) -> str | None:
    """What the event is about, where it may be folded; None for an event that is kept."""
    match event:
        case ev.BlockDelta():
            return "block:" + event.block_id
        case ev.ToolProgress():
            return "tool:" + event.tool_use_id
        case ev.UsageUpdated():
            return "usage"
        case ev.AgentProgressed():
            return "agent:" + event.agent.id
        case _:
            return None


def fold(events: Sequence[Event]) -> Event:
    """One event that tells what several of one subject told, oldest first: deltas are joined, states replaced."""
    newest = events[-1]
    if isinstance(newest, ev.BlockDelta):
        text = "".join(event.text for event in events if isinstance(event, ev.BlockDelta))
        return ev.BlockDelta(block_id=newest.block_id, text=text)
    return newest
