"""What an agent gets: which tools, which model, which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.definition import AgentDefinition
from core.agents.definitions import built_in
from core.agents.model_choice import LINES, agent_route, newest
from core.agents.prompting import agent_system_prompt
from core.agents.tool_filter import CHANGING, NO_AGENT, allowed_tools
from core.context.tokens import BYTES_PER_TOKEN
from core.engine.tools import TOOLS
from core.host.git import GitSnapshot
from core.llm.catalog import load_catalog
from core.llm.demo import DEMO_MODEL
from core.llm.routes import Route
from core.prompt.sections import Environment, named_branch, named_date
from core.settings.schema import ModelEntry, RouteEntry, Settings
from core.tools.base import ToolError

NAMES = (*(tool.name for tool in TOOLS), "Task", "ToolSearch", "mcp__git__log", "mcp__git__push", "mcp__gitlab__log")
GENERAL, EXPLORE, PLAN = built_in()


def agent(**changes: Any) -> AgentDefinition:
    values: dict[str, Any] = {"name": "x", "description": "X.", "prompt": "Do X.", "layer": "project"}
    return AgentDefinition(**values | changes)


# Tools

entries = st.lists(st.sampled_from([*NAMES, "mcp__git", "mcp__git__*", "mcp__*", "Skill"]))


@given(st.none() | entries, entries, st.booleans(), st.permutations(NAMES))
def test_the_filter_gives_what_is_asked_for_in_order_and_never_what_is_forbidden(
    tools: list[str] | None, denied: list[str], is_read_only: bool, names: list[str]
) -> None:
    definition = agent(
        tools=None if tools is None else tuple(tools), disallowed=tuple(denied), is_read_only=is_read_only
    )
    allowed = allowed_tools(definition, names)
    forbidden = {"Task", "AskUserQuestion", "EnterPlanMode", "ExitPlanMode", *denied}
    if is_read_only:
        forbidden |= {"Write", "Edit", "MultiEdit", "NotebookEdit", "KillShell", "TodoWrite", "TaskCreate"}
    assert not forbidden & set(allowed)
    assert [name for name in names if name in allowed] == list(allowed)
    if tools is None and not denied:
        assert set(allowed) == set(names) - NO_AGENT - (CHANGING if is_read_only else set())
    if tools is not None and "mcp__*" not in tools:
        assert {name for name in allowed if not name.startswith("mcp__")} <= set(tools)


@pytest.mark.parametrize(
    ("entry", "mine"),
    [
        ("mcp__git", ["mcp__git__log", "mcp__git__push"]),
        ("mcp__git__*", ["mcp__git__log", "mcp__git__push"]),
        ("mcp__git__l*", ["mcp__git__log"]),
        ("mcp__git__push", ["mcp__git__push"]),
        ("mcp__gitla", []),
    ],
)
def test_tools_of_a_server(entry: str, mine: list[str]) -> None:
    assert list(allowed_tools(agent(tools=(entry,)), NAMES)) == mine
    assert [
        n for n in NAMES if n.startswith("mcp") and n not in allowed_tools(agent(disallowed=(entry,)), NAMES)
    ] == mine


def test_what_the_built_in_ones_get() -> None:
    looking = ("Read", "Glob", "Grep", "LS", "Bash", "BashOutput", "WebFetch", "WebSearch")
    assert allowed_tools(EXPLORE, NAMES) == allowed_tools(PLAN, NAMES) == looking
    assert {"Write", "Edit", "Bash", "TodoWrite", "TaskCreate"} <= set(allowed_tools(GENERAL, NAMES))


# Models

MAIN = Route(model="main-1", effort="high", base_url="https://main.example", api_key_env="MAIN_KEY")
SETTINGS = Settings(model="main-1", small_model="small-1", effort="medium")
LOCAL = RouteEntry(kind="background", model="qwen-3", base_url="http://localhost:1", api_key_env="", effort="low")


def model(definition: AgentDefinition, asked: str = "", settings: Settings = SETTINGS) -> str:
    return agent_route(definition, asked, settings, MAIN).model


def test_who_has_the_word() -> None:
    table = replace(SETTINGS, routing=(RouteEntry(kind="agent", model="table-1"), LOCAL))
    both = replace(table, routing=(*table.routing, RouteEntry(kind="explore", model="look-1")))
    custom = agent(model="own-1")
    assert model(custom, "asked-1", replace(both, agent_model="all-1")) == "all-1"
    assert model(custom, "asked-1", both) == "asked-1"
    assert model(custom, "", both) == "own-1"
    assert model(agent(), "", both) == "table-1" and model(agent(model="inherit"), "", both) == "main-1"
    assert model(agent()) == "main-1"
    # What is built in gives way to the table.
    assert [model(one) for one in (GENERAL, EXPLORE, PLAN)] == ["main-1", "small-1", "main-1"]
    assert [model(one, "", table) for one in (GENERAL, EXPLORE, PLAN)] == ["table-1"] * 3
    assert [model(one, "", both) for one in (GENERAL, EXPLORE, PLAN)] == ["table-1", "look-1", "table-1"]
    # Somebody's own Explore counts as one where it only reads.
    assert model(replace(EXPLORE, layer="user", model=""), "", both) == "look-1"
    assert model(replace(EXPLORE, layer="user", model="own-1"), "", both) == "own-1"
    assert model(agent(name="Explore"), "", both) == "table-1"


def test_the_main_model_as_it_is_reached_at_the_moment() -> None:
    assert agent_route(GENERAL, "", SETTINGS, MAIN) == agent_route(agent(), "inherit", SETTINGS, MAIN) == MAIN
    assert agent_route(agent(effort="low"), "main-1", SETTINGS, MAIN) == replace(MAIN, effort="low")


def test_a_model_of_the_table_is_reached_at_its_address() -> None:
    settings = replace(SETTINGS, routing=(LOCAL,))
    found = agent_route(agent(model="qwen-3"), "", settings, MAIN)
    assert found == Route(model="qwen-3", effort="low", base_url="http://localhost:1")
    other = agent_route(agent(model="other-2"), "", settings, MAIN)
    assert (other.effort, other.base_url, other.api_key_env) == ("medium", settings.base_url, "")


def test_efforts() -> None:
    assert agent_route(agent(), "small", SETTINGS, MAIN).effort is None
    assert agent_route(agent(effort="max"), "small", SETTINGS, MAIN).effort == "max"


@pytest.mark.parametrize("line", LINES)
def test_the_newest_of_each_line(line: str) -> None:
    found = model(agent(), line)
    assert found == newest(line) in load_catalog()
    assert found in ("claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(ToolError) as error:
        model(agent(), "sonett")
    assert "no model 'sonett'" in error.value.user_message
    assert "sonnet, opus, haiku, fable, small, inherit" in (error.value.hint or "")
    known = replace(SETTINGS, models=(ModelEntry(id="qwen", window=10_000),))
    assert model(agent(), "qwen", known) == "qwen"


def test_the_demo_stays_the_demo() -> None:
    demo = Settings(model=DEMO_MODEL, small_model=DEMO_MODEL, agent_model="opus")
    main = Route(model=DEMO_MODEL)
    assert agent_route(agent(model="opus"), "sonnet", demo, main) == main


# Words

HERE = Environment(
    cwd="/work/project",
    is_repo=True,
    platform="linux",
    os="Linux 6.1",
    date="2026-11-22",
    model="claude-opus-5-5",
    git=GitSnapshot(branch="topic", main_branch="main", status=" M a.py", recent_commits="abc First"),
)


@pytest.mark.parametrize("definition", [GENERAL, EXPLORE, PLAN], ids=lambda one: one.name)
def test_an_agent_is_told_little(definition: AgentDefinition) -> None:
    system = agent_system_prompt(definition, HERE)
    size = len((system.static + system.session).encode()) / BYTES_PER_TOKEN
    assert 300 < size < 520
    assert definition.prompt in system.static and "/work/project" not in system.static
    assert "/work/project" in system.session and named_date(system) == "2026-11-22"
    assert "a.py" not in system.session and "First" not in system.session
    assert named_branch(system) == ("topic" if definition.has_instructions else None)


def test_the_same_day_gives_the_same_bytes() -> None:
    assert HERE.git is not None
    later = replace(HERE, git=replace(HERE.git, status="", recent_commits="def Second"))
    assert agent_system_prompt(GENERAL, HERE) == agent_system_prompt(GENERAL, later)
    detached = replace(HERE, git=replace(HERE.git, branch=""))
    assert named_branch(agent_system_prompt(GENERAL, detached)) == ""
