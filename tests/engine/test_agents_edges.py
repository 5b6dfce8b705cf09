"""Subagents at their edges: two who resume one, words at the last moment, an answer in pieces; nothing is lost or
left running."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, say
from core.protocol import events as ev
from core.protocol.ops import Interrupt, MessageAgent, MoveTask, StartFork, StopAgents, SubmitPrompt
from core.sessions.conversation import Conversation
from tests.engine.test_agents import begun, is_main, main_and_agent, task
from tests.fakes.engines import running
from tests.fakes.wire import assert_all_valid, results_in


async def test_two_resume_one_at_once_and_one_of_them_does(tmp_path: Path, isolated_machine: Path) -> None:
    main = [Reply([task()]), Reply([say("Done.")])]
    agent = [Reply([say("Report.")])]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        agent_id = rig.of(ev.AgentEnded)[0].agent.id

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("Again.")])
        if "'t2'" in str(request.messages):
            return Reply([say("Done.")])
        return Reply([task(2, resume=agent_id), task(3, resume=agent_id)])

    async with running(script, tmp_path, isolated_machine, resume="latest", has_agents=True) as rig:
        await rig.prompt("go on")
        results = [event for event in rig.of(ev.ToolFinished) if event.tool_use_id in ("t2", "t3")]
        assert sorted(event.is_error for event in results) == [False, True]
        assert "still runs" in next(event for event in results if event.is_error).content
        assert not rig.engine.agents.running
        async with asyncio.timeout(5):
            await rig.do(StopAgents())


def nobody_gets_it(_path: Path) -> None:
    """As ``lock_file`` where another program has it."""


async def test_one_that_another_program_has_open_is_not_resumed_and_closing_ends(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = [Reply([task()]), Reply([say("Done.")]), Reply([task(2, resume="a000001")]), Reply([say("Done.")])]
    async with running(
        main_and_agent(main, [Reply([say("Report.")])]), tmp_path, isolated_machine, has_agents=True
    ) as rig:
        await rig.prompt("go")
        monkeypatch.setattr("core.sessions.writer.lock_file", nobody_gets_it)
        await rig.prompt("go on")
        assert rig.of(ev.ToolFinished)[-1].is_error
        assert not rig.engine.agents.running
        assert not rig.engine.calls.services.task_registry.running


async def test_moved_to_the_foreground_and_back_the_turn_ends_without_another_request(
    tmp_path: Path, isolated_machine: Path
) -> None:
    gate, turn = asyncio.Event(), asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("The report.")], gates={1: gate})
        if results_in(request):
            return Reply([say("I go on."), say("I am done.")], gates={1: turn})
        return Reply([task(1, run_in_background=True)])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        await rig.event(ev.BlockFinished, lambda event: "I go on." in str(event.block))
        await rig.do(MoveTask(task_id=agent_id, to_background=False))
        turn.set()
        await rig.event(ev.BlockFinished, lambda event: "I am done." in str(event.block))
        for _ in range(50):
            await asyncio.sleep(0)
        await rig.do(MoveTask(task_id=agent_id, to_background=True))
        await rig.settle()
        assert_all_valid(rig.requests)
        assert len([request for request in rig.requests if is_main(request)]) == 2


async def test_words_in_its_last_moment_are_not_lost(tmp_path: Path, isolated_machine: Path) -> None:
    main = [Reply([task()]), Reply([say("Done.")]), Reply([say("Noted.")]), Reply([say("Noted.")])]
    agent = [Reply([say("Report.")]), Reply([say("More.")])]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        running_one = rig.engine.agents.get(agent_id)
        assert running_one is not None
        seen = False
        while not running_one.done.is_set():
            if not seen and any(isinstance(e.event, ev.TurnEnded) and e.agent_id == agent_id for e in rig.envelopes):
                seen = True
                await rig.do(MessageAgent(agent_id=agent_id, text="One more."))
            await asyncio.sleep(0)
        if not seen:
            pytest.skip("no moment between")
        await rig.until(lambda: any("One more." in str(r.messages) for r in rig.requests if not is_main(r)))
        await rig.settle()


async def test_a_fork_killed_before_its_first_word_has_not_said_what_the_main_agent_has(
    tmp_path: Path, isolated_machine: Path
) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        return Reply([say("Main's words.")]) if is_main(request) else Reply([say("never")], gates={0: gate})

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("hi")
        await rig.do(StartFork(prompt="Go."))
        await begun(rig)
        await rig.do(StopAgents())
        assert rig.of(ev.AgentEnded)[0].result == ""


async def test_resumed_and_failed_its_last_words_are_not_those_of_before(
    tmp_path: Path, isolated_machine: Path
) -> None:
    main = [Reply([task()]), Reply([say("Done.")]), Reply([task(2, resume="a000001")]), Reply([say("Done.")])]
    agent = [Reply([say("Report one.")]), Reply(error=ModelError("invalid", "No."))]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        await rig.prompt("go on")
        assert rig.of(ev.ToolFinished)[-1].is_error
        assert "Report one." not in rig.of(ev.ToolFinished)[-1].content


async def test_an_answer_in_pieces_is_reported_whole(tmp_path: Path, isolated_machine: Path) -> None:
    main = [Reply([task()]), Reply([say("Done.")])]
    agent = [Reply([say("First half, ")], stop_reason="max_tokens"), Reply([say("second half.")])]
    async with running(main_and_agent(main, agent), tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        assert "First half" in rig.of(ev.ToolFinished)[-1].content
        assert "second half." in rig.of(ev.ToolFinished)[-1].content


async def test_one_that_is_over_holds_its_conversation_no_longer(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Conversation]] = []
    init = Conversation.__init__

    def remember(self: Conversation, *args: object) -> None:
        made.append(weakref.ref(self))
        init(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Conversation, "__init__", remember)
    main = [Reply([task()]), Reply([say("Done.")])]
    async with running(
        main_and_agent(main, [Reply([say("Report.")])]), tmp_path, isolated_machine, has_agents=True
    ) as rig:
        await rig.prompt("go")
        await asyncio.sleep(0)
        gc.collect()
        assert len(made) == 2
        alive = [ref() for ref in made if ref() is not None]
        assert alive == [rig.engine.session.conversation]


async def test_an_end_that_was_not_told_yet_is_told_although_it_goes_on(tmp_path: Path, isolated_machine: Path) -> None:
    turn = asyncio.Event()
    agent = iter([Reply([say("Report one.")]), Reply([say("Report two.")])])

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return next(agent)
        if "Report two." in str(request.messages):
            return Reply([say("Heard.")])
        if results_in(request):
            return Reply([say("I go on."), say("I am done.")], gates={1: turn})
        return Reply([task(1, run_in_background=True)])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.do(SubmitPrompt(text="go"))
        agent_id = await begun(rig)
        await rig.event(ev.BlockFinished, lambda event: "I go on." in str(event.block))
        await rig.until(lambda: len(rig.of(ev.AgentEnded)) == 1)
        await rig.do(MessageAgent(agent_id=agent_id, text="More."))
        await rig.until(lambda: len(rig.of(ev.AgentEnded)) == 2)
        turn.set()
        await rig.until(lambda: any("Report two." in str(r.messages) for r in rig.requests if is_main(r)))
        await rig.settle()
        last = [request for request in rig.requests if is_main(request)][-1]
        assert "Report one." in str(last.messages)


async def test_nothing_is_started_once_the_session_is_closed(tmp_path: Path, isolated_machine: Path) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        return Reply([say("Hello.")]) if is_main(request) else Reply([say("a"), say("never")], gates={1: gate})

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("hi")
        await rig.engine.close()
        await rig.do(StartFork(prompt="Go."))
        assert not rig.engine.agents.running
    assert not [one for one in asyncio.all_tasks() if one.get_name().startswith(("agent-", "oversight-"))]


@pytest.mark.parametrize("is_said", [True, False])
async def test_an_interrupt_ends_what_was_brought_back_whatever_was_said_meanwhile(
    tmp_path: Path, isolated_machine: Path, is_said: bool
) -> None:
    gate = asyncio.Event()

    def script(request: ModelRequest) -> Reply:
        if not is_main(request):
            return Reply([say("a"), say("never")], gates={1: gate})
        return Reply([say("Done.")]) if results_in(request) else Reply([task(1, run_in_background=True)])

    async with running(script, tmp_path, isolated_machine, has_agents=True) as rig:
        await rig.prompt("go")
        agent_id = await begun(rig)
        await rig.do(MoveTask(task_id=agent_id, to_background=False))
        await rig.until(lambda: rig.engine.session.is_busy)
        for _ in range(200):
            await asyncio.sleep(0)
        if is_said:
            await rig.do(SubmitPrompt(text="And this."))
        await rig.do(Interrupt())
        assert (await rig.event(ev.AgentEnded)).agent.status == "killed"
        await rig.settle()
        assert not rig.engine.session.is_busy
        assert_all_valid(rig.requests)


async def test_a_kind_that_is_gone_does_not_go_on_as_one_that_may_do_more(
    tmp_path: Path, isolated_machine: Path
) -> None:
    cwd, home = tmp_path / "cwd", isolated_machine / "home"
    cwd.mkdir()
    described = home / "config" / "agents" / "scout.md"
    described.parent.mkdir(parents=True)
    described.write_text("---\nname: scout\ndescription: Looks\ntools: Read\n---\nLook.\n")
    main = [Reply([task(subagent_type="scout")]), Reply([say("Done.")])]
    main += [Reply([task(2, resume="a000001")]), Reply([say("Done.")])]
    async with running(main_and_agent(main, [Reply([say("Report.")])]), cwd, home, has_agents=True) as rig:
        await rig.prompt("go")
        described.unlink()
        await rig.prompt("go on")
        refused = rig.of(ev.ToolFinished)[-1]
        assert refused.is_error
        assert "no agent type 'scout' any more" in refused.content
        assert len(rig.of(ev.AgentEnded)) == 1
