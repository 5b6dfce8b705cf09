"""What ended in the background: told to the model once, in the turn that runs or in one of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import Compact, Interrupt, MoveTask, ReadTask, RunShell, StopTask, SubmitPrompt
from core.query.notification import read_notification
from core.settings.schema import Settings
from tests.fakes.engines import Rig, allowing, running
from tests.fakes.errand import Errand
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.wire import OLD, assert_all_valid, assert_growing

DONE = Reply([say("Done.")])
FREE = Settings(rules=allowing("Bash"))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


def errand(rig: Rig, task_id: str, **more: str) -> Errand:
    return Errand(rig.engine.calls.services.task_registry, task_id, **more)  # pyright: ignore[reportArgumentType]


def told(request: ModelRequest) -> list[tuple[str, str]]:
    """Role and id of the notifications in a request, in order."""
    found: list[tuple[str, str]] = []
    for message in request.messages:
        for block in message["content"]:
            text = block.get("text", "").removeprefix("<system-reminder>\n").removesuffix("\n</system-reminder>")
            ended = read_notification(text)
            if ended is not None:
                found.append((message["role"], ended.task.id))
    return found


async def test_a_command_that_ends_between_two_turns_starts_one(tmp_path: Path, isolated_machine: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    start = Reply([call("Bash", "b", command="read x < gate; echo built; exit 3", run_in_background=True)])
    async with running([start, DONE, Reply([say("It failed.")])], tmp_path, isolated_machine, settings=FREE) as rig:
        await rig.prompt("build")
        assert len(rig.requests) == 2 and not rig.of(ev.TaskNotified)
        assert "You will be told" in str(rig.of(ev.ToolFinished)[0].content)
        await asyncio.to_thread((tmp_path / "gate").write_text, "go\n")
        ended = await rig.event(ev.TaskNotified)
        await rig.settle()
        (shell,) = rig.of(ev.TasksChanged)[-1].tasks
        assert ended.task == shell and (shell.status, shell.exit_code, shell.agent) == ("failed", 3, "")
        assert shell.ended_at >= shell.started_at > 0
        assert ended.text == "built"
        assert told(rig.requests[2]) == [("user", shell.id)], "behind an answer only the user can speak"
        assert len(rig.of(ev.TurnEnded)) == len(rig.of(ev.TurnStarted)) == 2
        assert len(rig.of(ev.PromptSubmitted)) == 1
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


@pytest.mark.parametrize(("model", "role"), [("claude-opus-5-5", "system"), (OLD, "user")])
async def test_during_a_turn_it_is_told_between_two_rounds(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate], model: str, role: str
) -> None:
    replies = [Reply([gate_call("a")]), Reply([gate_call("b")]), DONE]
    async with running(replies, tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
        task = errand(rig, "a000001")
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a")
        task.end()
        gate.open("a")
        await gate.inside("b")
        assert told(rig.requests[1]) == [(role, "a000001")]
        gate.open("b")
        await rig.settle()
        assert told(rig.requests[2]) == [(role, "a000001")], "once"
        assert len(rig.of(ev.TurnEnded)) == 1
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_two_ends_at_once_are_one_turn(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE, DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        one, two = errand(rig, "a000001"), errand(rig, "a000002")
        two.end("failed")
        one.end()
        await rig.settle()
        assert told(rig.requests[-1]) == [("user", "a000002"), ("system", "a000001")]
        assert len(rig.requests) == 2
        assert_all_valid(rig.requests)


async def test_an_end_during_the_last_answer_is_followed_by_a_turn(tmp_path: Path, isolated_machine: Path) -> None:
    more = asyncio.Event()
    async with running([Reply([say("Well"), say("Done.")], gates={1: more}), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="hi"))
        await rig.event(ev.BlockFinished)
        errand(rig, "a000001").end()
        more.set()
        await rig.settle()
        assert told(rig.requests[0]) == [] and told(rig.requests[1]) == [("user", "a000001")]
        assert len(rig.of(ev.TurnEnded)) == 2
        assert_all_valid(rig.requests)


async def test_what_the_user_killed_waits_for_the_next_prompt(tmp_path: Path, isolated_machine: Path) -> None:
    start = Reply([call("Bash", "b", command="exec sleep 300", run_in_background=True)])
    async with running([start, DONE, DONE], tmp_path, isolated_machine, settings=FREE) as rig:
        await rig.prompt("serve")
        (shell,) = rig.of(ev.TasksChanged)[-1].tasks
        await rig.do(StopTask(task_id=shell.id))
        await rig.settle()
        assert len(rig.requests) == 2 and rig.of(ev.TasksChanged)[-1].tasks[0].status == "killed"
        await rig.do(StopTask(task_id=shell.id))
        await rig.event(ev.Notice, lambda notice: "already ended (killed)" in notice.text)
        await rig.prompt("go on")
        assert told(rig.requests[2]) == [("system", shell.id)]
        assert rig.of(ev.TaskNotified)[0].task.status == "killed"
        assert_all_valid(rig.requests)


async def test_what_the_model_has_ended_or_read_itself_is_no_news(tmp_path: Path, isolated_machine: Path) -> None:
    start = Reply([call("Bash", "b", command="exec sleep 300", run_in_background=True)])

    def script(request: ModelRequest) -> Reply:
        return replies.pop(0)

    replies = [start, DONE]
    async with running(script, tmp_path, isolated_machine, settings=FREE) as rig:
        await rig.prompt("serve")
        shell_id = rig.of(ev.TasksChanged)[-1].tasks[0].id
        task = errand(rig, "a000002")
        task.end("killed")
        replies[:] = [Reply([call("KillShell", "k", shell_id=shell_id), call("BashOutput", "o", shell_id="a000002")])]
        replies += [DONE, DONE]
        await rig.prompt("stop it")
        results = [str(event.content) for event in rig.of(ev.ToolFinished)][1:]
        assert results == [f"{shell_id} was killed.", "[a000002 killed]\nresult of a000002"]
        await rig.prompt("go on")
        # The errand had been told of with the prompt, before it was read.
        assert [ended.task.id for ended in rig.of(ev.TaskNotified)] == ["a000002"]


async def test_after_an_interrupt_nothing_begins_by_itself_and_nothing_is_lost(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    async with running([Reply([gate_call("a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="hi"))
        await gate.inside("a")
        errand(rig, "a000001").end()
        await rig.do(Interrupt())
        errand(rig, "a000002").end()
        await rig.settle()
        assert len(rig.requests) == 1 and len(rig.of(ev.TurnEnded)) == 1
        await rig.prompt("go on")
        assert [task_id for _role, task_id in told(rig.requests[1])] == ["a000001", "a000002"]
        assert_all_valid(rig.requests)


async def test_after_a_turn_that_failed_the_next_end_tells_of_all(tmp_path: Path, isolated_machine: Path) -> None:
    broken = Reply(error=ModelError("auth", "No key."))
    async with running([broken, DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="hi"))
        killed = errand(rig, "a000001")
        await rig.settle()
        killed.end("killed")
        errand(rig, "a000002").end()
        await rig.settle()
        assert [task_id for _role, task_id in told(rig.requests[1])] == ["a000001", "a000002"]


async def test_closing_starts_nothing_and_ends_everything(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        task = errand(rig, "a000001")
        await rig.do(RunShell(command="echo up; exec sleep 300"))
        await rig.until(lambda: bool(rig.of(ev.ToolProgress)))
    assert task.info.status == "killed"
    assert len(rig.requests) == 1 and len(rig.of(ev.TurnStarted)) == 1


async def test_what_an_agent_has_started_is_told_to_it_and_to_the_main_model_once_it_is_over(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with running([DONE, DONE], tmp_path, isolated_machine) as rig:
        agent, shell = errand(rig, "a000001"), errand(rig, "b000002", kind="shell", agent="a000001")
        shell.end()
        await rig.prompt("hi")
        assert told(rig.requests[0]) == []
        agent.end(notify=False)
        await rig.event(ev.TaskNotified)
        await rig.settle()
        assert told(rig.requests[1]) == [("user", "b000002")]


async def test_a_command_of_an_agent_is_told_to_it_between_its_own_steps(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    os.mkfifo(tmp_path / "wait")
    bash = call("Bash", "b", command="read x < wait; echo built", run_in_background=True)
    agent = [Reply([bash]), Reply([gate_call("a")]), Reply([say("It is built.")])]
    main = [Reply([call("Task", "t", description="Build", prompt="Build!")]), DONE]

    def script(request: ModelRequest) -> Reply:
        return (agent if request.query_source == "agent" else main).pop(0)

    async with running(script, tmp_path, isolated_machine, settings=FREE, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside("a")
        await asyncio.to_thread((tmp_path / "wait").write_text, "go\n")
        await rig.event(ev.TasksChanged, lambda event: any(task.exit_code == 0 for task in event.tasks))
        gate.open("a")
        await rig.settle()
        (ended,) = [envelope for envelope in rig.envelopes if isinstance(envelope.event, ev.TaskNotified)]
        (started,) = rig.of(ev.AgentStarted)
        assert ended.agent_id == started.agent.id
        of_agent = [request for request in rig.requests if request.query_source == "agent"]
        assert [len(told(request)) for request in of_agent] == [0, 0, 1]
        assert all(told(request) == [] for request in rig.requests if request.query_source == "main")
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("moves", [(), (False,), (True,), (True, False), (False, True)])
@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
async def test_wherever_an_agent_is_moved_its_result_is_told_once(
    tmp_path: Path, isolated_machine: Path, moves: tuple[bool, ...], in_background: bool, at_once: bool
) -> None:
    more = asyncio.Event()
    agent = [Reply([say("Well."), say("It is built.")], gates={1: more})]
    task = call("Task", "t", description="Build", prompt="Build!", run_in_background=in_background)
    main = [Reply([task]), DONE, DONE, DONE]

    def script(request: ModelRequest) -> Reply:
        return (agent if request.query_source == "agent" else main).pop(0)

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        started = await rig.event(ev.AgentStarted)
        await rig.until(lambda: sum(request.query_source == "agent" for request in rig.requests) == 1)
        if in_background:
            await rig.settle()
        if at_once:
            more.set()
        for to_background in moves:
            await rig.do(MoveTask(task_id=started.agent.id, to_background=to_background))
        more.set()
        await rig.event(ev.AgentEnded)
        await rig.settle()
        await rig.prompt("go on")
        last = str(rig.requests[-1].messages)
        assert last.count("It is built.") == 1
        assert_all_valid(rig.requests)


async def test_a_resumed_session_shows_it_again(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE, DONE], tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        errand(rig, "a000001").end("failed")
        await rig.settle()
        (live,) = rig.of(ev.TaskNotified)
    async with running([DONE], tmp_path, isolated_machine, resume="latest") as again:
        await again.prompt("go on")
        (shown,) = again.of(ev.TaskNotified)
        assert (shown.task.id, shown.task.status, shown.text) == ("a000001", "failed", live.text)
        assert [event.text for event in again.of(ev.PromptSubmitted)] == ["hi", "go on"]
        assert told(again.requests[0]) == [("user", "a000001")]
        assert_growing([rig.requests[-1], again.requests[0]])


async def test_tasks_are_read_and_moved_by_id(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([], tmp_path, isolated_machine) as rig:
        task = errand(rig, "a000001")
        await rig.do(ReadTask(task_id="a000001"))
        output = await rig.event(ev.TaskOutputReported)
        assert (output.text, output.total_lines, output.path) == ("so far a000001", 1, "/tmp/errand")
        await rig.do(MoveTask(task_id="a000001", to_background=False))
        assert not task.info.in_background
        await rig.do(MoveTask(task_id="a000001", to_background=False))
        await rig.event(ev.Notice, lambda notice: "foreground already" in notice.text)
        for op in (ReadTask(task_id="b9"), StopTask(task_id="b9"), MoveTask(task_id="b9", to_background=True)):
            count = len([notice for notice in rig.of(ev.Notice) if notice.text == "There is no task b9."])
            await rig.do(op)
            await rig.until(
                lambda count=count: sum(event.text == "There is no task b9." for event in rig.of(ev.Notice)) > count
            )


async def test_a_compaction_tells_again_what_runs(tmp_path: Path, isolated_machine: Path) -> None:
    def script(request: ModelRequest) -> Reply:
        return Reply([say("## Intent\nTo see." if request.query_source == "compaction" else "Some words.")])

    async with running(script, tmp_path, isolated_machine) as rig:
        await rig.prompt("hi")
        for task_id, more in (("a000001", {}), ("b000002", {"kind": "shell"}), ("b000003", {"agent": "a000001"})):
            errand(rig, task_id, **more)
        errand(rig, "a000004").end("killed")
        await rig.do(Compact())
        await rig.settle()
        (finished,) = rig.of(ev.CompactionFinished)
        assert "2 running in the background" in finished.kept
        await rig.prompt("go on")
        sent = str(rig.requests[-1].messages)
        assert "a000001, agent: Errand a000001\\nb000002, shell: Errand b000002" in sent
        assert "b000003" not in sent, "that is the agent's"
        assert [task_id for _role, task_id in told(rig.requests[-1])] == ["a000004"]


Deed = Literal["start", "end", "kill", "interrupt", "prompt", "open"]
DEEDS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["start", "end", "end", "kill", "interrupt", "prompt", "open"]),
    ),
    max_size=14,
)
SCRIPTS = st.lists(st.booleans(), max_size=5)


class Play:
    """One session in which tasks end whenever an example says so."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.numbers = itertools.count(1)
        self.live: list[Errand] = []
        self.ended: list[str] = []

    async def do(self, deed: Deed) -> None:
        match deed:
            case "start":
                self.live.append(errand(self.rig, f"a{next(self.numbers):06d}"))
            case "end" | "kill":
                if self.live:
                    task = self.live.pop(0)
                    self.ended.append(task.info.id)
                    task.end("killed" if deed == "kill" else "completed")
            case "interrupt":
                await self.rig.do(Interrupt())
            case "prompt":
                await self.rig.do(SubmitPrompt(text="words"))
            case "open":
                Gate.open(*Gate.running)

    async def to_the_end(self) -> None:
        tasks = self.rig.engine.calls.services.task_registry
        async with asyncio.timeout(20):
            while self.rig.engine.session.is_busy or tasks.calls_for_turn:
                await self.do("open")
                await asyncio.sleep(0)
        await self.rig.settle()


