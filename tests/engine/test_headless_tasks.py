"""One prompt without a window, with agents and background commands: who is waited for, what of them is printed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from core.bus.bus import Author
from core.engine import headless, wiring
from core.engine.headless import OutputFormat, run_headless
from core.llm.client import ModelRequest
from core.llm.scripted import Reply, Script, ScriptedModel, call, in_order, say
from core.permissions.access import Access
from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.messages import TextBlock, ToolUseBlock
from core.settings.schema import Settings
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from tests.fakes.engines import allowing, make_launch
from tests.fakes.errand import Errand

DONE = Reply([say("All is well.")])
AGENT = "a04bf57"
hired: list[Errand] = []


class HireInput(ToolInput):
    pass


class Hire(Tool[HireInput]):
    """Starts an agent that a test ends; of its own it says and does one thing."""

    name = "Hire"
    input_type = HireInput

    @cached_property
    def description(self) -> str:
        return "Hires."

    def check_permissions(self, arguments: HireInput, context: ToolContext) -> Access:
        return Access(verdict="allow", reason="a test")

    def is_read_only(self, arguments: HireInput, state: ToolState) -> bool:
        return True

    async def run(self, arguments: HireInput, context: ToolContext) -> ToolResult:
        author = Author(AGENT, context.tool_use_id, "Explore · Look")
        publisher = context.publisher.for_agent(author).for_turn("agent-turn")
        agent = AgentInfo(
            id=AGENT, agent_type="Explore", description="Look", prompt="Look!", tool_use_id=context.tool_use_id
        )
        hired.append(Errand(context.services.task_registry, AGENT))
        for event in (
            ev.AgentStarted(agent=agent),
            ev.TurnStarted(),
            ev.RequestStarted(request_id="r", model="small-model", query_source="agent", attempt=1),
            ev.BlockFinished(block_id="m1:0", block=TextBlock(text="I look.")),
            ev.BlockFinished(block_id="m1:1", block=ToolUseBlock(id="s1", name="LS", input={"path": "."})),
            ev.ToolStarted(tool_use_id="s1", name="LS", input={"path": "."}, batch=0),
            ev.ToolFinished(tool_use_id="s1", name="LS", content="a.txt", is_error=False),
            ev.TurnEnded(reason="error", steps=40),
            ev.AgentEnded(agent=agent, result="Nothing there."),
        ):
            publisher.emit(event)
        return ToolResult(content="hired")


@pytest.fixture(autouse=True)
def hiring(monkeypatch: pytest.MonkeyPatch) -> None:
    hired.clear()
    monkeypatch.setattr(wiring, "TOOLS", (*wiring.TOOLS, Hire))


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, isolated_machine: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(form: OutputFormat, script: Script | list[Reply], *, forwards: bool = False) -> tuple[int, str, str]:
        model = ScriptedModel(script if callable(script) else in_order(script))
        launch = make_launch(tmp_path, isolated_machine, is_attended=False)
        settings = Settings(rules=allowing("Bash"))
        code = run_headless(settings, launch, "go", form, forwards_agents=forwards, model=model)
        out, errors = capsys.readouterr()
        return code, out, errors

    return run


def hire_and(*later: Reply) -> Script:
    """Hires, answers, and ends the agent some time after that; then what follows."""
    replies = [Reply([call("Hire", "h1")]), Reply([say("Hired one.")]), *later]
    ends: list[asyncio.Task[None]] = []

    async def end() -> None:
        for _ in range(500):
            await asyncio.sleep(0)
        hired[0].end()

    def script(_request: ModelRequest) -> Reply:
        if len(replies) == 1 + len(later):
            ends.append(asyncio.create_task(end()))
        return replies.pop(0)

    return script


def test_an_agent_of_the_background_is_waited_for_and_the_answer_to_it_is_the_result(run: Run) -> None:
    assert run("text", hire_and(DONE)) == (0, "All is well.\n", "")
    hired.clear()
    code, out, _errors = run("json", hire_and(DONE))
    record = json.loads(out)
    assert (code, record["result"], record["num_turns"], record["is_error"]) == (0, "All is well.", 3, False)


def test_an_agent_that_does_not_end_is_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "AGENTS_WAIT_S", 0.1)
    code, out, errors = run("text", [Reply([call("Hire", "h1")]), DONE])
    assert (code, out) == (0, "All is well.\n")
    assert "1 agent still ran" in errors
    assert hired[0].info.status == "killed"


def test_after_a_turn_that_failed_nothing_is_waited_for(run: Run) -> None:
    code, _out, errors = run("text", [Reply([call("Hire", "h1")]), Reply([say("I")], stop_reason="refusal")])
    assert code == 1 and "still ran" not in errors
    assert hired[0].info.status == "killed"


def lines_of(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def blocks(lines: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [
        (line["type"], block["type"], line["parent_tool_use_id"])
        for line in lines
        if line["type"] in ("assistant", "user")
        for block in line["message"]["content"]
    ]


@pytest.mark.parametrize("forwards", [False, True])
def test_a_stream_holds_what_agents_do(run: Run, forwards: bool) -> None:
    code, out, _errors = run("stream-json", hire_and(DONE), forwards=forwards)
    lines = lines_of(out)
    said = [("assistant", "text", "h1")] if forwards else []
    assert blocks(lines) == [
        ("assistant", "tool_use", None),
        *said,
        ("assistant", "tool_use", "h1"),
        ("user", "tool_result", "h1"),
        ("user", "tool_result", None),
        ("assistant", "text", None),
        ("assistant", "text", None),
    ]
    models = {line["message"]["model"] for line in lines if line.get("parent_tool_use_id") and line["type"] != "user"}
    assert models == {"small-model"}
    system = [line for line in lines if line["type"] == "system" and line["subtype"].startswith("task_")]
    assert [(line["subtype"], line["task_id"], line["tool_use_id"]) for line in system] == [
        ("task_started", AGENT, "h1"),
        ("task_notification", AGENT, "h1"),
    ]
    assert all(line["session_id"] == lines[0]["session_id"] for line in system)
    assert (code, lines[-1]["type"], lines[-1]["num_turns"]) == (0, "result", 3)


def test_real_agents_of_the_background(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    tasks = [
        call("Task", f"t{number}", description="Look", prompt="Look!", run_in_background=True) for number in (1, 2)
    ]
    main = [Reply(tasks)]

    def script(request: ModelRequest) -> Reply:
        if request.query_source == "agent":
            answers = sum(message["role"] == "assistant" for message in request.messages)
            touch = call("Write", "w1", file_path="made.txt", content="x")
            steps = [
                Reply([say("I look."), call("Read", "r1", file_path="a.txt"), touch]),
                Reply([say("It says one.")]),
            ]
            return steps[answers]
        return main.pop(0) if main else Reply([say(f"{str(request.messages).count('It says one.')} came back.")])

    code, out, _errors = run("stream-json", script)
    lines = lines_of(out)
    result = lines[-1]
    assert (code, result["result"]) == (0, "2 came back.")
    assert not (tmp_path / "made.txt").exists()
    assert [denial["tool_name"] for denial in result["permission_denials"]] == ["Write", "Write"]
    done = [line for line in lines if line.get("subtype") == "task_notification"]
    assert [(line["status"], line["summary"]) for line in done] == [("completed", "It says one.")] * 2
    assert {line["tool_use_id"] for line in done} == {"t1", "t2"}
    of_agents = [entry for entry in blocks(lines) if entry[2]]
    assert sorted(of_agents) == sorted(
        entry
        for parent in ("t1", "t2")
        for entry in (*[("assistant", "tool_use", parent)] * 2, *[("user", "tool_result", parent)] * 2)
    )
    used = sum(model["outputTokens"] for model in result["modelUsage"].values())
    assert used > result["usage"]["output_tokens"], "the account is of the agents too"


def test_a_background_command_may_come_to_its_end(run: Run, tmp_path: Path) -> None:
    command = "until [ -e printed ]; do sleep 0.02; done; touch made"
    start = Reply([call("Bash", "b", command=command, run_in_background=True)])

    def script(_request: ModelRequest) -> Reply:
        # The last request before the result: what comes later is after the turn.
        if len(replies) == 1:
            (tmp_path / "printed").touch()
        return replies.pop(0) if replies else DONE

    replies = [start, DONE]
    code, out, _errors = run("stream-json", script)
    lines = lines_of(out)
    assert (tmp_path / "made").exists()
    started = next(line for line in lines if line.get("subtype") == "task_started")
    assert (started["task_type"], started["description"]) == ("local_bash", command)
    assert (code, lines[-1]["type"]) == (0, "result")


def test_one_that_goes_on_is_killed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "SHELLS_WAIT_S", 0.2)
    start = Reply([call("Bash", "b", command="echo $$ > pid; exec sleep 300", run_in_background=True)])
    assert run("text", [start, DONE])[:2] == (0, "All is well.\n")
    if (tmp_path / "pid").exists():
        pid = int((tmp_path / "pid").read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_being_terminated_while_an_agent_is_waited_for_ends_all(run: Run) -> None:
    replies = [Reply([call("Hire", "h1")]), DONE]

    async def terminate() -> None:
        for _ in range(500):
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)

    ends: list[asyncio.Task[None]] = []

    def script(_request: ModelRequest) -> Reply:
        if len(replies) == 1:
            ends.append(asyncio.create_task(terminate()))
        return replies.pop(0)

    code, out, _errors = run("text", script)
    assert (code, out) == (143, "")
    assert hired[0].info.status == "killed"
