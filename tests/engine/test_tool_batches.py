"""Tool calls of one response: when they start, which run together, and what comes back in which order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, running
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.modifying_tool import install_modify
from tests.fakes.wire import assert_all_valid, assert_growing, results_in


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


def read(number: int) -> dict[str, Any]:
    return call("Read", f"r{number}", file_path="a.txt")


async def submit(rig: Rig, text: str = "go") -> None:
    rig.engine.session.submit(text)


def position(rig: Rig, kind: type[Any], **fields: Any) -> int:
    """Sequence number of the first event of a class with these fields."""
    for envelope in rig.envelopes:
        event = envelope.event
        if isinstance(event, kind) and all(getattr(event, key) == value for key, value in fields.items()):
            return envelope.seq
    raise AssertionError(f"no {kind.__name__} with {fields}")


async def test_a_call_starts_while_the_response_still_streams(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    second, third = asyncio.Event(), asyncio.Event()
    replies = [Reply([read(1), read(2), read(3)], gates={1: second, 2: third}), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig)
        await rig.event(ev.ToolFinished, lambda event: event.tool_use_id == "r1")
        assert not rig.of(ev.RequestFinished)
        assert [event.tool_use_id for event in rig.of(ev.ToolStarted)] == ["r1"]
        second.set()
        await rig.event(ev.ToolStarted, lambda event: event.tool_use_id == "r2")
        assert not rig.of(ev.RequestFinished)
        third.set()
        await rig.settle()
        assert list(results_in(rig.requests[-1])) == ["r1", "r2", "r3"]
        assert_all_valid(rig.requests)


async def test_reads_run_together_and_an_edit_alone(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    reply = Reply(
        [
            read(1),
            call("Glob", "g", pattern="*"),
            call("Grep", "s", pattern="one"),
            call("Edit", "e", file_path="a.txt", old_string="one", new_string="two"),
            read(2),
        ]
    )
    settings = Settings(mode="acceptEdits")
    async with running([reply, Reply([say("Done.")])], tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        batches = {event.tool_use_id: event.batch for event in rig.of(ev.ToolStarted)}
        assert batches == {"r1": 0, "g": 0, "s": 0, "e": 1, "r2": 2}
        for earlier in ("r1", "g", "s"):
            assert position(rig, ev.ToolFinished, tool_use_id=earlier) < position(rig, ev.ToolStarted, tool_use_id="e")
        assert position(rig, ev.ToolFinished, tool_use_id="e") < position(rig, ev.ToolStarted, tool_use_id="r2")
        results = results_in(rig.requests[-1])
        assert not any(result.get("is_error") for result in results.values()), results
        assert "two" in results["r2"]["content"]


async def test_results_stand_in_block_order_whatever_the_order_of_completion(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    names = ["a", "b", "c", "d"]
    replies = [Reply([gate_call(name) for name in names]), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig)
        for name in ("c", "a", "d", "b"):
            gate.open(name)
            await rig.event(ev.ToolFinished, lambda event, wanted=name: event.tool_use_id == wanted)
        await rig.settle()
        assert [event.tool_use_id for event in rig.of(ev.ToolFinished)] == ["c", "a", "d", "b"]
        assert list(results_in(rig.requests[-1])) == names


async def test_an_unsafe_call_is_alone_and_what_follows_waits(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    blocks = [gate_call("a"), gate_call("b", safe=False), gate_call("c", safe=False), gate_call("d"), gate_call("e")]
    async with running([Reply(blocks), Reply([say("Done.")])], tmp_path, isolated_machine) as rig:
        await submit(rig)
        for together in (["a"], ["b"], ["c"], ["d", "e"]):
            await gate.inside(*together)
            await rig.event(ev.RequestFinished)
            gate.open(*together)
            await rig.event(ev.ToolFinished, lambda event, last=together[-1]: event.tool_use_id == last)
        await rig.settle()
        assert gate.order == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("limit", [10, 3])
async def test_never_more_at_once_than_the_limit(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate], limit: int
) -> None:
    names = [f"n{number:02}" for number in range(14)]
    settings = Settings() if limit == 10 else Settings(max_tool_concurrency=limit)
    replies = [Reply([gate_call(name) for name in names]), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await submit(rig)
        await rig.event(ev.RequestFinished)
        await gate.inside(*names[:limit])
        gate.open(names[0])
        await gate.inside(*names[1 : limit + 1])
        gate.open(*names)
        await rig.settle()
        assert gate.most == limit
        assert gate.order == names
        assert list(results_in(rig.requests[-1])) == names


async def test_eight_reads_run_at_once(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    names = [f"n{number}" for number in range(8)]
    replies = [Reply([gate_call(name) for name in names]), Reply([say("Done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await submit(rig)
        await gate.inside(*names)
        gate.open(*names)
        await rig.settle()
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"type": "tool_use", "id": "t", "name": "Read", "input": '{"file_path": "a.tx'}, "JSON"),
    "no object": ({"type": "tool_use", "id": "t", "name": "Read", "input": "[1]"}, "object"),
    "unknown tool": (call("Teleport", "t", to="moon"), "Teleport"),
    "missing field": (call("Read", "t"), "file_path"),
    "extra field": (call("Read", "t", file_path="a.txt", colour="red"), "colour"),
    "wrong type": (call("Read", "t", file_path=7), "file_path"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_call_that_cannot_run_becomes_an_error_result(
    tmp_path: Path, isolated_machine: Path, case: str
) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    block, said = BAD[case]
    replies = [Reply([block, read(1)]), Reply([say("I see.")]), Reply([say("Still here.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert results["t"]["is_error"]
        assert said in results["t"]["content"]
        assert "one" in results["r1"]["content"]
        await rig.prompt("again")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed", "completed"]
        assert not rig.of(ev.FaultOccurred)
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_tool_that_raises_becomes_an_error_result_and_its_neighbours_go_on(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    gate.open("bad", "good", "later")
    blocks = [gate_call("bad", error="kaboom"), gate_call("good"), gate_call("later", safe=False)]
    async with running([Reply(blocks), Reply([say("Done.")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        results = results_in(rig.requests[-1])
        assert results["bad"]["is_error"] and "kaboom" in results["bad"]["content"]
        assert (results["good"]["content"], results["later"]["content"]) == ("through good", "through later")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_each_call_starts_and_finishes_once_within_its_turn(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    gate.open("a", "b")
    async with running([Reply([gate_call("a"), gate_call("b")]), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert [event.tool_use_id for event in rig.of(ev.ToolStarted)] == ["a", "b"]
        assert sorted(event.tool_use_id for event in rig.of(ev.ToolFinished)) == ["a", "b"]
        turns = {envelope.turn_id for envelope in rig.envelopes if isinstance(envelope.event, ev.ToolFinished)}
        assert len(turns) == 1 and turns != {""}
        assert rig.envelopes[-1].seq >= position(rig, ev.TurnEnded)


async def test_a_cwd_change_of_one_call_reaches_the_next_of_the_same_response(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "here.txt").write_text("found\n")
    blocks = [call("Bash", "cd", command="cd sub"), call("Read", "r", file_path="here.txt")]
    settings = Settings(rules=allowing("Bash"))
    async with running([Reply(blocks), Reply([say("x")])], tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        assert "found" in results_in(rig.requests[-1])["r"]["content"]


async def test_a_file_name_that_is_not_utf8_does_not_break_the_session(tmp_path: Path, isolated_machine: Path) -> None:
    (Path(str(tmp_path)) / "b\udcff.txt").write_text("odd\n")
    replies = [Reply([call("LS", "l", path=str(tmp_path)), call("Glob", "g", pattern="*")]), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        assert_all_valid(rig.requests)
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_a_servers_id_never_chooses_where_a_large_result_is_written(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "many.txt").write_text("match this line, please\n" * 2_000)
    grep = call("Grep", "../../../../escaped", pattern="match", path="many.txt", output_mode="content", head_limit=2000)
    async with running([Reply([grep]), Reply([say("Seen.")])], tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (result,) = rig.of(ev.ToolFinished)
        assert "too large to show" in result.content
        assert not list(isolated_machine.rglob("escaped.txt"))
        assert [path.parent.name for path in isolated_machine.rglob("*escaped*.txt")] == ["outputs"]


async def test_what_calls_change_counts_at_once_after_one_that_ran_alone_and_after_the_batch_in_block_order_else(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modify = install_modify(monkeypatch)
    home = tmp_path / "start"
    home.mkdir()
    names = {"alone": False, "one": True, "two": True, "three": True, "last": False}
    modes = {"alone": "acceptEdits", "one": "plan", "three": "default"}
    blocks = [call("Modify", name, folder=name, safe=safe, mode=modes.get(name)) for name, safe in names.items()]
    async with running([Reply(blocks), Reply([say("x")])], home, isolated_machine) as rig:
        await submit(rig)
        # The members of the batch end in another order than they stand in.
        for name in ("alone", "three", "one", "two", "last"):
            modify.gates[name].set()
            await rig.event(ev.ToolFinished, lambda event, wanted=name: event.tool_use_id == wanted)
        await rig.settle()
        found = {name: block["content"] for name, block in results_in(rig.requests[-1]).items()}
        assert found == {
            "alone": "start default",
            "one": "alone acceptEdits",
            "two": "alone acceptEdits",
            "three": "alone acceptEdits",
            "last": "three default",
        }
        assert [event.mode for event in rig.of(ev.ModeChanged)] == ["acceptEdits", "plan", "default"]
        assert rig.engine.session.state.tools.cwd.name == "last"
