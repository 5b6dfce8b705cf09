"""What is written to the cache while the first prompt is typed: the very beginning of the first request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.ops import SubmitPrompt, WarmUp
from core.settings.schema import Settings
from tests.fakes.api_canon import Json, items_of
from tests.fakes.api_script import say
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, running
from tests.fakes.wire import NEW, OLD
from tests.provider.test_engine_over_http import connected

BUDGETED = "claude-haiku-4-5"


async def gone() -> None:
    """Wait until nothing is being pre-warmed any more."""
    running = [task for task in asyncio.all_tasks() if task.get_name() == "prewarm"]
    if running:
        await asyncio.wait(running, timeout=20)


async def warmed(rig: Rig) -> None:
    """Type the first key and wait until what is sent then has been answered and noted."""
    await rig.do(WarmUp())
    await gone()


def warnings(rig: Rig) -> list[ev.Notice]:
    return [notice for notice in rig.of(ev.Notice) if notice.level == "warning"]


def texts(body: Json) -> list[str]:
    return [item.text for item in items_of(body)]


@pytest.mark.parametrize("model", [NEW, OLD, BUDGETED])
@pytest.mark.parametrize("rules", ["", "Be brief.\n" * 300])
async def test_the_first_request_reads_all_that_was_pre_warmed(
    tmp_path: Path, isolated_machine: Path, model: str, rules: str
) -> None:
    if rules:
        (tmp_path / "AGENTS.md").write_text(rules)
    async with connected([say("Hi.")], tmp_path, isolated_machine, settings=Settings(model=model, effort="high")) as (
        server,
        rig,
    ):
        await warmed(rig)
        await rig.prompt("hello")
        assert (server.rejections, server.prefix_violations) == ([], [])
        warm, first = (request.body for request in server.requests)
        (finished,) = rig.of(ev.RequestFinished)
        ledger = rig.engine.session.ledger
        transcript = next((isolated_machine / "data" / "projects").rglob("*.jsonl")).read_text()
    assert warm["max_tokens"] == 0 and "stream" not in warm
    assert (warm["system"][0], warm["tools"]) == (first["system"][0], first["tools"])
    assert warm["metadata"] == first["metadata"]
    begins = texts(warm) if rules and model != BUDGETED else texts(warm)[:-1]
    assert texts(first)[: len(begins)] == begins
    taken = ledger.by_source["prewarm"].usage
    assert finished.usage.cache_read_tokens == taken.cache_write_5m_tokens > 1_000
    assert '"prewarm"' in transcript


async def test_the_list_of_agents_is_pre_warmed_too(tmp_path: Path, isolated_machine: Path) -> None:
    agent = isolated_machine / ".claude" / "agents" / "mine.md"
    agent.parent.mkdir(parents=True)
    agent.write_text(f"---\nname: mine\ndescription: {'Does it. ' * 40}\n---\nDo it.\n")
    (tmp_path / "AGENTS.md").write_text("Be brief.")
    async with ApiServer([say("Hi.")]) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine, has_agents=True) as rig:
            await warmed(rig)
            await rig.prompt("hello")
        assert (server.rejections, server.prefix_violations) == ([], [])
        warm, first = (request.body["messages"][0]["content"] for request in server.requests)
        (finished,) = rig.of(ev.RequestFinished)
        taken = rig.engine.session.ledger.by_source["prewarm"].usage
    (told,) = [block["text"] for block in warm]
    assert told == first[0]["text"] and "- mine: Does it." in told and told.endswith("Be brief.\n</system-reminder>")
    assert finished.usage.cache_read_tokens == taken.cache_write_5m_tokens


async def test_with_a_lifetime_of_an_hour(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Hi.")], tmp_path, isolated_machine, settings=Settings(cache_ttl="1h")) as (server, rig):
        await warmed(rig)
        await rig.prompt("hello")
        assert server.rejections == []
        taken = rig.engine.session.ledger.by_source["prewarm"].usage
        assert rig.of(ev.RequestFinished)[0].usage.cache_read_tokens == taken.cache_write_1h_tokens > 1_000


SILENT: dict[str, tuple[Settings, dict[str, Any]]] = {
    "caching is off": (Settings(prompt_caching=False), {}),
    "nobody types": (Settings(), {"is_attended": False}),
    "the demo": (Settings(), {"is_demo": True}),
    "too small to be remembered": (Settings(model=BUDGETED, system_prompt="Be good."), {"tools": ("Read",)}),
}


@pytest.mark.parametrize("why", list(SILENT))
async def test_nothing_is_sent_where_it_cannot_pay(tmp_path: Path, isolated_machine: Path, why: str) -> None:
    settings, launch = SILENT[why]
    async with ApiServer([say("Hi.")]) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine, settings=settings, **launch) as rig:
            await rig.do(WarmUp())
            await gone()
        assert server.requests == []


async def test_only_once_and_not_behind_a_first_prompt(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Hi."), say("Ho.")], tmp_path, isolated_machine) as (server, rig):
        await warmed(rig)
        await rig.do(WarmUp())
        await rig.prompt("one")
        await rig.do(WarmUp())
        await rig.prompt("two")
        assert [request.body["max_tokens"] == 0 for request in server.requests] == [True, False, False]
    async with ApiServer([say("Hi.")]) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine, resume="latest") as rig:
            await rig.do(WarmUp())
            await rig.prompt("three")
        assert len(server.requests) == 1


async def test_a_prompt_does_not_wait_for_it(tmp_path: Path, isolated_machine: Path) -> None:
    """Enter comes before anything has come back: the request is given up, and counted nowhere."""
    async with connected([say("Hi.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(WarmUp())
        await rig.do(SubmitPrompt(text="hello"))
        await rig.settle()
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert "prewarm" not in rig.engine.session.ledger.by_source
        assert server.rejections == []


async def test_a_server_that_knows_no_empty_answer_gets_a_token(tmp_path: Path, isolated_machine: Path) -> None:
    from core.llm.client import ModelRequest
    from core.llm.errors import ModelError
    from core.llm.scripted import Reply, ScriptedModel, in_order
    from core.llm.scripted import say as says
    from core.protocol.usage import Usage

    class Strict(ScriptedModel):
        async def prewarm(self, request: ModelRequest) -> Usage:
            await super().prewarm(request)
            if request.max_tokens < 1:
                raise ModelError("invalid", "max_tokens: Input should be greater than 0")
            return Usage(cache_write_5m_tokens=5_000, output_tokens=1)

    model = Strict(in_order([Reply([says("Hi.")])]))
    async with running(model, tmp_path, isolated_machine) as rig:
        await rig.do(WarmUp())
        await gone()
        await rig.prompt("hello")
        assert [request.max_tokens for request in model.prewarmed] == [0, 1]
        assert rig.engine.session.ledger.by_source["prewarm"].usage.output_tokens == 1
        assert warnings(rig) == []


async def test_a_bad_key_is_told_before_the_prompt_is_sent(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Hi.")], tmp_path, isolated_machine, valid_key="another") as (server, rig):
        await warmed(rig)
        (notice,) = warnings(rig)
        assert "key" in f"{notice.text} {notice.hint}".lower()
        assert len(server.requests) == 1


async def test_an_unknown_model_and_no_connection_are_told_too(tmp_path: Path, isolated_machine: Path) -> None:
    for url, model in (("http://127.0.0.1:9", NEW), ("", "claude-none")):
        async with ApiServer([say("Hi.")]) as server:
            client = AnthropicClient(base_url=url or server.url, api_key="key")
            async with running(client, tmp_path, isolated_machine, settings=Settings(model=model)) as rig:
                await rig.do(WarmUp())
                notice = await rig.event(ev.Notice, lambda notice: notice.level == "warning")
                assert notice.text


async def test_closing_ends_it(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Hi.")], tmp_path, isolated_machine) as (_server, rig):
        await rig.do(WarmUp())
    assert not any(task.get_name() == "prewarm" for task in asyncio.all_tasks())
