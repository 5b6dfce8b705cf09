"""Agents in tiles and tasks in their panel."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.agent_views import AgentKind
from core.protocol.messages import TextBlock
from core.protocol.views import TaskInfo
from tests.snapshot.agents import NOW, Scene, agent, looks, of, states, tasked
from tests.snapshot.stage import ANSWER

KINDS = (
    AgentKind(
        name="Explore",
        description="Looks around quickly: files by pattern, code by words, answers about how things hang together.",
        model="haiku",
        tools=("Bash", "Glob", "Grep", "Read"),
        is_read_only=True,
        color="blue",
    ),
    AgentKind(name="general-purpose", description="Does what takes many steps.", tools=("*",)),
    AgentKind(
        name="reviewer",
        description="Reviews a change before it is committed.",
        layer="project",
        source="/home/ada/parser/.claude/agents/reviewer.md",
        model="opus",
        tools=("Grep", "Read"),
        color="purple",
    ),
)
PROBLEM = "/home/ada/.claude/agents/old.md:4: there is no tool Foo"


def four() -> Scene:
    """Four that run at once, each at something else."""
    one = agent(1, "Explore", "Find the callers", color="blue", model="claude-haiku-5")
    two = agent(2, "general-purpose", "Write the tests", color="green", model="claude-opus-5-5", started_at=NOW - 95)
    three = agent(3, "reviewer", "Review the change", color="purple", trouble="the same call 4 times: Grep parse")
    four = agent(4, "Plan", "Plan the migration", color="orange", in_background=True, context_tokens=156_000)
    return [
        *tasked(one, two, three, four),
        ev.AgentKindsChanged(kinds=KINDS, problems=(PROBLEM,)),
        *looks(one.id, "The parser is called in two places.\nI look closer.", r"parse\(", "import parser"),
        *of(two.id, ev.TurnStarted(), ev.BlockFinished(block_id="x", block=TextBlock(text=ANSWER))),
        *looks(three.id, "`parse` is read **once more**.", "parse", "parse", "parse", "parse"),
        *looks(four.id, "1. the `csv` module\n2. the callers\n3. the tests", "csv"),
    ]


def tasks() -> Scene:
    """Commands and agents, at work and over."""
    return [
        *four(),
        ev.TasksChanged(
            tasks=(
                TaskInfo(id="b12af3c", description="npm run dev", status="running", started_at=NOW - 310),
                TaskInfo(
                    id="a000001", kind="agent", description="Find the callers", status="running", started_at=NOW - 12
                ),
                TaskInfo(
                    id="b12af3d",
                    description="uv run pytest -q",
                    status="failed",
                    exit_code=1,
                    started_at=NOW - 80,
                    ended_at=NOW - 20,
                ),
                TaskInfo(
                    id="b12af3e", description="make docs", status="killed", started_at=NOW - 80, ended_at=NOW - 60
                ),
            )
        ),
    ]


SCENES = {"four": four, "states": states, "tasks": tasks}
