"""Routes over the real SDK: two strict servers, one for the conversation and one for what is asked beside it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.ops import (
    AnswerPermission,
    Compact,
    ExplainPermission,
    ReportContext,
    SetMode,
    SetModel,
    SubmitPrompt,
)
from core.settings.schema import RouteEntry, Settings
from tests.fakes.api_script import Reply, Script, http, say, text, thinking, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, fake_host, running

MAIN, SMALL, SONNET = "claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-5-5"
KEY = "OTHER_KEY"


@asynccontextmanager
async def two_servers(
    script: Script,
    beside: Script,
    cwd: Path,
    home: Path,
    *entries: RouteEntry,
    key: str = "",
    has_background: bool = False,
    **more: Any,
) -> AsyncGenerator[tuple[ApiServer, ApiServer, Rig]]:
    """The session's own server, another one at which the entries are reached, and an engine between them."""
    async with ApiServer(script, valid_key="key") as main, ApiServer(beside, valid_key=key or None) as other:
        there = {"base_url": other.url, "api_key_env": KEY if key else ""}
        routing = tuple(
            RouteEntry(kind=one.kind, model=one.model, effort=one.effort, above=one.above, **there) for one in entries
        )
        settings = Settings(model=MAIN, base_url=main.url, routing=routing, **more)
        client = AnthropicClient(base_url=main.url, api_key="key")
        host = fake_host({KEY: key} if key else {})
        async with running(client, cwd, home, settings=settings, host=host, has_background=has_background) as rig:
            yield main, other, rig


def seen(server: ApiServer) -> list[str]:
    """The model of each request."""
    return [entry.body["model"] for entry in server.requests]


async def test_what_is_asked_beside_the_conversation_goes_to_the_background_server(
    tmp_path: Path, isolated_machine: Path
) -> None:
    call = Reply([thinking("Hm."), tool_use("Bash", {"command": "make install"})])
    entry = RouteEntry(kind="background", model=SMALL)
    beside = [say("Low\nIt installs.")]
    script = [say("Hi."), call, say("Done.")]
    async with two_servers(script, beside, tmp_path, isolated_machine, entry) as (main, other, rig):
        await rig.prompt("hi")
        await rig.do(SubmitPrompt(text="install it"))
        asked = await rig.event(ev.PermissionRequested)
        await rig.do(ExplainPermission(request_id=asked.request.id))
        assert (await rig.event(ev.PermissionExplained)).text == "It installs."
        await rig.do(AnswerPermission(request_id=asked.request.id, answer="deny", comment="not now"))
        await rig.settle()
        assert (seen(main), seen(other)) == ([MAIN] * 3, [SMALL])
        assert (main.rejections, other.rejections) == ([], [])
        # Nothing of the session's own credentials reaches a server on this machine.
        assert other.requests[0].headers["authorization"] == "Bearer local"
        assert {(line.model, line.source) for line in rig.engine.session.ledger.lines()} == {
            (MAIN, "main"), (SMALL, "explain"),
        }  # fmt: skip


async def test_the_running_notes_are_taken_by_the_server_on_this_machine(
    tmp_path: Path, isolated_machine: Path
) -> None:
    entry = RouteEntry(kind="background", model=SMALL)
    long = say("A long answer. " * 3_000)
    async with two_servers(
        lambda _body: long,
        lambda _body: say("goal: to see it noted"),
        tmp_path,
        isolated_machine,
        entry,
        has_background=True,
    ) as (main, other, rig):
        await rig.prompt("hi")
        await rig.prompt("go on")
        noted = await rig.event(ev.RequestFinished, lambda event: event.query_source == "session_memory")
        assert noted.usage.output_tokens > 0
        assert set(seen(main)) == {MAIN} and set(seen(other)) == {SMALL}
        assert (main.rejections, other.rejections) == ([], [])


async def test_a_plan_is_made_elsewhere_with_its_own_key_and_effort(tmp_path: Path, isolated_machine: Path) -> None:
    entry = RouteEntry(kind="plan", model=SONNET, effort="max")
    planned = [Reply([thinking("Well."), text("A plan.")])]
    async with two_servers(
        [say("Hi."), say("Done.")], planned, tmp_path, isolated_machine, entry, key="secret", effort="low"
    ) as (main, other, rig):
        await rig.prompt("hi")
        await rig.do(SetMode(mode="plan"))
        await rig.prompt("Plan it")
        await rig.do(SetMode(mode="default"))
        await rig.prompt("Do it")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"] * 3
        assert (seen(main), seen(other)) == ([MAIN] * 2, [SONNET])
        assert other.requests[0].headers["authorization"] == "Bearer secret"
        assert other.requests[0].body["output_config"] == {"effort": "max"}
        assert main.requests[1].body["output_config"] == {"effort": "low"}
        assert (main.rejections, other.rejections) == ([], [])
        assert "A plan." in str(main.requests[1].body["messages"])


