"""The engine through the real SDK against the strict server: nothing rejected, everything cached, tools at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.ops import Interrupt, RunShell, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, Script, redacted_thinking, say, text, thinking, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, running
from tests.fakes.gate import Gate, install_gate
from tests.fakes.wire import NEW, OLD

MIN_CACHE_SHARE = 0.9


@asynccontextmanager
async def connected(
    script: Script,
    cwd: Path,
    home: Path,
    *,
    settings: Settings | None = None,
    resume: str | None = None,
    has_background: bool = False,
    has_agents: bool = False,
    **options: Any,
) -> AsyncGenerator[tuple[ApiServer, Rig]]:
    """A running engine whose model is a server of its own."""
    async with ApiServer(script, **options) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(
            client,
            cwd,
            home,
            settings=settings,
            resume=resume,
            has_background=has_background,
            has_agents=has_agents,
        ) as rig:
            yield server, rig


def loop(turns: int) -> Script:
    """Reads, thinks and reads again, so many times, then answers."""

    def answer(body: Json) -> Reply:
        rounds = sum(message["role"] == "assistant" for message in body["messages"])
        if rounds >= turns:
            return Reply([thinking("Enough."), text(f"Read {rounds} times.")])
        calls = [tool_use("Read", {"file_path": f"f{(rounds + index) % 5}.txt"}) for index in range(1 + rounds % 3)]
        first = redacted_thinking() if rounds % 7 == 3 else thinking(f"Thought {rounds}.")
        between = [text(f"Step {rounds}.")] if rounds % 2 else []
        return Reply([first, *between, *calls])

    return answer


def make_files(folder: Path) -> None:
    for number in range(5):
        (folder / f"f{number}.txt").write_text(f"File {number}.\n" * 40)


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_a_long_tool_loop_is_never_rejected_and_read_from_the_cache(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    make_files(tmp_path)
    (tmp_path / "AGENTS.md").write_text("Be brief.\n")
    async with connected(loop(30), tmp_path, isolated_machine, settings=Settings(model=model)) as (server, rig):
        await rig.prompt("Read everything.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert len(server.requests) == 31
        assert server.rejections == []
        assert server.prefix_violations == []
        later = [event.usage for event in rig.of(ev.RequestFinished)[1:]]
    share = sum(usage.cache_read_tokens for usage in later) / sum(usage.prompt_tokens for usage in later)
    print(f"cache read share after the first request: {share:.1%}")
    assert share >= MIN_CACHE_SHARE


async def test_several_prompts_with_news_between_them(tmp_path: Path, isolated_machine: Path) -> None:
    make_files(tmp_path)
    for model in (NEW, OLD):
        async with connected(loop(3), tmp_path, isolated_machine, settings=Settings(model=model)) as (server, rig):
            for number in range(3):
                (tmp_path / "AGENTS.md").write_text(f"Rule {number}.\n")
                await rig.prompt(f"Prompt {number}")
            assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"] * 3
            assert (server.rejections, server.prefix_violations) == ([], [])


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_news_of_every_kind_is_accepted_and_leaves_the_cache_alone(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    """While the model thinks, instructions, a file that it has read and the branch change, and a folder is entered."""
    make_files(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "CLAUDE.md").write_text("Below.\n")
    (tmp_path / "sub" / "a.txt").write_text("text\n")
    (tmp_path / ".git").mkdir()

    def answer(body: Json) -> Reply:
        number = sum(message["role"] == "assistant" for message in body["messages"])
        (tmp_path / "AGENTS.md").write_text(f"Rule {number}.\n")
        (tmp_path / "f0.txt").write_text(f"Line {number}.\n")
        (tmp_path / ".git" / "HEAD").write_text(f"ref: refs/heads/topic-{number}\n")
        if number == 12:
            return Reply([thinking("Enough."), text("Done.")])
        path = "sub/a.txt" if number == 5 else "f0.txt" if number % 4 == 0 else f"f{number % 4}.txt"
        return Reply([thinking(f"Thought {number}."), tool_use("Read", {"file_path": path})])

    async with connected(answer, tmp_path, isolated_machine, settings=Settings(model=model)) as (server, rig):
        await rig.prompt("Go.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed", rig.of(ev.TurnEnded)[-1].detail
        assert (server.rejections, server.prefix_violations) == ([], [])
        sent = json.dumps(server.requests[-1].body["messages"])
        later = [event.usage for event in rig.of(ev.RequestFinished)[1:]]
    for expected in ("Rule 7.", "Below.", "Line 3.", "topic-11", "f0.txt: changed"):
        assert expected in sent
    assert ("system-reminder" in sent) == (model == OLD)
    share = sum(usage.cache_read_tokens for usage in later) / sum(usage.prompt_tokens for usage in later)
    print(f"cache read share with news before every request: {share:.1%}")
    assert share >= MIN_CACHE_SHARE


async def test_the_first_of_three_reads_starts_before_the_response_has_ended(
    tmp_path: Path, isolated_machine: Path
) -> None:
    make_files(tmp_path)
    rest = asyncio.Event()
    reads = [tool_use("Read", {"file_path": f"f{number}.txt"}, f"toolu_{number}") for number in range(3)]
    first = tool_use("Read", {"file_path": "f0.txt"}, "toolu_0", gate=rest)
    async with connected([Reply([first, *reads[1:]]), say("Done.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="go"))
        await rig.event(ev.ToolFinished)
        assert not server.requests[0].finished
        assert not rig.of(ev.RequestFinished)
        rest.set()
        await rig.settle()
        results = [block["tool_use_id"] for block in server.requests[1].body["messages"][-1]["content"]]
        assert results == ["toolu_0", "toolu_1", "toolu_2"]
        assert server.rejections == []


async def test_eight_reads_run_at_once(tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate: type[Gate] = install_gate(monkeypatch)
    names = [f"n{number}" for number in range(8)]
    calls = [tool_use("Gate", {"name": name}, name) for name in names]
    async with connected([Reply(calls), say("Done.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="go"))
        await gate.inside(*names)
        gate.open(*reversed(names))
        await rig.settle()
        results = [block["tool_use_id"] for block in server.requests[1].body["messages"][-1]["content"]]
        assert results == names


async def test_thinking_is_asked_for_shown_and_sent_back(tmp_path: Path, isolated_machine: Path) -> None:
    make_files(tmp_path)
    script = [Reply([thinking("I should read."), tool_use("Read", {"file_path": "f0.txt"})]), say("Done.")]
    async with connected(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        shown = "".join(event.text for event in rig.of(ev.BlockDelta) if event.block_id.endswith(":0"))
        assert shown.startswith("I should read.")
        assert server.requests[0].body["thinking"] == {"type": "adaptive", "display": "summarized"}
        kept = server.requests[1].body["messages"][1]["content"][0]
        assert (kept["type"], kept["thinking"]) == ("thinking", "I should read.")
        assert server.rejections == []


async def test_a_call_cut_off_by_the_limit_never_runs(tmp_path: Path, isolated_machine: Path) -> None:
    from tests.fakes.api_script import malformed_tool_json, truncated_tool_json

    for fault in (truncated_tool_json(), malformed_tool_json()):
        call = tool_use("Write", {"file_path": "made.txt", "content": "much text " * 20}, "toolu_w")
        script = [Reply([text("Writing."), call], fault=fault), say("I see.")]
        settings = Settings(mode="acceptEdits")
        async with connected(script, tmp_path, isolated_machine, settings=settings) as (server, rig):
            await rig.prompt("go")
            (result,) = rig.of(ev.ToolFinished)
            assert result.is_error and "JSON" in result.content
            assert not (tmp_path / "made.txt").exists()
            assert rig.of(ev.TurnEnded)[-1].reason == "completed"
            assert server.rejections == []


async def test_interrupting_closes_the_connection_and_the_next_prompt_is_accepted(
    tmp_path: Path, isolated_machine: Path
) -> None:
    make_files(tmp_path)
    never = asyncio.Event()
    first = Reply([thinking("Hm."), text("Some words of an answer", gate=never), text("more")])
    async with connected([first, say("Yes.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="go"))
        await rig.until(lambda: any(":1" in event.block_id for event in rig.of(ev.BlockFinished)))
        await rig.do(Interrupt())
        await rig.settle()
        assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"
        await rig.prompt("next")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert (server.rejections, server.prefix_violations) == ([], [])
        assert server.disconnects == 1


async def test_a_resumed_session_sends_its_thinking_and_is_accepted(tmp_path: Path, isolated_machine: Path) -> None:
    from core.host.host import Host
    from tests.fakes.clock import FakeClock

    make_files(tmp_path)
    async with ApiServer(loop(4)) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.prompt("go")
        client = AnthropicClient(base_url=server.url, api_key="key")
        host = Host(clock=FakeClock())
        async with running(client, tmp_path, isolated_machine, host=host, resume="latest") as rig:
            await rig.prompt("go on")
            assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        sent = server.requests[-1].body["messages"]
        assert sum(block["type"] == "thinking" for message in sent for block in message["content"]) >= 4
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_what_cannot_be_encoded_does_not_break_the_session(tmp_path: Path, isolated_machine: Path) -> None:
    script = [Reply([tool_use("Grep", {"pattern": "x"}, "toolu_g")]), say("Yes."), say("Again.")]
    async with connected(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("a lone surrogate: \ud83d.")
        await rig.prompt("more")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed", "completed"]
        assert server.rejections == []


async def test_an_unknown_block_of_the_server_goes_back_untouched(tmp_path: Path, isolated_machine: Path) -> None:
    from tests.fakes.api_script import raw_block

    new = {"type": "brand_new_block", "payload": {"a": [1, 2]}, "note": "x"}
    async with connected([Reply([raw_block(new), text("So.")]), say("Yes.")], tmp_path, isolated_machine) as (
        server,
        rig,
    ):
        await rig.prompt("one")
        await rig.prompt("two")
        assert server.requests[1].body["messages"][1]["content"][0] == new
        assert server.rejections == []


async def test_usage_and_cost_are_what_the_server_counted(tmp_path: Path, isolated_machine: Path) -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 1_000_000,
        "output_tokens": 1_000,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    }
    async with connected([Reply([text("x")], usage=usage)], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("one")
        (finished,) = rig.of(ev.RequestFinished)
        got = finished.usage
        assert (got.input_tokens, got.cache_read_tokens, got.output_tokens) == (10, 1_000_000, 1_000)
        assert (got.cache_write_5m_tokens, got.cache_write_1h_tokens) == (100, 200)
        expected = (10 * 4 + 1_000 * 20 + 100 * 5 + 200 * 8 + 1_000_000 * 0.20) / 1e6
        assert finished.cost_usd is not None and abs(finished.cost_usd - expected) < 1e-9
        assert rig.of(ev.UsageUpdated)[-1].context_tokens == got.context_tokens


@pytest.mark.parametrize("model", [NEW, OLD])
async def test_a_prompt_after_a_command_of_the_users_is_accepted_and_tells_its_output(
    tmp_path: Path, isolated_machine: Path, model: str
) -> None:
    async with connected(loop(1), tmp_path, isolated_machine, settings=Settings(model=model)) as (server, rig):
        for round_ in range(2):
            await rig.do(RunShell(command=f"echo output {round_}; exit 1"))
            await rig.settle()
            await rig.prompt(f"prompt {round_}")
            assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert not rig.of(ev.RequestFailed)
        last = server.requests[-1].body["messages"]
        assert "output 0" in str(last[0]) and "output 1" in str(last)
