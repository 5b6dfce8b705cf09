"""When the running notes are taken, and that nothing of it is in the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.bus.bus import Author
from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.llm.scripted import Reply, say
from core.protocol import events as ev
from core.protocol.usage import Usage
from tests.fakes.engines import Rig, running


def usage(tokens: int) -> ev.UsageUpdated:
    return ev.UsageUpdated(context_tokens=tokens, context_window=200_000, last=Usage(), total=Usage(), cost_usd=None)


def finished(number: int) -> ev.ToolFinished:
    return ev.ToolFinished(tool_use_id=f"t{number}", name="Read", content="x")


def asked(rig: Rig) -> int:
    return sum(request.query_source == "session_memory" for request in rig.requests)


async def taken() -> None:
    """Wait until the notes are taken, and kept on disk."""
    writing = [task for task in asyncio.all_tasks() if task.get_name() == "take-notes"]
    assert writing
    await asyncio.wait(writing, timeout=5)


async def tell(rig: Rig, *events: ev.Event) -> None:
    """Publish events one by one, each seen by every reader before the next."""
    for event in events:
        rig.engine.calls.publisher.emit(event)
        await rig.settle()
        await asyncio.sleep(0)


async def test_notes_begin_at_10000_tokens_and_go_on_with_5000_more_and_3_calls(
    tmp_path: Path, isolated_machine: Path
) -> None:
    def script(request: ModelRequest) -> Reply:
        return Reply([say("goal: to see" if request.query_source == "session_memory" else "Hi.")])

    async with running(script, tmp_path, isolated_machine, has_background=True) as rig:
        notebook = rig.engine.session.state.notebook
        for count, too_little, enough in (
            (1, [usage(9_999)], [usage(10_000)]),
            (2, [*map(finished, range(3)), usage(14_999)], [usage(15_000)]),
            (3, [*map(finished, range(2)), usage(20_000)], [finished(3), usage(20_001)]),
        ):
            await rig.prompt(f"Prompt {count}")
            await tell(rig, *too_little)
            for event in enough:
                rig.engine.calls.publisher.for_agent(Author("a000001", "toolu_1")).emit(event)
            await rig.settle()
            await asyncio.sleep(0)
            assert asked(rig) == count - 1, "what an agent does is no part of this conversation"
            await tell(rig, *enough)
            last = rig.engine.session.conversation.messages[-1].id
            await taken()
            assert (notebook.notes.covered, asked(rig)) == (last, count)
        assert notebook.notes.text == "## What the user wants\n- to see"


async def test_notes_that_fail_are_no_matter_of_the_users(tmp_path: Path, isolated_machine: Path) -> None:
    def script(request: ModelRequest) -> Reply:
        if request.query_source == "session_memory":
            return Reply(error=ModelError("invalid", "No."))
        return Reply([say("Hi.")])

    async with running(script, tmp_path, isolated_machine, has_background=True) as rig:
        await rig.prompt("hi")
        await tell(rig, usage(10_000))
        await rig.event(ev.RequestFailed, lambda event: event.query_source == "session_memory")
        await rig.prompt("and again")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"] * 2
        assert rig.engine.session.state.notebook.notes.covered == ""
        assert not [notice for notice in rig.of(ev.Notice) if notice.level != "info"]
