"""Quick calls are shown together with the request that sends their results, so that it need not wait for painting."""

from __future__ import annotations

import asyncio

import pytest

from core.bus import batches
from core.bus.batches import is_amid_calls, with_calls
from core.bus.bus import Bus
from core.protocol import events as ev
from core.protocol.envelope import Envelope
from core.protocol.messages import TextBlock, ToolUseBlock
from core.protocol.usage import Usage
from core.protocol.views import ToolDisplay
from tests.fakes.clock import FakeClock

SENT = ev.RequestStarted(request_id="r", model="m", query_source="main", attempt=1)
CALL = ev.BlockFinished(block_id="b", block=ToolUseBlock(id="t", name="Read"))
BEGUN = ev.ToolStarted(tool_use_id="t", name="Read", input={}, batch=0)
DELTA = ev.BlockDelta(block_id="b", text="{")
OVER = ev.TurnEnded(reason="completed", detail="", steps=1, duration_ms=1, usage=Usage())


def ended(stop_reason: str) -> ev.RequestFinished:
    return ev.RequestFinished(
        request_id="r", stop_reason=stop_reason, usage=Usage(), cost_usd=0.0, duration_ms=1, first_token_ms=1
    )


DONE = ev.ToolFinished(tool_use_id="t", name="Read", content="", is_error=False, display=ToolDisplay(), duration_ms=1)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], False),
        ([SENT], False),
        ([SENT, ev.BlockStarted(block_id="b", block_kind="text"), DELTA], False),
        ([SENT, ev.BlockStarted(block_id="b", block_kind="tool_use"), DELTA], True),
        ([ev.BlockFinished(block_id="b", block=TextBlock(text="x"))], False),
        ([CALL], True),
        ([CALL, BEGUN, ended("tool_use")], True),
        ([BEGUN, DONE], True),
        ([BEGUN, DONE, SENT], False),
        ([BEGUN, DONE, OVER], False),
        ([ended("end_turn")], False),
        ([ev.ToolProgress(tool_use_id="t", text="x", total_lines=1)], False),
    ],
)
def test_where_a_batch_is_amid_calls(events: list[ev.Event], expected: bool) -> None:
    batch = [Envelope(seq=n, ts=0, session_id="s", event=event) for n, event in enumerate(events, 1)]
    assert is_amid_calls(batch) is expected


async def test_a_batch_goes_up_to_the_next_request() -> None:
    bus = Bus("s", FakeClock())
    reader = bus.subscribe()
    bus.publish(CALL)
    taking = asyncio.create_task(with_calls(reader, await reader.read()))
    for event in (BEGUN, DONE, SENT):
        await asyncio.sleep(0)
        assert not taking.done()
        bus.publish(event)
    assert [envelope.event for envelope in await taking] == [CALL, BEGUN, DONE, SENT]


async def test_a_call_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HOLD_S", 0.001)
    bus = Bus("s", FakeClock())
    reader = bus.subscribe()
    bus.publish(CALL)
    bus.publish(BEGUN)
    assert len(await with_calls(reader, await reader.read())) == 2
    bus.publish(DONE)
    assert [envelope.event for envelope in reader.take()] == [DONE]


async def test_the_end_of_the_session_ends_the_wait() -> None:
    bus = Bus("s", FakeClock())
    reader = bus.subscribe()
    bus.publish(BEGUN)
    batch = await reader.read()
    bus.unsubscribe(reader)
    assert [envelope.event for envelope in await with_calls(reader, batch)] == [BEGUN]
