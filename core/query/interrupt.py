"""Finishing what must be finished although the turn is being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

INTERRUPT_NOTE = "[The user interrupted here.]"
"""Tells the model that it did not stop by itself."""


async def despite_cancel(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end however often the caller is cancelled meanwhile; a cancellation is then raised again."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result
