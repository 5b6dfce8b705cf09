"""Deferred tools over HTTP: the model searches, the server puts the definition in, the prefix stays as it was."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.host.host import Host
from core.host.ids import RandomIds
from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.ops import SetModel
from core.settings.schema import Settings
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, Script, say, text, thinking, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, running
from tests.fakes.wire import NEW, SMALL

SEARCH = "ToolSearch"
SCRIPT: tuple[Reply, ...] = (
    Reply([thinking("Look for it."), tool_use(SEARCH, {"query": "select:TaskCreate,TaskList"})]),
    Reply([thinking("Use it."), tool_use("TaskCreate", {"subject": "Test", "description": "All of it."})]),
    Reply([tool_use("TaskList", {})]),
    say("One task is on the list."),
)


@asynccontextmanager
async def session(
    script: Script, cwd: Path, home: Path, settings: Settings | None = None, **launch: Any
) -> AsyncGenerator[tuple[ApiServer, Rig]]:
    host = Host(clock=FakeClock(), ids=RandomIds())
    async with ApiServer(script) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, cwd, home, settings=settings or Settings(model=NEW), host=host, **launch) as rig:
            yield server, rig
            assert server.rejections == []


def deferred(body: Json) -> set[str]:
    return {tool["name"] for tool in body["tools"] if tool.get("defer_loading")}


def references(body: Json) -> list[str]:
    return [
        inner["tool_name"]
        for message in body["messages"]
        for block in message["content"]
        if block["type"] == "tool_result" and isinstance(block["content"], list)
        for inner in block["content"]
        if inner["type"] == "tool_reference"
    ]


def thoughts(body: Json) -> int:
    return sum(block["type"] == "thinking" for message in body["messages"] for block in message["content"])


async def test_a_tool_is_found_called_and_the_prefix_stays_in_the_cache(tmp_path: Path, isolated_machine: Path) -> None:
    async with session(list(SCRIPT), tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("Make a task.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert server.prefix_violations == []
        bodies = [request.body for request in server.requests]
        assert all({"TaskCreate", "TaskGet", "TaskUpdate", "TaskList"} <= deferred(body) for body in bodies)
        assert SEARCH in rig.of(ev.SessionStarted)[0].tools
        assert references(bodies[1]) == ["TaskCreate", "TaskList"]
        (found,) = [event for event in rig.of(ev.ToolFinished) if event.name == SEARCH]
        assert found.display.summary == "found: TaskCreate, TaskList"
        assert [task.subject for task in rig.of(ev.SharedTasksChanged)[-1].tasks] == ["Test"]
        sent = [event.usage for event in rig.of(ev.RequestFinished)]
        assert all(later.cache_read_tokens >= earlier.prompt_tokens for earlier, later in itertools.pairwise(sent))


async def test_it_goes_on_after_a_resume_with_thinking_and_tasks(tmp_path: Path, isolated_machine: Path) -> None:
    async with session(list(SCRIPT), tmp_path, isolated_machine) as (_, rig):
        await rig.prompt("Make a task.")
        live = [event.content for event in rig.of(ev.ToolFinished)]
    again = [Reply([tool_use("TaskList", {})]), say("Still there.")]
    async with session(again, tmp_path, isolated_machine, resume="latest") as (server, rig):
        restored = await rig.event(ev.SharedTasksChanged)
        assert [task.subject for task in restored.tasks] == ["Test"]
        assert [event.content for event in rig.of(ev.ToolFinished)] == live
        await rig.prompt("And now?")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        body = server.requests[-1].body
        assert references(body) == ["TaskCreate", "TaskList"] and thoughts(body) == 2


@pytest.mark.parametrize(
    ("settings", "tools", "left"),
    [
        (Settings(model=NEW), ("Read", "TaskList"), ["TaskList"]),
        (Settings(model=NEW), ("Read",), []),
        (Settings(model=NEW, tool_search="off"), (), []),
        (Settings(model=SMALL), (), []),
    ],
    ids=["fewer tools", "none that is deferred", "no search", "a model without search"],
)
async def test_a_session_is_taken_up_where_what_was_found_is_not_deferred_any_more(
    tmp_path: Path, isolated_machine: Path, settings: Settings, tools: tuple[str, ...], left: list[str]
) -> None:
    async with session(list(SCRIPT), tmp_path, isolated_machine) as (_, rig):
        await rig.prompt("Make a task.")
    async with session([say("Fine.")], tmp_path, isolated_machine, settings, resume="latest", tools=tools) as (
        server,
        rig,
    ):
        await rig.prompt("And now?")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        (request,) = server.requests
        assert references(request.body) == left
        assert thoughts(request.body) == 0, "it was bound to other tools"
        assert (SEARCH in {tool["name"] for tool in request.body["tools"]}) == bool(left)


async def test_the_model_may_be_changed_to_one_that_cannot_search_and_back(
    tmp_path: Path, isolated_machine: Path
) -> None:
    script = [*SCRIPT, Reply([tool_use("TaskList", {})]), say("Yes."), Reply([thinking("Again."), text("Yes.")])]
    async with session(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("Make a task.")
        await rig.do(SetModel(model=SMALL, is_confirmed=True))
        await rig.prompt("Is it there?")
        await rig.do(SetModel(model=NEW, is_confirmed=True))
        await rig.prompt("And now?")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"] * 3
        assert deferred(server.requests[4].body) == set()
        assert "Found: TaskCreate, TaskList." in str(server.requests[4].body["messages"])
        assert references(server.requests[-1].body) == ["TaskCreate", "TaskList"]


async def test_a_deferred_tool_runs_even_where_it_was_not_searched_for(tmp_path: Path, isolated_machine: Path) -> None:
    async with session([Reply([tool_use("TaskList", {})]), say("Empty.")], tmp_path, isolated_machine) as (_, rig):
        await rig.prompt("What is to do?")
        assert rig.of(ev.ToolFinished)[0].content == "The task list is empty."


async def test_a_search_that_finds_nothing_is_an_answer_the_model_can_use(
    tmp_path: Path, isolated_machine: Path
) -> None:
    script = [Reply([tool_use(SEARCH, {"query": "select:TaskMake"})]), say("I see.")]
    async with session(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        result = server.requests[1].body["messages"][-1]["content"][0]
        assert result["is_error"] and "Did you mean Task" in result["content"]
