"""Calls of subagents: whom they ask, what a no means to them, and what holds those that may only read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.agents.agent_policies import AgentPolicies
from core.agents.definition import AgentDefinition
from core.bus.bus import Author
from core.engine.tools import TOOLS
from core.host.sandbox.sandbox import Kind, Sandbox
from core.orchestration import consent
from core.orchestration.call import INTERRUPTED, CallEnvironment, CallOutcome, run_call
from core.permissions import decide as deciding
from core.permissions.broker import Broker
from core.permissions.policy import Policy
from core.permissions.policy_holder import PolicyHolder
from core.protocol.events import PermissionRequested, PermissionResolved
from core.protocol.messages import ToolUseBlock
from core.protocol.ops import AnswerPermission
from core.protocol.views import PermissionMode, PermissionRequest
from core.tools.registry import ToolRegistry
from tests.fakes.tools import PATIENCE_S, Bench, open_bench


@dataclass
class Agents:
    """A session's policy and broker with agents that make real calls."""

    bench: Bench
    session: PolicyHolder
    broker: Broker = field(default_factory=lambda: Broker(is_attended=True))

    def environment(self, agent_id: str, definition: AgentDefinition) -> CallEnvironment:
        author = Author(agent_id, f"toolu_{agent_id}", f"{definition.name} · {agent_id}")
        return CallEnvironment(
            tools=ToolRegistry([kind() for kind in TOOLS]),
            services=self.bench.services,
            policies=AgentPolicies(self.session, definition),
            broker=self.broker,
            publisher=self.bench.publisher.for_agent(author),
        )

    def start(
        self, agent_id: str, tool: str, given: dict[str, Any], *, is_read_only: bool = False
    ) -> asyncio.Task[CallOutcome]:
        definition = AgentDefinition(name="Explore", description="", prompt="", is_read_only=is_read_only)
        call = ToolUseBlock(id=f"call_{agent_id}", name=tool, input=given)
        environment = self.environment(agent_id, definition)
        return asyncio.create_task(run_call(call, 0, self.bench.state, environment, lambda: INTERRUPTED))

    async def requests(self, count: int) -> list[PermissionRequest]:
        """Wait until so many were asked."""
        async with asyncio.timeout(PATIENCE_S):
            while len(asked := self.bench.events(PermissionRequested)) < count:
                await self.bench.subscription.ready()
        return [event.request for event in asked]


def agents_on(bench: Bench, mode: PermissionMode = "default") -> Agents:
    policy = Policy(mode=mode, cwd=bench.root, roots=(bench.root,))
    return Agents(bench, PolicyHolder(policy, bench.publisher, {}, ()))


@pytest.fixture
async def agents(tmp_path: Path) -> AsyncIterator[Agents]:
    async with open_bench(tmp_path) as bench:
        yield agents_on(bench)


async def test_the_one_who_asks_is_named(agents: Agents) -> None:
    running = agents.start("a04bf57", "Bash", {"command": "touch made"})
    request = (await agents.requests(1))[0]
    assert (request.agent, request.agent_label) == ("a04bf57", "Explore · a04bf57")
    agents.broker.answer(AnswerPermission(request_id=request.id, answer="once"))
    assert not (await running).block.is_error
    assert (agents.bench.root / "made").exists()


async def test_no_without_a_word_declines_this_call_and_nothing_else(agents: Agents) -> None:
    running = agents.start("a04bf57", "Bash", {"command": "touch made"})
    request = (await agents.requests(1))[0]
    agents.broker.answer(AnswerPermission(request_id=request.id, answer="deny"))
    outcome = await running
    assert outcome.block.is_error and not outcome.ends_turn
    assert outcome.block.shown == f"The user declined this call of Bash. {consent.GO_ON}"
    commented = agents.start("a04bf58", "Bash", {"command": "touch made"})
    request = (await agents.requests(2))[1]
    agents.broker.answer(AnswerPermission(request_id=request.id, answer="deny", comment="use make"))
    outcome = await commented
    assert outcome.block.shown == "The user declined this call of Bash. They say: use make" and not outcome.ends_turn
    assert not (agents.bench.root / "made").exists()


async def test_the_main_agent_still_stops_at_a_no(agents: Agents) -> None:
    environment = replace(
        agents.environment("x", AgentDefinition(name="x", description="", prompt="")),
        publisher=agents.bench.publisher,
        policies=agents.session,
    )
    call = ToolUseBlock(id="main", name="Bash", input={"command": "touch made"})
    running = asyncio.create_task(run_call(call, 0, agents.bench.state, environment, lambda: INTERRUPTED))
    request = (await agents.requests(1))[0]
    assert (request.agent, request.agent_label) == ("", "")
    agents.broker.answer(AnswerPermission(request_id=request.id, answer="deny"))
    assert (await running).ends_turn


