"""The cache, as the strict server simulates it: everything is read from it, and what is not has its true cause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.context_events import CacheBroken
from core.protocol.ops import Interrupt, SetModel, SubmitPrompt
from core.settings.schema import Settings
from core.tools.registry import ToolOffer
from tests.fakes.api_canon import Json
from tests.fakes.api_script import Reply, Script, http, say, silent_end, text, thinking, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.cache_share import ideal_share, read_share
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, running
from tests.fakes.wire import NEW, OLD
from tests.provider.test_engine_over_http import connected

ROUNDS = {1: 60, 10: 30, 25: 12}
"""So many requests, by how many calls each answer makes."""
POINTS = 0.2
BUDGETED = "claude-haiku-4-5"
MODELS = {
    "always thinking, bound": Settings(model=NEW),
    "thinking off by default": Settings(model=OLD),
    "small window, a budget": Settings(model=BUDGETED),
    "small window, no thinking": Settings(model=BUDGETED, max_output_tokens=2_000),
}


def reads(width: int, *, is_thinking: bool) -> Script:
    """Reads so many files at once, again and again."""

    def answer(body: Json) -> Reply:
        done = sum(message["role"] == "assistant" for message in body["messages"])
        if done >= ROUNDS[width]:
            return say("Read.")
        thought = [thinking(f"Thought {done}.")] if is_thinking else []
        return Reply([*thought, *(tool_use("Read", {"file_path": f"f{(done + at) % 5}.txt"}) for at in range(width))])

    return answer


@pytest.mark.parametrize("width", list(ROUNDS))
@pytest.mark.parametrize("kind", list(MODELS))
async def test_a_loop_reads_all_but_the_new_tokens(
    tmp_path: Path, isolated_machine: Path, width: int, kind: str
) -> None:
    for number in range(5):
        (tmp_path / f"f{number}.txt").write_text(f"File {number}.\n" * 10)
    script = reads(width, is_thinking=kind != "small window, no thinking")
    settings = replace(MODELS[kind], cache_diagnostics="on", background_agents=False)
    async with connected(script, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("Read everything.")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert len(server.requests) == ROUNDS[width] + 1
        assert (server.rejections, server.prefix_violations) == ([], [])
        assert rig.of(CacheBroken) == []
        share = read_share(event.usage for event in rig.of(ev.RequestFinished))
        ideal = ideal_share([request.body for request in server.requests])
    print(f"{kind}, {width} at once: {share:.2f}% of {ideal:.2f}%")
    assert ideal - share <= POINTS


async def change_tool(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = rig.engine.calls.tools
    offer = tools.offer(can_search=True)
    schemas = [{**tool, "description": "Finds."} if tool["name"] == "Grep" else tool for tool in offer.schemas]
    changed = replace(offer, schemas=schemas)

    def offered(*, can_search: bool) -> ToolOffer:
        return changed

    monkeypatch.setattr(tools, "offer", offered)


async def change_system(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    state = rig.engine.session.state
    assert state.system is not None
    state.system = replace(state.system, static="?" + state.system.static)


async def change_effort(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    state = rig.engine.session.state
    state.settings = replace(state.settings, effort="low")


async def change_model(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.do(SetModel(model="claude-opus-4-8", is_confirmed=True))


async def evict(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.cache.clear()


async def wait(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.cache.advance(400)
    assert isinstance(rig.host.clock, FakeClock)
    rig.host.clock.now += 400


async def edit_history(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = rig.engine.session.conversation
    conversation.withdraw((conversation.messages[0].id,))


async def compact(rig: Rig, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.engine.session.state.watch.announce("compaction")
    await edit_history(rig, server, monkeypatch)


BREAKS: dict[str, tuple[Callable[..., object], str, str, bool]] = {
    "tool": (change_tool, "tools", "tool Grep changed", False),
    "system": (change_system, "system", "the system text changed at character 1", False),
    "effort": (change_effort, "parameters", "the effort changed from high to low", False),
    "model": (change_model, "model", f"the model changed from {OLD} to claude-opus-4-8", True),
    "evicted": (evict, "evicted", "nothing changed; the server let go of it", False),
    "late": (wait, "expired", "sent 7 min after the last request; the cache holds 5 min", False),
    "history": (edit_history, "messages", "message 1 of 5 changed", False),
    "compaction": (compact, "messages", "compaction", True),
}


@pytest.mark.parametrize("diagnostics", ["on", "off"])
@pytest.mark.parametrize("kind", list(BREAKS))
async def test_each_break_has_one_event_with_its_cause(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch, kind: str, diagnostics: str
) -> None:
    provoke, cause, reason, is_announced = BREAKS[kind]
    (tmp_path / "big.txt").write_text("A line of a large file.\n" * 1_500)
    (tmp_path / "AGENTS.md").write_text("Be brief.\n" * 300)
    script = [Reply([tool_use("Read", {"file_path": "big.txt"})]), *(say(f"Answer {n}.") for n in range(4))]
    settings = replace(Settings(model=OLD, effort="high", background_agents=False), cache_diagnostics=diagnostics)
    async with connected(script, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("one")
        await rig.prompt("two")
        assert rig.of(CacheBroken) == []
        result = provoke(rig, server, monkeypatch)
        assert asyncio.iscoroutine(result)
        await result
        await rig.prompt("three")
        await rig.prompt("four")
        (broken,) = rig.of(CacheBroken)
        assert server.rejections == []
        finished = [event for event in rig.of(ev.RequestFinished) if event.request_id == broken.request_id]
    assert (broken.cause, broken.reason, broken.is_announced) == (cause, reason, is_announced)
    assert finished == [rig.of(ev.RequestFinished)[3]]
    usage = finished[0].usage
    assert broken.read_tokens == usage.cache_read_tokens < broken.expected_tokens
    assert broken.extra_cost_usd is not None and finished[0].cost_usd is not None
    assert 0 < broken.extra_cost_usd < finished[0].cost_usd


async def test_a_long_loop_reads_the_cache_again_after_a_fallback_model(tmp_path: Path, isolated_machine: Path) -> None:
    """The model that stands in reads everything anew, which is told as what it is; the first one finds its own."""
    (tmp_path / "big.txt").write_text("A line of a large file.\n" * 1_500)
    overloaded = [http(529, "overloaded_error", "Overloaded")] * 3
    script = [
        Reply([tool_use("Read", {"file_path": "big.txt"})]),
        say("one"),
        *(Reply(fault=fault) for fault in overloaded),
        *(say(f"Answer {n}.") for n in range(3)),
    ]
    settings = Settings(model=OLD, fallback_models=("claude-opus-4-8",), background_agents=False)
    async with connected(script, tmp_path, isolated_machine, settings=settings) as (server, rig):
        for prompt in ("one", "two", "three", "four"):
            await rig.prompt(prompt)
        assert [event.cause for event in rig.of(CacheBroken) if not event.is_announced] == []
        assert [event.cause for event in rig.of(CacheBroken)] == ["model"]
        assert server.rejections == []


async def test_a_prompt_that_is_taken_back_is_no_break(tmp_path: Path, isolated_machine: Path) -> None:
    refused = Reply([text("No.")], stop_reason="refusal")
    async with connected([say("one"), refused, say("two"), say("three")], tmp_path, isolated_machine) as (_, rig):
        await rig.prompt("one")
        await rig.prompt("a long one " * 3_000)
        await rig.prompt("two")
        await rig.prompt("three")
        assert [event.cause for event in rig.of(CacheBroken) if not event.is_announced] == []


@pytest.mark.parametrize("fault", [silent_end(after=1), None])
async def test_a_response_that_ends_early_is_no_break(tmp_path: Path, isolated_machine: Path, fault: object) -> None:
    """Broken off by the server, or by the user."""
    never = asyncio.Event()
    words = text("Some words of an answer, and more of them.", gate=None if fault else never)
    cut = replace(Reply([thinking("Hm."), words]), fault=fault)
    script = [say("one"), cut, *(say("on") for _ in range(4))]
    async with connected(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("one")
        await rig.do(SubmitPrompt(text="a long one " * 3_000))
        if fault is None:
            await rig.until(lambda: any(":0" in event.block_id for event in rig.of(ev.BlockFinished)[1:]))
            await rig.do(Interrupt())
        await rig.settle()
        await rig.prompt("two")
        await rig.prompt("three")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert (server.rejections, rig.of(CacheBroken)) == ([], [])


async def test_a_session_that_is_taken_up_again_expects_nothing(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "big.txt").write_text("A line of a large file.\n" * 1_500)
    script = [Reply([tool_use("Read", {"file_path": "big.txt"})]), *(say("Yes.") for _ in range(4))]
    async with ApiServer(script) as server:
        for number in range(2):
            client = AnthropicClient(base_url=server.url, api_key="key")
            resume = "latest" if number else None
            async with running(client, tmp_path, isolated_machine, resume=resume) as rig:
                await rig.prompt("go")
                await rig.prompt("on")
                assert rig.of(CacheBroken) == []
            server.cache.clear()


UNCACHED = {
    "input_tokens": 9_000,
    "output_tokens": 10,
    "cache_read_input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
}
NO_CACHE: dict[str, tuple[Settings, Json, bool]] = {
    "caching is off": (Settings(prompt_caching=False), {}, False),
    "the server tells nothing of a cache": (Settings(), UNCACHED, False),
    "below the model's minimum": (Settings(model=BUDGETED, system_prompt="Be good."), {}, True),
}


@pytest.mark.parametrize("kind", list(NO_CACHE))
async def test_where_nothing_is_cached_nothing_breaks(tmp_path: Path, isolated_machine: Path, kind: str) -> None:
    settings, usage, is_small = NO_CACHE[kind]
    script = [Reply([text(f"Answer {n}.")], usage=usage) for n in range(4)]
    tools = ("Read",) if is_small else ()
    async with ApiServer(script, enforce_minimum=True) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine, settings=settings, tools=tools) as rig:
            for number in range(4):
                await rig.prompt(f"Prompt {number}")
            assert rig.of(CacheBroken) == []
            assert all(not event.usage.cache_read_tokens for event in rig.of(ev.RequestFinished))
        assert server.rejections == []
