"""AGENTS-WALL: three agents of five tool turns each at once; how long it takes against the slowest, and their cache.

The server answers each request after a fixed time, another one for each agent, and caches as the API describes it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.host.host import Host
from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.settings.schema import Settings
from tests.bench.figure import Figure
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, say, text, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.cache_share import read_share
from tests.fakes.engines import Rig, running

TURNS = 5
DELAYS_S = {"one": 0.2, "two": 0.3, "three": 0.25}
MOST_RATIO = 1.3
LEAST_READ = 90.0
"""Percent of what an agent sends after its first request."""


def measure() -> Iterator[Figure]:
    """The whole turn of the main agent from its calls to their results, against the slowest agent alone."""
    ratio, missed = asyncio.run(_run())
    yield Figure("AG-WALL", "3 agents of 5 tool turns, to the slowest of them", ratio, MOST_RATIO, "times")
    yield Figure("AG-WALL", "sent anew by an agent after its first request", missed, 100 - LEAST_READ, "%")


async def _run() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "part.py").write_text("value = 1  # what it is for\n" * 20)
        async with ApiServer(_answer) as server:
            client = AnthropicClient(base_url=server.url, api_key="bench")
            settings = Settings(mode="bypassPermissions")
            async with running(
                client, root, root / "home", settings=settings, host=Host(environ={"IS_SANDBOX": "1"}), has_agents=True
            ) as rig:
                await rig.prompt("Go.")
                return _figures(rig)


def _figures(rig: Rig) -> tuple[float, float]:
    at = {
        (envelope.event.kind, envelope.agent_id): envelope.ts
        for envelope in rig.envelopes
        if isinstance(envelope.event, ev.AgentStarted | ev.AgentEnded)
    }
    agents = [event.agent for event in rig.of(ev.AgentEnded)]
    assert [agent.status for agent in agents] == ["completed"] * 3
    slowest = max(agent.duration_ms for agent in agents) / 1000
    begun = min(ts for (kind, _agent), ts in at.items() if kind == "agent_started")
    ended = max(ts for (kind, _agent), ts in at.items() if kind == "agent_ended")
    shares = [
        read_share(
            envelope.event.usage
            for envelope in rig.envelopes
            if envelope.agent_id == agent.id and isinstance(envelope.event, ev.RequestFinished)
        )
        for agent in agents
    ]
    # The alone time of the slowest: its answers one after the other.
    alone = min(slowest, (TURNS + 1) * max(DELAYS_S.values()))
    return (ended - begun) / alone, 100 - min(shares)


async def _answer(body: Json) -> Reply:
    said = str(body["messages"])
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    if "You are an agent of agent-tui" not in str(body["system"]):
        if turn:
            return say("All told.")
        calls = [
            tool_use("Task", {"description": name, "prompt": f"<{name}> Read.", "subagent_type": "general-purpose"})
            for name in DELAYS_S
        ]
        return Reply([text("Three."), *calls])
    name = next(name for name in DELAYS_S if f"<{name}>" in said)
    await asyncio.sleep(DELAYS_S[name])
    if turn < TURNS:
        return Reply([tool_use("Read", {"file_path": "part.py", "limit": turn + 1})])
    return say(f"Report of {name}.")
