"""When a reader that shows what it reads takes it: what it does then must not hold up the next request."""

from __future__ import annotations

import asyncio

from core.bus.subscription import Subscription
from core.protocol.envelope import Envelope
from core.protocol.events import (
    BlockFinished,
    BlockStarted,
    RequestFinished,
    RequestStarted,
    ToolFinished,
    ToolStarted,
    TurnEnded,
)
from core.protocol.messages import ToolUseBlock

HOLD_S = 0.03
"""As long as nobody notices. Quick calls take less, and painting on the same thread would take as long again."""
LOOKS = 3


async def with_calls(subscription: Subscription, batch: list[Envelope]) -> list[Envelope]:
    """The batch; where it ends amid calls together with what follows, up to the next request or for ``HOLD_S``.

    Looks now and then instead of waking up at each event: that would be in the way of what it makes way for.
    """
    for _look in range(LOOKS):
        if not is_amid_calls(batch):
            break
        await asyncio.sleep(HOLD_S / LOOKS)
        batch += subscription.take()
    return batch


def is_amid_calls(batch: list[Envelope]) -> bool:
    """Whether calls are coming in or running, and their results are not sent yet, as far as these events tell."""
    for envelope in reversed(batch):
        match envelope.event:
            case (
                BlockStarted(block_kind="tool_use")
                | BlockFinished(block=ToolUseBlock())
                | RequestFinished(stop_reason="tool_use")
                | ToolStarted()
                | ToolFinished()
            ):
                return True
            case RequestStarted() | TurnEnded():
                return False
            case _:
                pass
    return False
