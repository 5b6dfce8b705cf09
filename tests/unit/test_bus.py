"""The bus: order and completeness for fast and slow readers, folding, overflow, the log on disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bus.bus import Bus
from core.bus.recorder import Recorder, read_event_log
from core.bus.subscription import FOLD_EVERY, Subscription
from core.host.files import LineLog
from core.protocol import events as ev
from core.protocol.delivery import DELIVERY
from core.protocol.envelope import Envelope
from core.protocol.events import Event
from tests.fakes.clock import FakeClock


def delta(text: str, block: str = "b1") -> ev.BlockDelta:
    return ev.BlockDelta(block_id=block, text=text)


def note(text: str) -> ev.Notice:
    return ev.Notice(level="info", text=text)


def make_bus() -> Bus:
    return Bus("s1", FakeClock())


def kept(batch: list[Envelope]) -> list[Envelope]:
    return [envelope for envelope in batch if DELIVERY[type(envelope.event)] == "keep"]


def text_of(batch: list[Envelope], agent: str = "main", block: str = "b1") -> str:
    return "".join(
        envelope.event.text
        for envelope in batch
        if isinstance(envelope.event, ev.BlockDelta) and envelope.event.block_id == block and envelope.agent_id == agent
    )


published = st.lists(
    st.tuples(
        st.one_of(
            st.builds(delta, st.text(max_size=3), st.sampled_from(["b1", "b2"])),
            st.builds(note, st.sampled_from(["x", "y"])),
            st.builds(
                ev.ToolProgress,
                tool_use_id=st.sampled_from(["t1", "t2"]),
                text=st.text(max_size=3),
                total_lines=st.integers(0, 9),
            ),
        ),
        st.sampled_from(["main", "a000001"]),
    ),
    max_size=60,
)
reads_after = st.sets(st.integers(0, 60), max_size=6)


@given(published, reads_after)
def test_a_slow_reader_misses_nothing_that_is_kept_and_reads_the_same_text(
    stream: list[tuple[Event, str]], reads: set[int]
) -> None:
    bus = make_bus()
    fast, slow = bus.subscribe(), bus.subscribe()
    seen_fast: list[Envelope] = []
    seen_slow: list[Envelope] = []
    for number, (event, agent) in enumerate(stream):
        bus.publish(event, agent_id=agent)
        seen_fast += fast.take()
        if number in reads:
            seen_slow += slow.take()
    seen_slow += slow.take()
    assert [envelope.seq for envelope in seen_fast] == list(range(1, len(stream) + 1))
    assert kept(seen_slow) == kept(seen_fast)
    for agent in ("main", "a000001"):
        for block in ("b1", "b2"):
            assert text_of(seen_slow, agent, block) == text_of(seen_fast, agent, block)
        for tool in ("t1", "t2"):
            last = [last_progress(batch, agent, tool) for batch in (seen_slow, seen_fast)]
            assert last[0] == last[1], "the newest state wins"
    assert [envelope.seq for envelope in seen_slow] == sorted(envelope.seq for envelope in seen_slow)


def last_progress(batch: list[Envelope], agent: str, tool: str) -> Event | None:
    found = [
        envelope.event
        for envelope in batch
        if isinstance(envelope.event, ev.ToolProgress)
        and (envelope.agent_id, envelope.event.tool_use_id) == (agent, tool)
    ]
    return found[-1] if found else None


def test_deltas_that_nobody_read_take_one_place() -> None:
    bus = make_bus()
    reader = bus.subscribe()
    for number in range(FOLD_EVERY * 5 + 3):
        bus.publish(delta(f"{number},"))
    (only,) = reader.take()
    assert only.event == delta("".join(f"{number}," for number in range(FOLD_EVERY * 5 + 3)))


def test_a_delta_never_moves_behind_the_end_of_its_block() -> None:
    bus = make_bus()
    reader = bus.subscribe()
    bus.publish(delta("a"))
    bus.publish(note("between"))
    bus.publish(delta("b"))
    bus.publish(ev.BlockDiscarded(block_id="b1"))
    kinds = [type(envelope.event).__name__ for envelope in reader.take()]
    assert kinds == ["BlockDelta", "Notice", "BlockDiscarded"]


def test_a_reader_sees_only_what_comes_after_it() -> None:
    bus = make_bus()
    bus.publish(note("before"))
    reader = bus.subscribe()
    bus.publish(note("after"))
    assert [envelope.seq for envelope in reader.take()] == [2]


async def test_reading_waits_and_a_closed_reader_gets_the_rest_and_then_nothing() -> None:
    bus = make_bus()
    reader = bus.subscribe()
    waiting = asyncio.create_task(reader.read())
    await asyncio.sleep(0)
    assert not waiting.done()
    bus.publish(note("now"))
    assert [envelope.event for envelope in await waiting] == [note("now")]
    bus.publish(note("rest"))
    bus.unsubscribe(reader)
    bus.publish(note("too late"))
    assert [envelope.event for envelope in await reader.read()] == [note("rest")]
    assert await reader.read() == []


async def test_closing_wakes_a_reader_that_waits() -> None:
    bus = make_bus()
    reader = bus.subscribe()
    waiting = asyncio.create_task(reader.read())
    await asyncio.sleep(0)
    bus.unsubscribe(reader)
    async with asyncio.timeout(1):
        assert await waiting == []


def record(bus: Bus, path: Path) -> Recorder:
    return Recorder(bus, LineLog(path))


def overflowing(recorder: Recorder, bus: Bus, limit: int) -> Subscription:
    """A reader that falls behind after ``limit`` events; the bus's own has a limit no test should fill."""
    reader = bus.subscribe(backlog=recorder.after)
    reader._limit = limit  # pyright: ignore[reportPrivateUsage]
    return reader


