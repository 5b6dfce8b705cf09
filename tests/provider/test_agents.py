"""Subagents against the strict server: they work at once, each reads its own prefix from the cache, none is in the
main history; forks read what the main conversation has cached."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from core.protocol import events as ev
from core.protocol.ids import MAIN_AGENT
from core.settings.schema import Settings
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, http, say, text, thinking, tool_use
from tests.fakes.cache_share import read_share
from tests.fakes.engines import Rig
from tests.provider.test_engine_over_http import connected

TURNS = 5
NAMES = ("one", "two", "three")
KINDS = {"one": "Explore", "two": "general-purpose", "three": "Explore"}


def is_agents(body: Json) -> bool:
    return "You are an agent of agent-tui" in str(body["system"])


def answers(body: Json) -> int:
    return sum(message["role"] == "assistant" for message in body["messages"])


def task(name: str, kind: str, **more: object) -> Json:
    return {"description": f"Job {name}", "prompt": f"<{name}> Read.", "subagent_type": kind, **more}


def who(body: Json) -> str:
    return next(name for name in NAMES if f"<{name}>" in str(body["messages"]))


class Meeting:
    """Each of so many agents is answered only once all of them have asked: it shows that they work at once."""

    def __init__(self, size: int) -> None:
        self._asked: Counter[str] = Counter()
        self._size = size
        self._here: dict[int, asyncio.Event] = {}

    async def join(self, name: str) -> None:
        self._asked[name] += 1
        turn = self._asked[name]
        event = self._here.setdefault(turn, asyncio.Event())
        if sum(count >= turn for count in self._asked.values()) == self._size:
            event.set()
        async with asyncio.timeout(20):
            await event.wait()


def usages(rig: Rig, agent_id: str) -> list[ev.RequestFinished]:
    return [
        envelope.event
        for envelope in rig.envelopes
        if envelope.agent_id == agent_id and isinstance(envelope.event, ev.RequestFinished)
    ]


async def test_three_agents_of_five_turns_work_at_once_and_read_their_own_prefix(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "f.txt").write_text("A line that is long enough to count for something.\n" * 20)
    meeting = Meeting(len(NAMES))

    async def script(body: Json) -> Reply:
        if not is_agents(body):
            if answers(body):
                return say("All told.")
            return Reply(
                [text("Three."), *(tool_use("Task", task(name, KINDS[name]), id=f"toolu_{name}") for name in NAMES)]
            )
        name, turn = who(body), answers(body)
        if turn:  # the first of a kind writes the prefix that the next one waits for
            await meeting.join(name)
        if turn < TURNS:
            return Reply([thinking(f"{name} {turn}"), tool_use("Read", {"file_path": "f.txt", "limit": 2 + turn})])
        return say(f"Report of {name}.")

    settings = Settings(background_agents=False)
    async with connected(script, tmp_path, isolated_machine, settings=settings, has_agents=True) as (server, rig):
        await rig.prompt("Go.")
        assert (server.rejections, server.prefix_violations) == ([], [])
        ended = {event.agent.tool_use_id: event.agent for event in rig.of(ev.AgentEnded)}
        assert {agent.status for agent in ended.values()} == {"completed"}
        for agent in ended.values():
            found = usages(rig, agent.id)
            assert len(found) == TURNS + 1
            assert read_share(event.usage for event in found) >= 90
            assert agent.tool_uses == TURNS
        explorers = [ended["toolu_one"].id, ended["toolu_three"].id]
        firsts = sorted(usages(rig, agent_id)[0].usage.cache_read_tokens for agent_id in explorers)
        assert firsts[0] == 0 < firsts[1], "what they share is written once"
        main = [request.body for request in server.requests if not is_agents(request.body)]
        assert len(main) == 2
        results = [block for block in main[1]["messages"][-1]["content"] if block["type"] == "tool_result"]
        assert [block["tool_use_id"] for block in results] == [f"toolu_{name}" for name in NAMES]
        for name, block in zip(NAMES, results, strict=True):
            assert block["content"][0]["text"] == f"Report of {name}."
            assert ended[f"toolu_{name}"].id in block["content"][-1]["text"]
        assert "f.txt" not in str(main), "nothing that they did is in the main history"
        lines = rig.engine.session.ledger.lines()
        assert {line.agent for line in lines} == {MAIN_AGENT, *(agent.id for agent in ended.values())}
    transcript = rig.engine.session.conversation.transcript
    assert "f.txt" not in transcript.read_text()
    sidechains = list((transcript.with_suffix("") / "subagents").glob("*.jsonl"))
    assert len(sidechains) == 3
    for path in sidechains:
        records = path.read_text().splitlines()[1:]
        assert all('"isSidechain": true' in record and '"parentToolUseId": "toolu_' in record for record in records)


async def test_a_fork_reads_what_the_main_conversation_has_cached(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "f.txt").write_text("A line that is long enough to count for something.\n" * 200)

    def script(body: Json) -> Reply:
        said, turn = str(body["messages"]), answers(body)
        if "You are a fork" in said:
            return (
                say("The fork's answer.")
                if "toolu_fork_read" in said
                else Reply(
                    [thinking("Look."), tool_use("Read", {"file_path": "f.txt", "limit": 3}, id="toolu_fork_read")]
                )
            )
        if turn == 0:
            return Reply([thinking("First."), tool_use("Read", {"file_path": "f.txt"}, id="toolu_read")])
        if turn == 1:
            return Reply([thinking("Fork."), tool_use("Task", task("one", "fork"), id="toolu_fork")])
        return say("Done.")

    settings = Settings(background_agents=False)
    async with connected(script, tmp_path, isolated_machine, settings=settings, has_agents=True) as (server, rig):
        await rig.prompt("Go.")
        assert server.rejections == []
        ended = (await rig.event(ev.AgentEnded)).agent
        assert ended.status == "completed"
        assert ended.inherited_tokens > 1_000
        assert ended.expected_usd
        assert ended.cache_share is not None
        assert ended.cache_share > 0.9
        forked = next(request.body for request in server.requests if "You are a fork" in str(request.body["messages"]))
        main = server.requests[0].body
        assert (forked["system"], forked["tools"]) == (main["system"], main["tools"])
        assert "Task" in str(forked["tools"]), "told of, as that is part of the prefix; refused when it is called"


@pytest.mark.parametrize("fault", ["refused", "broken"])
async def test_one_agent_that_fails_harms_no_other(tmp_path: Path, isolated_machine: Path, fault: str) -> None:
    def script(body: Json) -> Reply:
        if not is_agents(body):
            if answers(body):
                return say("All told.")
            return Reply([tool_use("Task", task(name, "general-purpose"), id=f"toolu_{name}") for name in NAMES])
        if who(body) == "two":
            return Reply(fault=http(400, "invalid_request_error", "no")) if fault == "refused" else say("")
        return say(f"Report of {who(body)}.")

    settings = Settings(background_agents=False)
    async with connected(script, tmp_path, isolated_machine, settings=settings, has_agents=True) as (_server, rig):
        await rig.prompt("Go.")
        statuses = {event.agent.tool_use_id: event.agent.status for event in rig.of(ev.AgentEnded)}
        assert statuses == {"toolu_one": "completed", "toolu_two": "failed", "toolu_three": "completed"}
        results = {event.tool_use_id: event for event in rig.of(ev.ToolFinished)}
        assert results["toolu_two"].is_error
        assert "agentId: a" in results["toolu_two"].content
        assert ".," not in results["toolu_two"].content, "what went wrong is a sentence of its own"
        assert "Report of three." in results["toolu_three"].content
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
