"""Subagents on the whole engine: started, resumed, steered, moved, stopped; contained, whatever happens to them."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.llm.client import ModelRequest
from core.llm.scripted import Reply, Script, call, say
from core.protocol import events as ev
from core.protocol.ids import MAIN_AGENT
from core.protocol.ops import (
    BackgroundTools,
    Interrupt,
    MessageAgent,
    MoveTask,
    StartFork,
    StopAgents,
    StopTask,
    SubmitPrompt,
)
from core.settings.schema import Settings
from tests.fakes.clock import START, FakeClock
from tests.fakes.engines import Rig, denying, fake_host, running
from tests.fakes.wire import assert_all_valid, results_in, texts_in


def task(number: int = 1, **more: Any) -> dict[str, Any]:
    return call("Task", f"t{number}", description=f"Job {number}", prompt=f"<{number}> Go.", **more)


def is_main(request: ModelRequest) -> bool:
    return request.query_source == "main"


def main_and_agent(main: list[Reply], agent: list[Reply]) -> Script:
    """The main agent says one thing after the other, the only subagent too."""
    mains, agents = iter(main), iter(agent)

    def script(request: ModelRequest) -> Reply:
        return next(mains if is_main(request) else agents)

    return script


def of_agent(rig: Rig) -> list[ev.Event]:
    return [envelope.event for envelope in rig.envelopes if envelope.agent_id != MAIN_AGENT]


async def begun(rig: Rig, number: int = 1) -> str:
    """The id of an agent that has sent its first request."""
    await rig.until(
        lambda: (
            len({e.agent_id for e in rig.envelopes if isinstance(e.event, ev.RequestStarted)} - {MAIN_AGENT}) >= number
        )
    )
    return [event.agent.id for event in rig.of(ev.AgentStarted)][number - 1]


async def test_the_result_is_its_last_words_with_id_and_totals(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    read = Reply([say("Let me look."), call("Read", "r1", file_path="a.txt")])
    script = main_and_agent([Reply([task()]), Reply([say("Done.")])], [read, Reply([say("It says hello.")])])
    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        [finished] = [event for event in rig.of(ev.ToolFinished) if event.name == "Task"]
        [ended] = rig.of(ev.AgentEnded)
        agent = ended.agent
        assert not finished.is_error
        assert finished.content.startswith("It says hello.\n")
        assert f"agentId: {agent.id}" in finished.content
        details = finished.display.details
        assert details["agentId"] == agent.id
        assert details["totalToolUseCount"] == agent.tool_uses == 1
        assert details["totalTokens"] == agent.usage.context_tokens > 0
        assert details["totalDurationMs"] == agent.duration_ms
        assert agent.steps == 2
        assert len(agent.id) == 7
        assert agent.id.startswith("a")
        # What it is given is its task alone.
        assert texts_in(rig.requests[1])[-1] == "<1> Go."
        assert "go" not in texts_in(rig.requests[1])
        offered = {tool["name"] for tool in rig.requests[1].tools}
        assert not offered & {"Task", "AskUserQuestion", "EnterPlanMode", "ExitPlanMode"}
        assert_all_valid(rig.requests)


async def test_an_unknown_type_is_told_and_the_general_one_works(tmp_path: Path, isolated_machine: Path) -> None:
    main = [Reply([task(subagent_type="plumber")]), Reply([say("Done.")])]
    script = main_and_agent(main, [Reply([say("Report.")])])
    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        [finished] = rig.of(ev.ToolFinished)
        assert finished.content.startswith("There is no agent type 'plumber': general-purpose was used.\nReport.")
        assert rig.of(ev.AgentEnded)[0].agent.agent_type == "general-purpose"


async def test_resumed_it_goes_on_with_all_it_knows_also_in_another_run(tmp_path: Path, isolated_machine: Path) -> None:
    first = main_and_agent([Reply([task()]), Reply([say("Done.")])], [Reply([say("Report one.")])])
    async with running(first, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        agent_id = rig.of(ev.AgentEnded)[0].agent.id
        sent = next(request for request in rig.requests if not is_main(request))
    again = task(2, resume=agent_id)
    second = main_and_agent([Reply([again]), Reply([say("Done.")])], [Reply([say("Report two.")])])
    host = fake_host()
    async with running(second, tmp_path, isolated_machine, host=host, resume="latest", has_agents=True) as rig:
        recalled = (await rig.event(ev.AgentRecalled)).agent
        assert (recalled.id, recalled.status) == (agent_id, "completed")
        await rig.prompt("go on")
        request = next(request for request in rig.requests if not is_main(request))
        assert request.system[0]["text"] == sent.system[0]["text"]
        assert texts_in(request)[-2:] == ["<1> Go.", "<2> Go."]
        assert "Report one." in str(request.messages)
        result = next(event for event in rig.of(ev.ToolFinished) if event.tool_use_id == "t2")
        assert result.content.startswith("Report two.")
        assert agent_id in result.content
        assert rig.of(ev.AgentEnded)[-1].agent.steps == 2, "its runs together"


@pytest.mark.parametrize("wanted", ["a123456", "../x", "b000001", ""])
async def test_what_cannot_be_resumed_is_told(tmp_path: Path, isolated_machine: Path, wanted: str) -> None:
    script = main_and_agent([Reply([task(resume=wanted or "a")]), Reply([say("Done.")])], [])
    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        [finished] = rig.of(ev.ToolFinished)
        assert finished.is_error
        assert "There is no agent" in finished.content


async def test_an_interrupt_ends_those_the_turn_waits_for_and_says_how_far_they_got(
    tmp_path: Path, isolated_machine: Path
) -> None:
    gate = asyncio.Event()
    script = main_and_agent(
        [Reply([task()]), Reply([say("Again.")])], [Reply([say("Half of it."), say("never")], gates={1: gate})]
    )
    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await begun(rig)
        await rig.until(lambda: any(isinstance(event, ev.BlockFinished) for event in of_agent(rig)))
        await rig.do(Interrupt())
        await rig.settle()
        [ended] = rig.of(ev.AgentEnded)
        assert (ended.agent.status, ended.agent.ending) == ("killed", "interrupted")
        [finished] = rig.of(ev.ToolFinished)
        assert finished.is_error
        assert "Half of it." in finished.content
        assert ended.agent.id in finished.content
        assert [event.reason for event in rig.of(ev.TurnEnded)][-1] == "interrupted"
        await rig.prompt("again")
        assert_all_valid(rig.requests)


async def test_stopping_one_leaves_the_others_and_the_turn(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if is_main(request):
            return Reply([say("Done.")]) if results_in(request) else Reply([task(1), task(2)])
        return Reply([say("a"), say("Report.")], gates={1: gate})

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await begun(rig, 2)
        first = next(event.agent for event in rig.of(ev.AgentStarted) if event.agent.tool_use_id == "t1")
        await rig.do(StopTask(task_id=first.id))
        gate.set()
        await rig.settle()
        statuses = {event.agent.tool_use_id: event.agent.status for event in rig.of(ev.AgentEnded)}
        assert statuses == {"t1": "killed", "t2": "completed"}
        results = {event.tool_use_id: event for event in rig.of(ev.ToolFinished)}
        assert "stopped by the user" in results["t1"].content
        assert results["t1"].is_error
        assert not results["t2"].is_error
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_moved_to_the_background_the_turn_goes_on_and_its_end_is_told(
    tmp_path: Path, isolated_machine: Path
) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("The report.")], gates={1: gate})
        if "The report." in str(request.messages):
            return Reply([say("I have heard.")])
        return Reply([say("I go on.")]) if results_in(request) else Reply([task()])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        await rig.do(BackgroundTools())
        await rig.event(ev.TurnEnded)
        assert "background" in rig.of(ev.ToolFinished)[0].content
        assert not rig.of(ev.AgentEnded)
        gate.set()
        told = await rig.event(ev.TaskNotified)
        assert told.task.id == agent_id
        await rig.event(ev.BlockFinished, lambda event: "I have heard." in str(event.block))
        await rig.settle()
        assert sum("The report." in text for text in texts_in(rig.requests[-1])) == 1
        assert_all_valid(rig.requests)


async def test_what_the_user_says_to_it_comes_between_its_rounds_and_later_resumes_it(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    gate = asyncio.Event()
    agent = [
        Reply([say("a"), call("Read", "r1", file_path="a.txt")], gates={1: gate}),
        Reply([say("Report.")]),
        Reply([say("More of it.")]),
    ]
    main = [Reply([task()]), Reply([say("Done.")]), Reply([say("Noted.")])]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        await rig.do(MessageAgent(agent_id=agent_id, text="Look at b too."))
        gate.set()
        await rig.settle()
        steered = [request for request in rig.requests if not is_main(request)][1]
        assert texts_in(steered)[-1] == "Look at b too."
        await rig.do(MessageAgent(agent_id=agent_id, text="And now more."))
        await rig.until(lambda: len(rig.of(ev.AgentEnded)) == 2)
        assert rig.of(ev.AgentEnded)[-1].result == "More of it."
        assert rig.of(ev.AgentEnded)[-1].agent.in_background
        await rig.event(ev.TaskNotified)
        await rig.settle()


async def test_a_fork_by_the_user_works_in_the_background_and_cannot_start_agents(
    tmp_path: Path, isolated_machine: Path
) -> None:
    agent = [Reply([task(7)]), Reply([say("Forked.")])]
    main = [Reply([say("Hello.")]), Reply([say("I see.")])]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(StartFork(prompt="too early"))
        await rig.event(ev.Notice, lambda notice: "nothing to fork" in notice.text)
        await rig.prompt("hi")
        await rig.do(StartFork(prompt="Write the tests."))
        ended = await rig.event(ev.AgentEnded)
        assert (ended.agent.agent_type, ended.agent.status, ended.result) == ("fork", "completed", "Forked.")
        forked = next(request for request in rig.requests if not is_main(request))
        assert forked.tools == rig.requests[0].tools
        assert texts_in(forked)[-1] == "Write the tests."
        assert "Hello." in str(forked.messages)
        refused = next(event for event in of_agent(rig) if isinstance(event, ev.ToolFinished))
        assert refused.is_error
        await rig.event(ev.TaskNotified)
        await rig.settle()
        assert_all_valid(rig.requests)


async def test_all_can_be_stopped_and_closing_leaves_none(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if is_main(request):
            return Reply([say("Done.")]) if results_in(request) else Reply([task(1, run_in_background=True)])
        return Reply([say("a"), say("never")], gates={1: gate})

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        await begun(rig)
        await rig.do(StopAgents())
        assert (await rig.event(ev.AgentEnded)).agent.status == "killed"
        await rig.prompt("again")
    assert not [one for one in asyncio.all_tasks() if one.get_name().startswith(("agent-", "oversight-"))]


async def test_more_than_may_run_at_once_wait_for_a_place(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if is_main(request):
            return Reply([say("Done.")]) if results_in(request) else Reply([task(1), task(2)])
        return Reply([say("a"), say("Report.")], gates={1: gate})

    settings = Settings(agent_max_concurrency=1)
    async with running(script, tmp_path, isolated_machine, settings=settings, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await begun(rig)
        await rig.event(ev.AgentProgressed, lambda event: event.agent.waits_for == "a free place")
        assert len(rig.of(ev.AgentStarted)) == 1
        gate.set()
        await rig.settle()
        assert [event.agent.status for event in rig.of(ev.AgentEnded)] == ["completed", "completed"]


async def test_a_fault_in_one_is_contained(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(request: ModelRequest) -> Reply:
        if is_main(request):
            return Reply([say("Done.")]) if results_in(request) else Reply([task(1), task(2)])
        return Reply([say("Report.")])

    from core.agents.running import AgentRun

    run = AgentRun.run

    async def faulty(self: AgentRun, hold: Any) -> Any:
        if self.calls.publisher.label.endswith("Job 1"):
            raise RuntimeError("kaboom")
        return await run(self, hold)

    monkeypatch.setattr(AgentRun, "run", faulty)
    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        statuses = {event.agent.tool_use_id: event.agent.status for event in rig.of(ev.AgentEnded)}
        assert statuses == {"t1": "failed", "t2": "completed"}
        assert "kaboom" in next(event for event in rig.of(ev.ToolFinished) if event.tool_use_id == "t1").content


async def test_a_denied_kind_is_not_resumed_either(tmp_path: Path, isolated_machine: Path) -> None:
    first = main_and_agent([Reply([task(subagent_type="Explore")]), Reply([say("Done.")])], [Reply([say("Report.")])])
    async with running(first, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        agent_id = rig.of(ev.AgentEnded)[0].agent.id
    second = main_and_agent([Reply([task(2, resume=agent_id)]), Reply([say("Done.")])], [])
    settings = Settings(rules=denying("Agent(Explore)"))
    async with running(second, tmp_path, isolated_machine, settings=settings, resume="latest", has_agents=True) as rig:
        await rig.prompt("go on")
        refused = next(event for event in rig.of(ev.ToolFinished) if event.tool_use_id == "t2")
        assert refused.is_error
        assert "Agent(Explore)" in refused.content


async def test_killed_with_three_at_work_they_are_back_with_what_they_had_and_go_on(
    tmp_path: Path, isolated_machine: Path
) -> None:
    cwd, home, copy = tmp_path / "cwd", isolated_machine / "one", isolated_machine / "two"
    cwd.mkdir()
    (cwd / "a.txt").write_text("hello\n")
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if is_main(request):
            return Reply([say("Done.")]) if results_in(request) else Reply([task(1), task(2), task(3)])
        if results_in(request):
            return Reply([say("never")], gates={0: gate})
        number = next(number for number in (1, 2, 3) if f"<{number}>" in str(request.messages))
        return Reply([say(f"I am {number}."), call("Read", f"r{number}", file_path="a.txt")])

    async with running(script, cwd, home, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        done = (ev.ToolFinished, ev.RequestFinished)
        await rig.until(lambda: sum(isinstance(event, done) for event in of_agent(rig)) == 6)
        # As a kill would leave it: nothing is closed, nothing written that was not.
        shutil.copytree(home, copy)
        gate.set()
        await rig.settle()

    again = main_and_agent([Reply([task(4, resume="a000002")]), Reply([say("Done.")])], [Reply([say("Report two.")])])
    async with running(again, cwd, copy, resume="latest", has_agents=True) as rig:
        await rig.until(lambda: len(rig.of(ev.AgentRecalled)) == 3)
        for event in rig.of(ev.AgentRecalled):
            assert (event.agent.status, event.agent.ending) == ("killed", "the program ended while it ran")
            assert (event.agent.steps, event.agent.tool_uses) == (1, 1)
            assert event.agent.usage.output_tokens
            assert event.agent.cost_usd
            own = [envelope.event for envelope in rig.envelopes if envelope.agent_id == event.agent.id]
            words = [str(one.block) for one in own if isinstance(one, ev.BlockFinished)]
            number = event.agent.description.removeprefix("Job ")
            assert any(f"I am {number}." in text for text in words)
            assert any(isinstance(one, ev.ToolFinished) and "hello" in one.content for one in own)
        await rig.prompt("go on")
        sent = next(request for request in rig.requests if not is_main(request))
        assert "I am 2." in str(sent.messages)
        assert "hello" in str(sent.messages)
        assert texts_in(sent)[-1] == "<4> Go."
        [ended] = rig.of(ev.AgentEnded)
        assert (ended.agent.id, ended.agent.status, ended.result) == ("a000002", "completed", "Report two.")
        assert_all_valid(rig.requests)


@pytest.mark.parametrize("is_idle", [True, False])
async def test_brought_back_the_conversation_waits_for_it(
    tmp_path: Path, isolated_machine: Path, is_idle: bool
) -> None:
    gate, turn = asyncio.Event(), asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("The report.")], gates={1: gate})
        if "The report." in str(request.messages):
            return Reply([say("I have heard.")])
        if results_in(request):
            return Reply([say("I go on."), say("I am done.")], gates={1: turn})
        return Reply([task(1, run_in_background=True)])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        if is_idle:
            turn.set()
            await rig.event(ev.TurnEnded)
        await rig.do(MoveTask(task_id=agent_id, to_background=False))
        turn.set()
        await rig.until(lambda: rig.engine.session.is_busy)
        gate.set()
        await rig.event(ev.BlockFinished, lambda event: "I have heard." in str(event.block))
        await rig.settle()
        main = [e.event for e in rig.envelopes if e.agent_id == MAIN_AGENT]
        assert sum(isinstance(event, ev.TurnEnded) for event in main) == 1 + is_idle
        assert len(rig.of(ev.TaskNotified)) == 1
        assert_all_valid(rig.requests)


async def test_moved_to_the_background_and_killed_it_is_back_as_one_of_the_background(
    tmp_path: Path, isolated_machine: Path
) -> None:
    cwd, home, copy = tmp_path / "cwd", isolated_machine / "one", isolated_machine / "two"
    cwd.mkdir()
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("never")], gates={1: gate})
        return Reply([say("I go on.")]) if results_in(request) else Reply([task()])

    async with running(script, cwd, home, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await begun(rig)
        await rig.do(BackgroundTools())
        await rig.event(ev.TurnEnded)
        shutil.copytree(home, copy)
        gate.set()
        await rig.settle()

    again = main_and_agent([Reply([say("Noted.")])], [Reply([say("Report.")])])
    clock = FakeClock(START + 600)
    host = replace(fake_host(), clock=clock)
    async with running(again, cwd, copy, host=host, resume="latest", has_agents=True) as rig:
        recalled = (await rig.event(ev.AgentRecalled)).agent
        assert recalled.status == "killed" and recalled.in_background
        await rig.do(MessageAgent(agent_id=recalled.id, text="Go on."))
        ended = (await rig.event(ev.AgentEnded)).agent
        assert ended.run_at == recalled.run_at + 600 and ended.started_at == recalled.started_at
        told = (await rig.event(ev.TaskNotified)).task
        assert told.started_at == ended.run_at, "what lay between its runs is none of its time"
        await rig.settle()


async def test_an_id_of_an_earlier_run_is_never_given_again(tmp_path: Path, isolated_machine: Path) -> None:
    def script() -> Script:
        return main_and_agent([Reply([task()]), Reply([say("Done.")])], [Reply([say("Report.")])])

    ids: list[str] = []
    for resume in (None, "latest"):
        # The same ids would come again: each run counts from one.
        async with running(script(), tmp_path, isolated_machine, resume=resume, has_agents=True) as rig:
            await rig.prompt("go")
            ids.append(rig.of(ev.AgentStarted)[-1].agent.id)
    assert ids == ["a000001", "a000002"]


async def test_a_turn_that_an_end_begins_has_no_budget_of_its_own(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("The report.")], gates={1: gate})
        return Reply([say("Done.")]) if results_in(request) else Reply([task(1, run_in_background=True)])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        await begun(rig)
        await rig.until(
            lambda: any(isinstance(e.event, ev.TurnEnded) for e in rig.envelopes if e.agent_id == MAIN_AGENT)
        )
        gate.set()
        await rig.event(ev.TaskNotified)
        await rig.settle()
        ledger = rig.engine.session.ledger
        assert ledger.turn.requests == ledger.total.requests == 4, "all of it is of the one prompt"
        await rig.prompt("again")
        assert ledger.turn.requests < ledger.total.requests