@given(published, reads_after, st.integers(1, 5))
def test_a_reader_that_overflows_catches_up_from_the_log(
    tmp_path: Path, stream: list[tuple[Event, str]], reads: set[int], limit: int
) -> None:
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    bus = make_bus()
    recorder = record(bus, path)
    fast, slow = bus.subscribe(), overflowing(recorder, bus, limit)
    seen_fast: list[Envelope] = []
    seen_slow: list[Envelope] = []
    for number, (event, agent) in enumerate(stream):
        bus.publish(event, agent_id=agent)
        seen_fast += fast.take()
        if number in reads:
            seen_slow += slow.take()
        if number % 7 == 3:
            recorder.flush()
    seen_slow += slow.take()
    recorder.close()
    assert kept(seen_slow) == kept(seen_fast)
    for agent in ("main", "a000001"):
        for block in ("b1", "b2"):
            text = text_of(seen_slow, agent, block)
            assert len(text) <= len(text_of(seen_fast, agent, block)), "nothing is told twice"


def test_what_was_read_folded_is_not_told_again_after_an_overflow(tmp_path: Path) -> None:
    bus = make_bus()
    recorder = record(bus, tmp_path / "events.jsonl")
    reader = overflowing(recorder, bus, 1)
    for number in range(4):
        bus.publish(delta(str(number)))
        recorder.flush()
    assert text_of(reader.take()) == "0123"
    bus.publish(note("a"))
    bus.publish(note("b"))
    assert [envelope.event for envelope in reader.take()] == [note("a"), note("b")]
    recorder.close()


@given(published)
def test_the_log_holds_what_a_reader_would_have_seen(tmp_path: Path, stream: list[tuple[Event, str]]) -> None:
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    bus = make_bus()
    recorder, reader = record(bus, path), bus.subscribe()
    for event, agent in stream:
        bus.publish(event, agent_id=agent, turn_id="turn", parent_tool_use_id="p")
    recorder.close()
    assert (list(read_event_log(path)) if stream else []) == reader.take()


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    bus = make_bus()
    recorder = record(bus, path)
    for number in range(3):
        bus.publish(note(str(number)))
    recorder.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert [envelope.seq for envelope in read_event_log(path)] == [1, 2]
    again = make_bus()
    recorder = record(again, path)
    again.publish(note("new run"))
    recorder.close()
    assert [envelope.event for envelope in read_event_log(path)][-1] == note("new run")


def test_the_backlog_of_a_later_run_holds_nothing_of_the_run_before(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for run in ("first", "second"):
        bus = make_bus()
        recorder = record(bus, path)
        reader = overflowing(recorder, bus, 2)
        for number in range(5):
            bus.publish(note(f"{run} {number}"))
        assert [envelope.event for envelope in reader.take()] == [note(f"{run} {number}") for number in range(5)]
        recorder.close()


def test_a_disk_that_fails_costs_the_log_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    bus = make_bus()
    recorder = record(bus, blocked / "events.jsonl")
    reader = bus.subscribe()
    bus.publish(note("goes on"))
    recorder.flush()
    recorder.close()
    assert [envelope.event for envelope in reader.take()] == [note("goes on")]


def test_the_first_line_of_a_log_is_a_header_with_its_version(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    bus = make_bus()
    recorder = record(bus, path)
    bus.publish(note("x"))
    recorder.close()
    assert path.read_bytes().splitlines()[0] == b'{"kind":"header","version":1}'


def test_envelopes_say_where_they_belong() -> None:
    bus = make_bus()
    reader = bus.subscribe()
    bus.publish(note("x"), turn_id="t", agent_id="a1", parent_tool_use_id="p")
    (envelope,) = reader.take()
    expected = Envelope(
        seq=1,
        ts=FakeClock().time(),
        session_id="s1",
        event=note("x"),
        turn_id="t",
        agent_id="a1",
        parent_tool_use_id="p",
    )
    assert envelope == expected
    with pytest.raises(AttributeError):
        envelope.seq = 2  # pyright: ignore[reportAttributeAccessIssue]
    assert replace(envelope, seq=2).seq == 2
