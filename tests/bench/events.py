"""PERF-15: the event bus, from ``publish`` to the reader's hands.

100,000 events a second are 10 microseconds for each.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Iterator

from core.bus.bus import Bus, Publisher
from core.bus.subscription import Subscription
from core.host.clock import SystemClock
from core.protocol.envelope import Envelope
from core.protocol.events import BlockDelta, BlockStarted, Event, ToolFinished, ToolStarted
from core.protocol.views import ToolDisplay
from tests.bench.figure import Figure

EVENTS = 200_000
RUNS = 5
BUDGET_US = 10
STALLED_MB = 20


def measure() -> Iterator[Figure]:
    """One reader; the same beside a reader that never reads; and what that one holds in memory."""
    alone = _best(is_stalled=False)
    yield Figure("PERF-15", "bus: an event through one reader, 4 in 5 deltas", alone, BUDGET_US, "us")
    beside = _best(is_stalled=True)
    yield Figure("PERF-15", "bus: the same beside a reader that never reads", beside, BUDGET_US, "us")
    yield Figure("PERF-15", "bus: what the stalled reader holds", _held_mb(), STALLED_MB, "MB")


def _best(*, is_stalled: bool) -> float:
    return min(asyncio.run(_run(is_stalled=is_stalled)) for _ in range(RUNS))


async def _run(*, is_stalled: bool) -> float:
    """Microseconds for each event."""
    events = list(_events())
    bus = Bus("bench", SystemClock())
    reader = bus.subscribe()
    if is_stalled:
        bus.subscribe(backlog=_nothing)
    reading = asyncio.create_task(_read(reader))
    await asyncio.sleep(0)
    begun = time.perf_counter()
    await _publish(bus, events)
    bus.unsubscribe(reader)
    newest = await reading
    took = time.perf_counter() - begun
    assert newest == events[-1]
    return took / EVENTS * 1e6


async def _publish(bus: Bus, events: list[Event]) -> None:
    publisher = Publisher(bus, turn_id="turn")
    for event in events:
        publisher.emit(event)
        # The reader has a turn after each: nothing is folded, which would make it cheaper.
        await asyncio.sleep(0)


async def _read(subscription: Subscription) -> Event | None:
    newest = None
    while batch := await subscription.read():
        newest = batch[-1].event
    return newest


def _held_mb() -> float:
    events = list(_events())
    bus = Bus("bench", SystemClock())
    bus.subscribe(backlog=_nothing)
    tracemalloc.start()
    for event in events:
        bus.publish(event)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held / 1e6


def _nothing(_seq: int) -> list[Envelope]:
    return []


def _events() -> Iterator[Event]:
    """Blocks of eight deltas with a call between them."""
    for number in range(EVENTS // 10):
        name = f"r{number}:0"
        yield BlockStarted(block_id=name, block_kind="text")
        for _ in range(8):
            yield BlockDelta(block_id=name, text="twenty-four characters. ")
        if number % 2:
            yield ToolStarted(tool_use_id=name, name="Read", input={"file_path": "a.py"}, batch=0)
        else:
            yield ToolFinished(
                tool_use_id=name, name="Read", content="", is_error=False, display=ToolDisplay(), duration_ms=1
            )
