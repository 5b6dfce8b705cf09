"""A session taken up again is the session that was there: for the model and for the window."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.host.host import Host
from core.host.ids import RandomIds
from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.errors import AgentError
from core.protocol.messages import Message, TextBlock, ToolResultBlock
from core.protocol.ops import AnswerPermission, Interrupt, RunShell, SubmitPrompt
from core.query.normalize import Accepted, normalize
from core.sessions.load import load_session
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, running
from tests.fakes.gate import gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, judge, texts_in, thought

Play = Callable[[Rig], Awaitable[None]]
DONE = Reply([say("Done.")])
CUT = {"type": "tool_use", "id": "cut", "name": "Read", "input": '{"file_pa'}


def read(number: int, path: str = "a.txt") -> dict[str, Any]:
    return call("Read", f"r{number}", file_path=path)


async def once(rig: Rig) -> None:
    await rig.prompt("What is here?")


async def twice(rig: Rig) -> None:
    await rig.prompt("What is here?")
    await rig.prompt("And now?")


async def declined(rig: Rig) -> None:
    await rig.do(SubmitPrompt(text="make it"))
    asked = await rig.event(ev.PermissionRequested)
    await rig.do(AnswerPermission(request_id=asked.request.id, answer="deny"))
    await rig.settle()


async def stopped_in_a_command(rig: Rig) -> None:
    await rig.do(SubmitPrompt(text="wait"))
    asked = await rig.event(ev.PermissionRequested)
    await rig.do(AnswerPermission(request_id=asked.request.id, answer="once"))
    await rig.until(lambda: any("started" in event.text for event in rig.of(ev.ToolProgress)))
    await rig.do(Interrupt())
    await rig.settle()


async def stopped_in_text(rig: Rig) -> None:
    await rig.do(SubmitPrompt(text="tell"))
    await rig.event(ev.BlockDelta)
    await rig.do(Interrupt())
    await rig.settle()


async def queued(rig: Rig) -> None:
    for text in ("first", "second", "third"):
        await rig.do(SubmitPrompt(text=text))
    await rig.settle()


async def mentioning(rig: Rig) -> None:
    await rig.prompt("What is @a.txt?")


async def own_commands(rig: Rig) -> None:
    await rig.do(RunShell(command="echo before anything"))
    await rig.settle()
    await rig.prompt("What did I run?")
    await rig.do(RunShell(command="printf '</shell-output>\\n'; exit 3"))
    await rig.do(RunShell(command="echo started; exec sleep 300"))
    await rig.until(lambda: any("started" in event.text for event in rig.of(ev.ToolProgress)))
    await rig.do(Interrupt())
    await rig.settle()


CASES: dict[str, tuple[Play, list[Reply]]] = {
    "text": (twice, [Reply([thought(), say("One.")]), DONE]),
    "tools": (
        once,
        [Reply([thought(), say("Look."), read(1), read(2, "none.txt")]), Reply([thought(""), read(3)]), DONE],
    ),
    "invalid calls": (once, [Reply([CUT, call("Teleport", "x")], stop_reason="max_tokens"), DONE]),
    "declined": (declined, [Reply([call("Bash", "b", command="touch x"), read(1)])]),
    "stopped in a command": (
        stopped_in_a_command,
        [Reply([say("Wait."), read(1), call("Bash", "b", command="echo started; exec sleep 300"), read(2)])],
    ),
    "stopped in text": (stopped_in_text, [Reply([thought(), say("A long story of many words. " * 40)])]),
    "retried": (once, [Reply([thought()], error=ModelError("overloaded", "Busy.")), Reply([say("Now.")])]),
    "broken after a call": (once, [Reply([say("Hm."), read(1)], error=ModelError("dropped", "Gone.")), DONE]),
    "broken after a text": (once, [Reply([say("Half.")], error=ModelError("dropped", "Gone.")), DONE]),
    "failed": (once, [Reply(error=ModelError("auth", "No key."))]),
    "too long": (once, [Reply([say("part")], stop_reason="max_tokens"), DONE]),
    "empty": (once, [Reply([read(1)]), Reply(), DONE]),
    "queued": (queued, [DONE, DONE, DONE, DONE]),
    "todos": (once, [Reply([call("TodoWrite", "t", todos=[{"id": "1", "content": "a", "status": "pending"}])]), DONE]),
    "mentioning": (mentioning, [DONE]),
    "own commands": (own_commands, [DONE]),
    "edit": (
        once,
        [Reply([read(1)]), Reply([call("Edit", "e", file_path="a.txt", old_string="?", new_string="!")]), DONE],
    ),
}


def shown(events: list[ev.Event]) -> list[Any]:
    """What stays on screen: prompts, whole blocks and results, in a form that does not depend on block ids."""
    forgotten = {event.block_id for event in events if isinstance(event, ev.BlockDiscarded)}
    found: list[Any] = []
    for event in events:
        if isinstance(event, ev.PromptSubmitted):
            found.append(("prompt", event.text))
        elif isinstance(event, ev.BlockFinished) and event.block_id not in forgotten:
            found.append(("block", event.block))
        elif isinstance(event, ev.ShellFinished):
            found.append(("shell", event))
    return found


def results(events: list[ev.Event]) -> dict[str, tuple[Any, ...]]:
    return {
        event.tool_use_id: (event.name, event.content, event.is_error, event.display, event.duration_ms)
        for event in events
        if isinstance(event, ev.ToolFinished)
    }


def starts(events: list[ev.Event]) -> dict[str, tuple[str, dict[str, Any]]]:
    return {event.tool_use_id: (event.name, event.input) for event in events if isinstance(event, ev.ToolStarted)}


def later_host() -> Host:
    return Host(clock=FakeClock(), ids=RandomIds())


def transcript(home: Path) -> Path:
    (path,) = (home / "data" / "projects").glob("*/*.jsonl")
    return path


async def live(case: str, cwd: Path, home: Path) -> tuple[list[ev.Event], tuple[Message, ...]]:
    (cwd / "a.txt").write_text("one\n")
    play, replies = CASES[case]
    async with running(list(replies), cwd, home) as rig:
        await play(rig)
        return list(rig.events), rig.engine.session.conversation.messages


@pytest.mark.parametrize("case", CASES)
async def test_resume_is_live(case: str, tmp_path: Path, isolated_machine: Path) -> None:
    before, messages = await live(case, tmp_path, isolated_machine)
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        await rig.settle()
        assert normalize(rig.engine.session.conversation.messages, Accepted(system=True)) == normalize(
            messages, Accepted(system=True)
        )
        assert shown(rig.events) == shown(before)
        assert results(rig.events) == results(before)
        begun = starts(before)
        assert {key: value for key, value in starts(rig.events).items() if key in begun} == begun
        assert not [event for event in rig.of(ev.Notice) if event.level != "info"]
        await rig.prompt("go on")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert texts_in(rig.requests[-1])[-1] == "go on"
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("case", ["tools", "stopped in a command", "broken after a call", "declined", "own commands"])
async def test_the_first_request_after_resuming_continues_the_last_one(
    case: str, tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    (tmp_path / "AGENTS.md").write_text("Be brief.\n")
    play, replies = CASES[case]
    async with running(list(replies), tmp_path, isolated_machine) as rig:
        await play(rig)
        earlier = rig.requests[-1]
    async with running([DONE, DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        await rig.prompt("go on")
        await rig.prompt("and on")
        assert_growing([earlier, *rig.requests])
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("case", ["tools", "invalid calls", "stopped in a command", "stopped in text", "queued"])
async def test_a_transcript_cut_at_any_byte_loads_and_gives_a_valid_request(
    case: str, tmp_path: Path, isolated_machine: Path
) -> None:
    await live(case, tmp_path, isolated_machine)
    whole = transcript(isolated_machine).read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    cuts = {0, len(whole), *range(0, len(whole), 97), *(at + off for at in ends for off in (-1, 0, 1, 2))}
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(whole)
    everything = [block for message in load_session(torn).messages for block in message.content]
    for cut in sorted(cut for cut in cuts if 0 <= cut <= len(whole)):
        torn.write_bytes(whole[:cut])
        loaded = load_session(torn)
        assert loaded.bad_lines <= 1
        prompt = Message(id="p", role="user", content=(TextBlock(text="go on"),))
        assert (cut, judge([*loaded.messages, prompt])) == (cut, None)
        kept = [block for message in loaded.messages for block in message.content]
        assert all(block in everything for block in kept), "nothing is made up"
        assert len(kept) >= whole[:cut].count(b'"message"') - 1, "at most the last record is lost"


@pytest.mark.parametrize("back", [1, 2, 40, 400])
async def test_what_is_added_after_a_torn_line_is_there_the_next_time(
    back: int, tmp_path: Path, isolated_machine: Path
) -> None:
    await live("tools", tmp_path, isolated_machine)
    path = transcript(isolated_machine)
    path.write_bytes(path.read_bytes()[:-back])
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        await rig.prompt("after the crash")
        messages = rig.engine.session.conversation.messages
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        assert normalize(rig.engine.session.conversation.messages, Accepted(system=True)) == normalize(
            messages, Accepted(system=True)
        )
        await rig.prompt("and again")
        assert "after the crash" in texts_in(rig.requests[-1])
        assert_all_valid(rig.requests)


async def test_a_bad_line_is_told_and_costs_only_itself(tmp_path: Path, isolated_machine: Path) -> None:
    await live("text", tmp_path, isolated_machine)
    path = transcript(isolated_machine)
    lines = path.read_bytes().splitlines(keepends=True)
    odd = [b"not json\n", b"[1, 2]\n", b'{"type": "user", "message": {"role": "user"}}\n', b"\xff\xfe\n", b"\n"]
    path.write_bytes(b"".join([*lines[:2], *odd, *lines[2:]]))
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        (notice,) = await _warnings(rig)
        assert "line" in notice.text
        await rig.prompt("go on")
        assert "What is here?" in texts_in(rig.requests[-1])


async def _warnings(rig: Rig) -> list[ev.Notice]:
    await rig.event(ev.Notice, lambda event: event.level == "warning")
    return [event for event in rig.of(ev.Notice) if event.level == "warning"]


async def test_thinking_is_left_out_where_the_tools_are_others(tmp_path: Path, isolated_machine: Path) -> None:
    await live("tools", tmp_path, isolated_machine)
    tools = ("Read", "LS")
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest", tools=tools) as rig:
        await rig.prompt("go on")
        kinds = {block["type"] for message in rig.requests[0].messages for block in message["content"]}
        assert "thinking" not in kinds and "tool_use" in kinds
        assert_all_valid(rig.requests)


async def test_the_account_goes_on(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    async with running([Reply([read(1)]), DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("x")
        total, cost = rig.engine.session.ledger.usage, rig.engine.session.ledger.cost_usd
        shown_last = rig.of(ev.UsageUpdated)[-1]
    assert total.output_tokens > 0 and cost
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        usage = await rig.event(ev.UsageUpdated)
        assert (usage.total, usage.cost_usd) == (total, cost)
        assert usage.last == shown_last.last


async def test_a_session_is_found_by_the_beginning_of_its_id(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("x")
        session_id = rig.engine.session_id
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with running([DONE], elsewhere, isolated_machine, host=later_host(), resume=session_id[:12]) as rig:
        assert rig.engine.session_id == session_id
        (first,) = rig.of(ev.SessionStarted) or [await rig.event(ev.SessionStarted)]
        assert first.is_resumed
    for wanted in ("ffffffff", "../x", ""):
        with pytest.raises(AgentError):
            async with running([DONE], elsewhere, isolated_machine, host=later_host(), resume=wanted):
                pass


async def test_a_session_is_open_once(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("x")
        with pytest.raises(AgentError):
            async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest"):
                pass


async def test_every_record_names_the_one_before_it(tmp_path: Path, isolated_machine: Path) -> None:
    await live("tools", tmp_path, isolated_machine)
    async with running([DONE], tmp_path, isolated_machine, host=later_host(), resume="latest") as rig:
        await rig.prompt("go on")
    records = [json.loads(line) for line in transcript(isolated_machine).read_bytes().splitlines()]
    assert records[0] == {"type": "header", "transcriptVersion": 1}
    chain = records[1:]
    assert chain[0]["parentUuid"] is None
    assert [record["parentUuid"] for record in chain[1:]] == [record["uuid"] for record in chain[:-1]]
    assert len({record["uuid"] for record in chain}) == len(chain)


async def test_a_disk_that_is_full_is_told_once_and_nothing_is_missing_later(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    write, full = os.write, False

    def failing(descriptor: int, data: bytes) -> int:
        if full:
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", failing)
    async with running([DONE] * 3, tmp_path, isolated_machine) as rig:
        await rig.prompt("one")
        full = True
        await rig.prompt("two")
        told = [event for event in rig.of(ev.Notice) if "cannot be written" in event.text]
        assert len(told) == 1 and told[0].level == "error"
        full = False
        await rig.prompt("three")
        await asyncio.sleep(0)
    prompts = [
        message.text for message in load_session(transcript(isolated_machine)).messages if message.role == "user"
    ]
    assert prompts == ["one", "two", "three"]


async def test_a_call_is_on_disk_before_it_runs_and_its_result_as_soon_as_it_comes(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill in the middle of a response would leave behind."""
    gate = install_gate(monkeypatch)
    rest = asyncio.Event()
    reply = Reply([thought(), say("Go."), gate_call("a"), gate_call("b"), say("more")], gates={4: rest})
    async with running([reply, DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a", "b")
        kept = load_session(transcript(isolated_machine)).messages
        assert [call.id for call in kept[-1].tool_uses] == ["a", "b"]
        gate.open("a")
        await rig.event(ev.ToolFinished)
        results = load_session(transcript(isolated_machine)).messages[-1].content
        assert [block.tool_use_id for block in results if isinstance(block, ToolResultBlock)] == ["a"]
        rest.set()
        gate.open("b")
        await rig.settle()


async def test_batches_are_the_same_after_a_resume(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    read = [call("Read", f"r{n}", file_path="a.txt") for n in range(3)]
    todo = call("TodoWrite", "w1", todos=[{"id": "1", "content": "x"}])
    replies = [Reply([read[0], read[1], todo, read[2]]), Reply([say("Read.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        live = {event.tool_use_id: event.batch for event in rig.of(ev.ToolStarted)}
    assert live == {"r0": 0, "r1": 0, "w1": 1, "r2": 2}
    async with running([], tmp_path, isolated_machine, resume="latest") as rig:
        await rig.until(lambda: len(rig.of(ev.ToolFinished)) == 4)
        assert {event.tool_use_id: event.batch for event in rig.of(ev.ToolStarted)} == live