async def played(folder: Path, home: Path, script: list[bool], deeds: list[tuple[int, Deed]]) -> None:
    names = itertools.count(1)
    rounds = iter(script)

    def answer(_request: ModelRequest) -> Reply:
        return Reply([gate_call(f"c{next(names)}")]) if next(rounds, False) else Reply([say("Some words of mine.")])

    async with running(answer, folder, home) as rig:
        play = Play(rig)
        await play.do("start")
        await play.do("prompt")
        for spins, deed in deeds:
            for _ in range(spins):
                await asyncio.sleep(0)
            await play.do(deed)
        await play.to_the_end()
        before = len(rig.requests)
        rounds = iter(())
        await rig.prompt("the last one")
        assert len(rig.requests) == before + 1
        heard = [task_id for _role, task_id in told(rig.requests[-1])]
        assert heard == play.ended, "each end once, in order"
        assert [event.task.id for event in rig.of(ev.TaskNotified)] == play.ended
        assert not rig.of(ev.FaultOccurred)
        assert_all_valid(rig.requests)
        if all(deed != "interrupt" for _spins, deed in deeds):
            # After one, what the user is said to have done moves before a notice that had no answer yet.
            assert_growing(rig.requests)
        assert len(rig.of(ev.TurnEnded)) == len(rig.of(ev.TurnStarted))


def test_whenever_tasks_end_each_is_told_once(isolated_machine: Path) -> None:
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.reuse, Phase.generate],
    )
    @given(SCRIPTS, DEEDS)
    def law(script: list[bool], deeds: list[tuple[int, Deed]]) -> None:
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(dir=isolated_machine) as folder:
            install_gate(patch)
            work = Path(folder) / "work"
            work.mkdir()
            asyncio.run(played(work, Path(folder) / "home", script, deeds))

    law()
