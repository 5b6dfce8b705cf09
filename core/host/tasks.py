"""Work that is not left half done although its task is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def despite_cancel(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end however often the caller is cancelled meanwhile; a cancellation is then raised again."""
    result, was_cancelled = await _to_its_end(work)
    if was_cancelled:
        raise asyncio.CancelledError
    return result


async def uncancelled(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; a cancellation meanwhile came too late and is dropped, for what was done must be told."""
    result, was_cancelled = await _to_its_end(work)
    task = asyncio.current_task()
    if was_cancelled and task is not None:
        task.uncancel()
    return result


async def _to_its_end(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    task = asyncio.ensure_future(work)
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            was_cancelled = True
    return task.result(), was_cancelled
