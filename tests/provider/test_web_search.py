"""WebSearch through the whole engine and the real SDK against the strict server: a request beside the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.cost.pricing import WEB_SEARCH_USD
from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.ops import AnswerPermission, Interrupt, SubmitPrompt
from core.settings.paths import Paths
from core.settings.schema import DEFAULT_SMALL_MODEL, Settings
from tests.fakes.api_canon import Json
from tests.fakes.api_models import CATALOGUE
from tests.fakes.api_script import (
    Block,
    Reply,
    http,
    raw_block,
    reset_after,
    say,
    text,
    tool_use,
    web_hits,
    web_search,
    web_search_failure,
)
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, allowing, running

PEPS = {"url": "https://peps.python.org/pep-0008/", "title": "PEP 8", "page_age": "July 2013"}
DOCS = {"url": "https://docs.python.org/3/", "title": "Python \n docs"}
SEARCHED = {"server_tool_use": {"web_search_requests": 1}}
ALLOWED = Settings(rules=allowing("WebSearch"))


def cited(words: str, *hits: Json) -> Block:
    """A text with sources."""
    return text(
        words,
        citations=[
            {
                "type": "web_search_result_location",
                "url": hit["url"],
                "title": hit["title"],
                "cited_text": "…",
                "encrypted_index": "RW5j",
            }
            for hit in hits
        ],
    )


FOUND = Reply(
    [
        text("I search."),
        web_search("pep 8"),
        web_hits(PEPS, DOCS, PEPS),
        cited("Four blanks.", PEPS),
        text(" So it is."),
    ],
    usage=SEARCHED,
)

Beside = Callable[[Json], Reply]


def in_turn(replies: list[Reply]) -> Beside:
    """One reply after the other."""
    left = iter(replies)
    return lambda _body: next(left)


@asynccontextmanager
async def searching(
    beside: list[Reply] | Beside, cwd: Path, home: Path, settings: Settings = ALLOWED, **arguments: Any
) -> AsyncGenerator[tuple[ApiServer, Rig]]:
    """A model that searches once and then answers; ``beside`` answers what is asked beside the conversation."""
    ask = beside if callable(beside) else in_turn(beside)

    def answer(body: Json) -> Reply:
        if body["model"] == settings.small_model:
            return ask(body)
        if all(message["role"] != "assistant" for message in body["messages"]):
            return Reply([tool_use("WebSearch", {"query": "pep 8", **arguments}, id="toolu_search")])
        return say("Done.")

    async with ApiServer(answer) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, cwd, home, settings=settings) as rig:
            yield server, rig
    assert server.rejections == []
    assert server.prefix_violations == []


def side_bodies(server: ApiServer) -> list[Json]:
    return [entry.body for entry in server.requests if entry.body["model"] == DEFAULT_SMALL_MODEL]


def result(rig: Rig) -> ev.ToolFinished:
    (finished,) = rig.of(ev.ToolFinished)
    return finished


async def test_hits_and_summary_come_back_and_nothing_of_it_is_in_the_history(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with searching([FOUND], tmp_path, isolated_machine, allowed_domains=["python.org"]) as (server, rig):
        await rig.prompt("How many blanks?")
        (body,) = side_bodies(server)
        history = str(server.requests[-1].body["messages"])
        ledger = rig.engine.session.ledger
        started = [(event.query_source, event.model) for event in rig.of(ev.RequestStarted)]
        ended = [(event.query_source, event.usage.web_searches) for event in rig.of(ev.RequestFinished)]
        turns = {envelope.turn_id for envelope in rig.envelopes if isinstance(envelope.event, ev.RequestFinished)}
    assert result(rig).content == (
        "Hits for 'pep 8':\n"
        "1. PEP 8 — https://peps.python.org/pep-0008/ (July 2013)\n"
        "2. Python docs — https://docs.python.org/3/\n"
        "\nSummary:\nFour blanks. [1] So it is."
    )
    assert result(rig).display.summary == "2 hits"
    assert body["tools"] == [
        {
            "type": "web_search_20260318",
            "name": "web_search",
            "max_uses": 3,
            "allowed_callers": ["direct"],
            "allowed_domains": ["python.org"],
        }
    ]
    assert (body["thinking"], body["output_config"]) == ({"type": "disabled"}, {"effort": "low"})
    assert "server_tool_use" not in history and "encrypted" not in history
    assert [source for source, _ in started] == ["main", "web_search", "main"]
    assert started[1][1] == DEFAULT_SMALL_MODEL
    assert ended == [("main", 0), ("web_search", 1), ("main", 0)]
    assert len(turns) == 1 and "" not in turns
    spent = ledger.by_source["web_search"]
    assert spent.usage.web_searches == 1
    assert spent.cost_usd is not None and WEB_SEARCH_USD < spent.cost_usd < WEB_SEARCH_USD * 1.2
    assert ledger.by_model[DEFAULT_SMALL_MODEL].usage == spent.usage
    assert rig.of(ev.UsageUpdated)[-1].cost_usd == ledger.cost_usd


async def test_what_it_cost_is_known_after_the_session_is_taken_up_again(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with searching([FOUND], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("How many blanks?")
        before = rig.engine.session.ledger
        window = rig.engine.session.conversation.last_usage
        session_id = rig.engine.session_id
    async with running([], tmp_path, isolated_machine, settings=ALLOWED, resume=session_id) as rig:
        ledger = rig.engine.session.ledger
        assert (ledger.by_source, ledger.by_model) == (before.by_source, before.by_model)
        assert rig.engine.session.conversation.last_usage == window, "it fills no window"


@pytest.mark.parametrize("model", [spec.family for spec in CATALOGUE if spec.lifecycle == "active"])
async def test_every_model_takes_the_request(tmp_path: Path, isolated_machine: Path, model: str) -> None:
    if model == Settings().model:
        pytest.skip("the main model of this test")
    settings = Settings(rules=allowing("WebSearch"), small_model=model)
    async with searching([FOUND], tmp_path, isolated_machine, settings) as (_server, rig):
        await rig.prompt("go")
    assert not result(rig).is_error


async def test_it_is_asked_about_and_a_yes_for_the_session_holds(tmp_path: Path, isolated_machine: Path) -> None:
    async with searching([FOUND], tmp_path, isolated_machine, Settings(mode="plan")) as (_server, rig):
        await rig.do(SubmitPrompt(text="go"))
        request = (await rig.event(ev.PermissionRequested)).request
        assert [scope.rules for scope in request.scopes] == [("WebSearch",)] and "search engine" in request.reason
        await rig.do(AnswerPermission(request_id=request.id, answer="session"))
        await rig.settle()
        assert [rule.tool for rule in rig.engine.calls.policies.policy.of("allow")] == ["WebSearch"]
    assert not result(rig).is_error


@pytest.mark.parametrize(
    "code",
    "invalid_tool_input unavailable max_uses_exceeded too_many_requests query_too_long request_too_large odd".split(),
)
async def test_a_search_that_did_not_work_says_why(tmp_path: Path, isolated_machine: Path, code: str) -> None:
    reply = Reply([web_search("pep 8"), web_search_failure(code), text("I could not search.")])
    async with searching([reply], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("go")
    assert result(rig).is_error
    assert code not in result(rig).content or code == "odd"
    assert result(rig).content.endswith((".", "it.")) and len(result(rig).content) > 20


async def test_a_later_failure_leaves_the_hits(tmp_path: Path, isolated_machine: Path) -> None:
    reply = Reply(
        [
            web_search("pep 8"),
            web_hits(PEPS),
            web_search("pep 9", id="srvtoolu_2"),
            web_search_failure("max_uses_exceeded", id="srvtoolu_2"),
            text("Enough."),
        ]
    )
    async with searching([reply], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("go")
    assert not result(rig).is_error
    assert "1. PEP 8" in result(rig).content and "More searches" in result(rig).content


async def test_a_paused_search_goes_on_where_it_was(tmp_path: Path, isolated_machine: Path) -> None:
    pauses = [
        Reply([web_search("pep 8")], stop_reason="pause_turn"),
        Reply([web_hits(PEPS), web_search("more", id="srvtoolu_2")], stop_reason="pause_turn"),
        Reply([web_hits(DOCS, id="srvtoolu_2"), cited("Both.", PEPS, DOCS)]),
    ]
    async with searching(pauses, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        assert [len(body["messages"]) for body in side_bodies(server)] == [1, 2, 2]
    assert result(rig).content.endswith("Both. [1] [2]")


async def test_a_search_that_never_ends_is_given_up(tmp_path: Path, isolated_machine: Path) -> None:
    count = iter(range(100))

    def pause(_body: Json) -> Reply:
        number = next(count)
        earlier = [web_hits(PEPS, id=f"srvtoolu_{number - 1}")] if number else []
        return Reply([*earlier, web_search("x", id=f"srvtoolu_{number}")], stop_reason="pause_turn")

    async with searching(pause, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        assert len(side_bodies(server)) == 4
    assert "1. PEP 8" in result(rig).content and "cut off" in result(rig).content


async def test_a_refusal_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    refused = Reply([], stop_reason="refusal", stop_details=details)
    async with searching([refused], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("go")
    assert result(rig).is_error and "declined: Not this." in result(rig).content


@pytest.mark.parametrize(
    ("status", "kind", "message", "says"),
    [
        (400, "invalid_request_error", "tools.0: Input tag 'web_search_20260318' found", "may not offer web search"),
        (404, "not_found_error", "model: claude-haiku-5-5", "smallModel"),
        (401, "authentication_error", "invalid bearer token", "ANTHROPIC_API_KEY"),
    ],
)
async def test_a_server_that_does_not_take_it_is_told_with_what_to_do(
    tmp_path: Path, isolated_machine: Path, status: int, kind: str, message: str, says: str
) -> None:
    failed = Reply(fault=http(status, kind, message))
    async with searching([failed], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("go")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"]
    assert result(rig).is_error and message in result(rig).content and says in result(rig).content
    (failure,) = rig.of(ev.RequestFailed)
    assert (failure.query_source, failure.retry_in_s) == ("web_search", None)


async def test_what_passes_is_tried_again_in_sight_and_then_given_up(tmp_path: Path, isolated_machine: Path) -> None:
    overloaded = Reply(fault=http(529, "overloaded_error", "Overloaded"))
    broken = Reply(FOUND.blocks, fault=reset_after(8))
    async with searching([overloaded, broken, FOUND], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("go")
        assert not result(rig).is_error
        failures = rig.of(ev.RequestFailed)
        assert [event.query_source for event in failures] == ["web_search"] * 2
        assert all(event.retry_in_s is not None for event in failures)
        assert rig.engine.session.ledger.by_source["web_search"].usage.input_tokens > 0
    home = isolated_machine / "other"
    async with searching([overloaded] * 3, tmp_path, home) as (server, rig):
        await rig.prompt("go")
        assert len(side_bodies(server)) == 3
    assert result(rig).is_error and "Overloaded" in result(rig).content


async def test_an_interrupt_closes_the_search_at_once(tmp_path: Path, isolated_machine: Path) -> None:
    asked = asyncio.Event()

    def hang(_body: Json) -> Reply:
        asked.set()
        return Reply([web_search("pep 8"), text("Wait.", gate=asyncio.Event()), text("No.")])

    async with searching(hang, tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="go"))
        async with asyncio.timeout(10):
            await asked.wait()
        await rig.do(Interrupt())
        await rig.settle()
        assert rig.of(ev.TurnEnded)[-1].reason == "interrupted"
        await rig.prompt("And now?")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert server.disconnects == 1
    assert result(rig).is_error and "Interrupted" in result(rig).content


async def test_no_hits_are_no_error(tmp_path: Path, isolated_machine: Path) -> None:
    odd = raw_block({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{}, {"url": ""}, 5]})
    async with searching([Reply([web_search("x"), odd, text("Nothing.")])], tmp_path, isolated_machine) as (_s, rig):
        await rig.prompt("go")
    assert result(rig).content == "There are no hits for 'pep 8'.\n\nSummary:\nNothing."


@pytest.mark.parametrize(
    "arguments",
    [{"query": "x"}, {"query": ""}, {"allowed_domains": ["a.org"], "blocked_domains": ["b.org"]}, {"more": 1}],
)
async def test_bad_input_never_leaves_the_machine(
    tmp_path: Path, isolated_machine: Path, arguments: dict[str, Any]
) -> None:
    async with searching([], tmp_path, isolated_machine, **arguments) as (server, rig):
        await rig.prompt("go")
        assert side_bodies(server) == []
    assert result(rig).is_error and "not valid" in result(rig).content


async def test_a_turn_pays_for_its_searches_out_of_its_budget(tmp_path: Path, isolated_machine: Path) -> None:
    expensive = Reply(FOUND.blocks, usage={"server_tool_use": {"web_search_requests": 50}})
    settings = Settings(rules=allowing("WebSearch"), max_budget_usd=0.4)
    async with searching([expensive], tmp_path, isolated_machine, settings) as (_server, rig):
        await rig.prompt("go")
        assert rig.of(ev.TurnEnded)[-1].reason == "max_budget"
        assert not result(rig).is_error


async def test_another_small_model_is_named_by_the_environment() -> None:
    from core.settings.load import SettingsSource, load_settings

    nowhere = Path("/nowhere")
    source = SettingsSource(
        paths=Paths(nowhere, nowhere, nowhere), cwd=nowhere, environ={"ANTHROPIC_SMALL_FAST_MODEL": "m"}
    )
    loaded = load_settings(source, is_trusted=True)
    settings, problems = loaded.settings, loaded.problems
    assert (settings.small_model, problems) == ("m", ())