async def test_a_summary_is_written_by_the_model_for_compactions(tmp_path: Path, isolated_machine: Path) -> None:
    entry = RouteEntry(kind="compaction", model=SONNET)
    long = say("A long answer. " * 3_000)
    summary = [Reply([thinking("So."), text("They said hi.")])]
    async with two_servers([long, long], summary, tmp_path, isolated_machine, entry, background_agents=False) as (
        main,
        other,
        rig,
    ):
        await rig.prompt("hi")
        await rig.prompt("go on")
        await rig.do(Compact())
        assert (await rig.event(ev.CompactionFinished)).summary == "They said hi."
        await rig.settle()
        assert (seen(main), seen(other)) == ([MAIN] * 2, [SONNET])
        assert other.rejections == []
        assert {(line.model, line.source) for line in rig.engine.session.ledger.lines()} == {
            (MAIN, "main"), (SONNET, "compaction"),
        }  # fmt: skip


async def test_a_summary_that_the_other_server_does_not_write_is_written_here(
    tmp_path: Path, isolated_machine: Path
) -> None:
    entry = RouteEntry(kind="compaction", model=SONNET)
    down = [Reply(fault=http(500, "api_error"))]
    script = [say("Words. " * 900), say("## Intent\nWords.")]
    async with two_servers(script, down, tmp_path, isolated_machine, entry) as (main, other, rig):
        await rig.prompt("hi")
        await rig.do(Compact())
        await rig.settle()
        assert seen(other) == [SONNET] and seen(main) == [MAIN, MAIN]
        assert rig.of(ev.CompactionFinished) and not rig.of(ev.CompactionFailed)
        assert any("does not answer" in notice.text for notice in rig.of(ev.Notice))


async def test_a_server_that_is_down_ends_the_turn_and_leaves_the_others(
    tmp_path: Path, isolated_machine: Path
) -> None:
    entry = RouteEntry(kind="plan", model=SONNET)
    refused = [Reply(fault=http(403, "permission_error", "Not for you"))]
    async with two_servers([say("Hi.")], refused, tmp_path, isolated_machine, entry) as (main, other, rig):
        await rig.do(SetMode(mode="plan"))
        await rig.prompt("Plan it")
        await rig.do(SetMode(mode="default"))
        await rig.prompt("hi")
        ends = rig.of(ev.TurnEnded)
        assert [event.reason for event in ends] == ["error", "completed"] and "Not for you" in ends[0].detail
        assert (len(main.requests), len(other.requests)) == (1, 1)


# What the server knows of models and tokens


@pytest.mark.parametrize(("name", "near"), [("claude-opus-55", "claude-opus-5-5"), ("no-such-model", "ids")])
async def test_a_model_that_the_server_does_not_have_is_not_taken(
    tmp_path: Path, isolated_machine: Path, name: str, near: str
) -> None:
    async with two_servers([say("Hi.")], [], tmp_path, isolated_machine) as (main, _other, rig):
        await rig.do(SetModel(model=name))
        told = await rig.event(ev.Notice, lambda event: event.level == "error")
        assert name in told.text and near in told.hint
        await rig.prompt("hi")
        assert seen(main) == [MAIN] and rig.of(ev.ModelChanged) == []


async def test_a_server_that_does_not_list_models_takes_any(tmp_path: Path, isolated_machine: Path) -> None:
    async with ApiServer([]) as server:
        client = AnthropicClient(base_url=f"{server.url}/elsewhere", api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.do(SetModel(model="my-own"))
            assert (await rig.event(ev.ModelChanged)).model == "my-own"
            told = await rig.event(ev.Notice, lambda event: event.level == "warning")
            assert "Nothing is known of my-own" in told.text and server.log


async def test_the_prompt_is_counted_by_the_server_as_it_will_be_sent(tmp_path: Path, isolated_machine: Path) -> None:
    async with two_servers([say("Hi."), say("Yes.")], [], tmp_path, isolated_machine) as (main, _other, rig):
        await rig.prompt("hi")
        await rig.do(ReportContext())
        counted = await rig.event(ev.ContextReported, lambda event: event.report.exact is not None)
        await rig.prompt("more")
        assert main.rejections == []
        (count,) = (entry for entry in main.log if entry.path.endswith("count_tokens"))
        sent = main.requests[1].body
        for name in ("model", "system", "tools", "thinking"):
            assert count.body[name] == sent[name]
        assert "max_tokens" not in count.body and "stream" not in count.body
        usage = rig.of(ev.RequestFinished)[-1].usage
        assert counted.report.exact is not None and abs(usage.prompt_tokens - counted.report.exact) < 50


async def test_a_server_that_does_not_count_is_not_told_of(tmp_path: Path, isolated_machine: Path) -> None:
    async with ApiServer([say("Hi.")]) as server:
        client = AnthropicClient(base_url=f"{server.url}/elsewhere", api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.do(ReportContext())
            assert (await rig.event(ev.ContextReported)).report.exact is None
        assert not [event for event in rig.of(ev.Notice) if event.level != "info"]
