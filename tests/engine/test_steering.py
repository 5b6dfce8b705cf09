"""A message while calls run: some make way for it at once, the others come to their end, then it goes along."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import Interrupt, SubmitPrompt
from tests.fakes.engines import Rig, running
from tests.fakes.gate import Gate, SoftGate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, results_in


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


def soft(name: str) -> dict[str, object]:
    return gate_call(name, "SoftGate")


async def start(rig: Rig) -> None:
    await rig.do(SubmitPrompt(text="go"))


async def test_calls_that_may_be_dropped_are_and_the_others_finish_first(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("hard"), soft("one"), soft("two")]), Reply([say("Other way, then.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await start(rig)
        await gate.inside("hard")
        await SoftGate.inside("one", "two")
        await rig.do(SubmitPrompt(text="the other way"))
        await rig.until(lambda: len(rig.of(ev.ToolFinished)) == 2)
        assert SoftGate.running == [] and gate.running == ["hard"]
        assert len(rig.requests) == 1, "what must not be dropped is waited for"
        gate.open("hard")
        await rig.settle()
        results = results_in(rig.requests[1])
        assert list(results) == ["hard", "one", "two"]
        assert results["hard"]["content"] == "through hard"
        assert all(results[name]["is_error"] and "message" in results[name]["content"] for name in ("one", "two"))
        assert rig.requests[1].messages[-1]["content"][-1]["text"] == "the other way"
        assert len(rig.of(ev.TurnEnded)) == 1
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_what_has_not_begun_is_not_begun(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    blocks = [gate_call("first", safe=False), soft("later"), gate_call("last", safe=False)]
    async with running([Reply(blocks), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await start(rig)
        await gate.inside("first")
        await rig.event(ev.RequestFinished)
        await rig.do(SubmitPrompt(text="hm"))
        gate.open("first", "last")
        await rig.settle()
        results = results_in(rig.requests[1])
        assert SoftGate.order == [] and "Not run" in results["later"]["content"]
        assert results["last"]["content"] == "through last", "the response is still carried out"


async def test_a_call_that_comes_after_the_message_is_dropped_too(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    more = asyncio.Event()
    replies = [Reply([gate_call("hard"), soft("late")], gates={1: more}), Reply([soft("next")]), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await start(rig)
        await gate.inside("hard")
        await rig.do(SubmitPrompt(text="hm"))
        more.set()
        await rig.event(ev.ToolFinished, lambda event: event.tool_use_id == "late")
        gate.open("hard")
        SoftGate.open("next")
        await rig.settle()
        assert SoftGate.order == ["next"], "the response after the message is as any other"


async def test_a_message_for_later_drops_nothing(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    replies = [Reply([soft("one")]), Reply([say("x")]), Reply([say("y")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await start(rig)
        await SoftGate.inside("one")
        await rig.do(SubmitPrompt(text="and then", lane="follow_up"))
        assert rig.of(ev.ToolFinished) == []
        SoftGate.open("one")
        await rig.settle()
        assert results_in(rig.requests[1])["one"]["content"] == "through one"


async def test_dropped_and_then_interrupted(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    replies = [Reply([gate_call("hard"), soft("one")]), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await start(rig)
        await gate.inside("hard")
        await SoftGate.inside("one")
        await rig.do(SubmitPrompt(text="hm"))
        await rig.do(Interrupt())
        await rig.settle()
        assert sorted(event.tool_use_id for event in rig.of(ev.ToolFinished)) == ["hard", "one"]
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["interrupted", "completed"]
        assert rig.requests[-1].messages[-1]["content"][-1]["text"] == "hm"
        assert_all_valid(rig.requests)


async def test_who_looks_on_sees_whole_paths_and_the_model_its_own_words(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    blocks = [call("Read", "r", file_path="a.txt"), call("Write", "w", file_path="./b.txt", content="x")]
    async with running([Reply(blocks), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await start(rig)
        asked = await rig.event(ev.PermissionRequested)
        assert asked.request.input == {"file_path": str(tmp_path / "b.txt"), "content": "x"}
        await rig.do(Interrupt())
        await rig.settle()
        await rig.prompt("go on")
        started = {event.tool_use_id: event.input["file_path"] for event in rig.of(ev.ToolStarted)}
        assert started == {"r": str(tmp_path / "a.txt"), "w": str(tmp_path / "b.txt")}
        calls = [block for block in rig.requests[-1].messages[1]["content"] if block["type"] == "tool_use"]
        assert [block["input"]["file_path"] for block in calls] == ["a.txt", "./b.txt"]
