"""Interrupting a turn wherever it stands leaves a valid history, one result for each call, and nothing running."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.messages import ToolUseBlock
from core.protocol.ops import AnswerPermission, Interrupt, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, fake_host, running
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, results_in, texts_in, thought

ENDLESS = "echo $$ > pid; echo started; sleep 300"


def script() -> list[Reply]:
    """Two responses with several batches, a question, and a child process that never ends by itself."""
    return [
        Reply(
            [
                thought("First I look around."),
                say("Looking around in this folder."),
                call("Read", "r1", file_path="a.txt"),
                call("Glob", "g1", pattern="*"),
                call("Write", "w1", file_path="new.txt", content="x\n"),
                call("Read", "r2", file_path="a.txt"),
            ]
        ),
        Reply([say("Now the long one."), call("Bash", "b1", command=ENDLESS), call("Read", "r3", file_path="a.txt")]),
    ]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def answer_questions(rig: Rig, answered: set[str]) -> None:
    for event in rig.of(ev.PermissionRequested):
        if event.request.id not in answered:
            answered.add(event.request.id)
            await rig.do(AnswerPermission(request_id=event.request.id, answer="once"))


async def play(tmp_path: Path, home: Path, stop_at: int | None) -> list[ev.Event]:
    """Run the turn, interrupt it at event ``stop_at`` (None: once the child runs), and check every law."""
    (tmp_path / "a.txt").write_text("one\n")
    replies, is_stopped = script(), False

    def answer(_request: ModelRequest) -> Reply:
        return Reply([say("After.")]) if is_stopped else replies.pop(0)

    async with running(answer, tmp_path, home) as rig:
        answered: set[str] = set()
        await rig.do(SubmitPrompt(text="go"))
        child = tmp_path / "pid"
        async with asyncio.timeout(10):
            while True:
                if stop_at is not None and len(rig.events) >= stop_at:
                    break
                if stop_at is None and any("started" in event.text for event in rig.of(ev.ToolProgress)):
                    break
                if rig.of(ev.TurnEnded):
                    break
                if stop_at is None or len(rig.events) < stop_at:
                    await answer_questions(rig, answered)
                rig.changed.clear()
                await rig.changed.wait()
        is_stopped = True
        await rig.do(Interrupt())
        await rig.settle()
        check_turn(rig, child)
        seen = list(rig.events)
        await rig.prompt("next")
        check_history(rig)
        return seen


def check_turn(rig: Rig, child: Path) -> None:
    (end,) = rig.of(ev.TurnEnded)
    assert end.reason == "interrupted"
    own = [envelope.event for envelope in rig.envelopes if envelope.turn_id]
    assert own[-1] == end, "nothing of the turn comes after its end"
    if child.exists() and child.read_text().strip():
        assert not is_alive(int(child.read_text()))
    asked = calls_of(rig)
    finished = [event.tool_use_id for event in rig.of(ev.ToolFinished)]
    assert sorted(finished) == sorted(asked)
    assert {event.tool_use_id for event in rig.of(ev.ToolStarted)} <= set(asked)
    questions = [event.request.id for event in rig.of(ev.PermissionRequested)]
    assert [event.request_id for event in rig.of(ev.PermissionResolved)] == questions
    assert rig.engine.calls.broker.pending == ()
    open_blocks = {event.block_id for event in rig.of(ev.BlockStarted)}
    closed = {event.block_id for event in [*rig.of(ev.BlockFinished), *rig.of(ev.BlockDiscarded)]}
    assert open_blocks <= closed, "every block that began is finished or forgotten"


def calls_of(rig: Rig) -> list[str]:
    """Ids of all calls whose block is complete, in order."""
    return [event.block.id for event in rig.of(ev.BlockFinished) if isinstance(event.block, ToolUseBlock)]


def check_history(rig: Rig) -> None:
    assert rig.of(ev.TurnEnded)[-1].reason == "completed"
    assert_all_valid(rig.requests)
    assert_growing(rig.requests)
    last = rig.requests[-1]
    asked = calls_of(rig)
    results = results_in(last)
    assert list(results) == asked
    for event in rig.of(ev.ToolFinished):
        assert results[event.tool_use_id]["content"] == event.content
    assert texts_in(last)[-1] == "next"
    assert any("interrupted" in text for text in texts_in(last)), "the model is told that it did not stop by itself"


async def test_with_a_child_process_running(tmp_path: Path, isolated_machine: Path) -> None:
    events = await play(tmp_path, isolated_machine, None)
    (stopped,) = [event for event in events if isinstance(event, ev.ToolFinished) and event.tool_use_id == "b1"]
    assert stopped.is_error
    assert (tmp_path / "pid").exists()


@pytest.mark.parametrize("part", range(4))
async def test_at_every_event(tmp_path: Path, isolated_machine: Path, part: int) -> None:
    """Each event of the whole turn is once the last one seen before the interrupt."""
    whole = tmp_path / "whole"
    whole.mkdir()
    events = await play(whole, isolated_machine / "whole", None)
    ends = next(number for number, event in enumerate(events) if isinstance(event, ev.ToolProgress))
    for stop_at in range(2 + part, ends + 1, 4):
        folder = tmp_path / str(stop_at)
        folder.mkdir()
        await play(folder, isolated_machine / str(stop_at), stop_at)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


async def test_calls_that_ended_keep_their_results(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    blocks = [gate_call("a"), gate_call("b"), gate_call("c", safe=False)]
    async with running([Reply(blocks), Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a", "b")
        gate.open("a")
        await rig.event(ev.ToolFinished)
        await rig.do(Interrupt())
        await rig.settle()
        await rig.prompt("next")
        results = results_in(rig.requests[-1])
        assert list(results) == ["a", "b", "c"]
        assert (results["a"]["content"], results["a"].get("is_error")) == ("through a", None)
        assert results["b"]["is_error"] and results["c"]["is_error"]
        assert gate.order == ["a", "b"]
        assert gate.running == []


async def test_text_that_was_cut_off_stays(tmp_path: Path, isolated_machine: Path) -> None:
    never = asyncio.Event()
    replies = [Reply([say("Whole."), say("x")], gates={1: never}), Reply([say("y")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.BlockFinished)
        await rig.do(Interrupt())
        await rig.settle()
        await rig.prompt("next")
        assert texts_in(rig.requests[-1], "assistant") == ["Whole."]


async def test_pressing_it_often_is_as_good_as_once(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    replies = [Reply([gate_call("a"), gate_call("b", safe=False)]), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a")
        await rig.event(ev.RequestFinished)
        for _ in range(5):
            await rig.do(Interrupt())
            await asyncio.sleep(0)
        await rig.settle()
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["interrupted"]
        await rig.prompt("next")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert set(results_in(rig.requests[-1])) == {"a", "b"}
        assert_all_valid(rig.requests)


async def test_with_nothing_running_it_does_nothing(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")])], tmp_path, isolated_machine) as rig:
        await rig.do(Interrupt())
        await rig.prompt("hi")
        await rig.do(Interrupt())
        await rig.settle()
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"]


async def test_right_after_submitting(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([Reply([say("x")]), Reply([say("y")])], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="first"))
        await rig.do(Interrupt())
        await rig.settle()
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["interrupted"]
        await rig.prompt("second")
        texts = texts_in(rig.requests[-1])
        assert "first" in texts and texts[-1] == "second", "what was typed is not lost"
        assert_all_valid(rig.requests)


async def test_while_a_retry_is_waited_for(tmp_path: Path, isolated_machine: Path) -> None:
    host = fake_host()
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            waiting.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    host.clock.sleep = sleep  # pyright: ignore[reportAttributeAccessIssue]
    replies = [Reply([thought()], error=ModelError("overloaded", "Busy.")), Reply([say("x")])]
    async with running(replies, tmp_path, isolated_machine, host=host) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await waiting.wait()
        await rig.do(Interrupt())
        await rig.settle()
        assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"
        assert len(rig.of(ev.BlockDiscarded)) == 1
        await rig.prompt("next")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert_all_valid(rig.requests)


async def test_closing_the_engine_ends_the_turn_and_its_child(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(rules=allowing("Bash"))
    replies = [Reply([call("Bash", "b1", command=ENDLESS)])]
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.until(lambda: any("started" in event.text for event in rig.of(ev.ToolProgress)))
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
        assert os.getpgid(pid) == pid, "the command leads a group of its own"
    assert not is_alive(pid)
    assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"


async def test_a_fault_in_the_program_ends_the_turn_only(tmp_path: Path, isolated_machine: Path) -> None:
    def broken(request: ModelRequest) -> Reply:
        if len(request.messages) == 1 and len(request.messages[0]["content"]) == 1:
            raise RuntimeError("a bug of ours")
        return Reply([say("Fine.")])

    async with running(broken, tmp_path, isolated_machine) as rig:
        await rig.prompt("go")
        (fault,) = rig.of(ev.FaultOccurred)
        assert "a bug of ours" in fault.text
        assert rig.of(ev.TurnEnded)[-1].reason == "error"
        await rig.prompt("again")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_what_a_command_had_printed_is_not_forgotten(tmp_path: Path, isolated_machine: Path) -> None:
    command = "echo first; sleep 600"
    replies = [Reply([call("Bash", "t1", command=command)]), Reply([say("Good.")])]
    settings = Settings(rules=allowing("Bash"))
    async with running(replies, tmp_path, isolated_machine, settings=settings) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.ToolProgress, lambda event: "first" in event.text)
        await rig.do(Interrupt())
        await rig.settle()
        (result,) = rig.of(ev.ToolFinished)
        assert result.is_error and "Interrupted" in result.content and "first" in result.content
        await rig.prompt("and?")
        assert "first" in str(rig.requests[-1].messages)