async def test_one_answer_settles_what_is_alike_of_all_agents(agents: Agents) -> None:
    names = ("a000001", "a000002", "a000003")
    running = [agents.start(name, "Bash", {"command": "touch made"}) for name in names]
    other = agents.start("a000004", "Bash", {"command": "mkdir elsewhere"})
    requests = await agents.requests(4)
    alike = [request for request in requests if request.input["command"] == "touch made"]
    assert len({request.likeness for request in alike}) == 1 and alike[0].likeness
    agents.broker.answer(AnswerPermission(request_id=alike[0].id, answer="session", scope=alike[0].scope))
    outcomes = await asyncio.gather(*running)
    assert [outcome.block.is_error for outcome in outcomes] == [False] * 3
    assert len(agents.broker.pending) == 1
    assert {event.answer for event in agents.bench.events(PermissionResolved)} == {"session", "once"}
    other.cancel()
    assert (await other).block.is_error and agents.broker.pending == ()


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "Write": ("Write", {"file_path": "new", "content": "x"}),
    "Edit": ("Edit", {"file_path": "notes", "old_string": "a", "new_string": "b"}),
    "MultiEdit": ("MultiEdit", {"file_path": "notes", "edits": [{"old_string": "a", "new_string": "b"}]}),
    "NotebookEdit": ("NotebookEdit", {"notebook_path": "n.ipynb", "new_source": "x", "cell_id": "1"}),
    **{
        command: ("Bash", {"command": command})
        for command in (
            "ls | tee new",
            "sed -i s/a/b/ notes",
            "git commit --allow-empty -m x",
            'python -c \'open("new", "w")\'',
            "echo x > new",
            "find . -name notes -delete",
            "curl -o new https://example.com",
        )
    },
    "background": ("Bash", {"command": "ls", "run_in_background": True}),
    "outside": ("Bash", {"command": "ls", "dangerouslyDisableSandbox": True}),
    "a task": ("TaskCreate", {"subject": "x", "description": "y"}),
}


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "bypassPermissions"])
@pytest.mark.parametrize("what", REFUSED)
async def test_a_reader_writes_nothing_and_is_told_why(tmp_path: Path, mode: PermissionMode, what: str) -> None:
    async with open_bench(tmp_path) as bench:
        (bench.root / "notes").write_text("a\n")
        (bench.root / "n.ipynb").write_text("{}")
        before = {path: path.read_bytes() for path in bench.root.rglob("*") if path.is_file()}
        agents = agents_on(bench, mode)
        agents.session.add(["Bash", "Edit", "Write", "NotebookEdit", "TaskCreate"])
        tool, given = REFUSED[what]
        outcome = await agents.start("a04bf57", tool, given, is_read_only=True)
        assert outcome.block.is_error and not outcome.ends_turn
        assert f"{tool} was not run: Explore may only read, and " in outcome.block.shown
        assert {path: path.read_bytes() for path in bench.root.rglob("*") if path.is_file()} == before
        assert not bench.events(PermissionRequested)


@pytest.mark.parametrize("how", ["a rule", "the mode", "an answer"])
async def test_what_a_reader_runs_is_held_to_reading(
    tmp_path: Path, kind: Kind, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the judgement were wrong: the operating system still lets nothing be written."""

    def wrongly(*_call: object) -> None:
        return None

    monkeypatch.setattr(deciding, "refuse_to_reader", wrongly)
    async with open_bench(tmp_path, confine_by=Sandbox((kind,))) as bench:
        agents = agents_on(bench, "bypassPermissions" if how == "the mode" else "default")
        if how == "a rule":
            agents.session.add(["Bash"])
        running = agents.start("a04bf57", "Bash", {"command": "touch made || exit 1"}, is_read_only=True)
        if how == "an answer":
            request = (await agents.requests(1))[0]
            agents.broker.answer(AnswerPermission(request_id=request.id, answer="once"))
        outcome = await running
        assert outcome.block.is_error and not (bench.root / "made").exists()
        assert "as every command of an agent that only reads" in outcome.block.shown
        assert "dangerouslyDisableSandbox" not in outcome.block.shown


async def test_what_a_reader_runs_gets_none_of_the_variables_that_programs_obey(tmp_path: Path, kind: Kind) -> None:
    async with open_bench(tmp_path, confine_by=Sandbox((kind,)), PYTHONPATH="/planted") as bench:
        agents = agents_on(bench, "bypassPermissions")
        given = {"command": "printenv PYTHONPATH || echo none"}
        read = await agents.start("a04bf57", "Bash", given, is_read_only=True)
        free = await agents.start("a04bf58", "Bash", given)
        assert (read.block.shown, free.block.shown) == ("none", "/planted")
