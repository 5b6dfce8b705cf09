"""Which model answers: routes for turns, a quote before a warm cache is left, a budget for the session, reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.context.tokens import count_tokens
from core.llm.client import ModelRequest
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import ReportContext, ReportCosts, SetMode, SetModel, SubmitPrompt
from core.protocol.usage import Prices, Usage
from core.settings.schema import ModelEntry, RouteEntry, Settings
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, fake_host, running
from tests.fakes.gate import gate_call, install_gate
from tests.fakes.wire import NEW, OLD, assert_all_valid

SMALL, SONNET = "claude-haiku-5-5", "claude-sonnet-5-5"
WARM = Usage(cache_write_5m_tokens=50_000, output_tokens=100)
SPENT = Usage(input_tokens=100_000)
"""With Opus 5.5 that is 0.40 dollars."""


def replies(usage: Usage | None = None) -> Callable[[ModelRequest], Reply]:
    return lambda _request: Reply([say("Yes.")], usage=usage)


def used(rig: Rig) -> list[str]:
    return [request.model for request in rig.requests]


def warnings(rig: Rig) -> list[str]:
    return [f"{event.text} {event.hint}" for event in rig.of(ev.Notice) if event.level in ("warning", "error")]


def routing(**models: str | RouteEntry) -> Settings:
    entries = [
        one if isinstance(one, RouteEntry) else RouteEntry(kind=kind, model=one)  # type: ignore[arg-type]
        for kind, one in models.items()
    ]
    return Settings(model=NEW, routing=tuple(entries))


# Routes of turns


async def test_plan_mode_has_a_model_of_its_own_which_stays_to_the_end_of_the_turn(
    tmp_path: Path, isolated_machine: Path
) -> None:
    def script(request: ModelRequest) -> Reply:
        said = str(request.messages)
        is_first = "Plan it" in said and "tool_use" not in said
        return Reply([call("LS", "l", path=".")] if is_first else [say("Done.")])

    async with running(script, tmp_path, isolated_machine, settings=routing(plan=SONNET)) as rig:
        await rig.prompt("hi")
        await rig.do(SetMode(mode="plan"))
        await rig.prompt("Plan it")
        await rig.do(SetMode(mode="default"))
        await rig.prompt("Do it")
        assert used(rig) == [NEW, SONNET, SONNET, NEW]
        assert [event.model for event in rig.of(ev.ModelChanged)] == [SONNET, NEW]
        assert_all_valid(rig.requests)


async def test_above_its_size_the_conversation_goes_to_the_model_for_long_ones(
    tmp_path: Path, isolated_machine: Path
) -> None:
    long = RouteEntry(kind="longContext", model=SONNET, above=40_000)
    async with running(replies(WARM), tmp_path, isolated_machine, settings=routing(longContext=long)) as rig:
        await rig.prompt("hi")
        await rig.prompt("and again")
        assert used(rig) == [NEW, SONNET]


async def test_a_route_to_a_window_that_is_too_small_is_passed_over_and_told_once(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = Settings(
        model=NEW,
        routing=(RouteEntry(kind="plan", model="tiny"),),
        models=(ModelEntry(id="tiny", window=40_000, max_output=2_000),),
    )
    async with running(replies(WARM), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("hi")
        await rig.do(SetMode(mode="plan"))
        await rig.prompt("Plan it")
        await rig.prompt("Go on")
        assert used(rig) == [NEW] * 3
        (told,) = warnings(rig)
        assert "routing.plan" in told and "tiny" in told and f"{NEW} answers" in told


async def test_an_effort_that_the_model_lacks_is_told_and_left_out(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(model="claude-haiku-4-5", effort="high")
    async with running(replies(), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("hi")
        await rig.prompt("and again")
        assert [request.output_config for request in rig.requests] == [None, None]
        (told,) = warnings(rig)
        assert "claude-haiku-4-5 is not known to have the effort high" in told


async def test_an_entry_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, isolated_machine: Path) -> None:
    plan = RouteEntry(kind="plan", model=SONNET, api_key_env="NO_SUCH_KEY", source="settings.json:7")
    async with running(replies(), tmp_path, isolated_machine, settings=routing(plan=plan)) as rig:
        await rig.do(SetMode(mode="plan"))
        await rig.prompt("Plan it")
        assert used(rig) == [NEW]
        assert "Settings: settings.json:7: routing.plan: the variable NO_SUCH_KEY is empty" in warnings(rig)[0]


# /model


async def test_another_model_is_quoted_while_the_cache_is_warm_and_changed_when_it_is_confirmed(
    tmp_path: Path, isolated_machine: Path
) -> None:
    async with running(replies(WARM), tmp_path, isolated_machine, settings=Settings(model=NEW)) as rig:
        await rig.prompt("hi")
        await rig.do(SetModel(model=SONNET))
        quote = await rig.event(ev.ModelChangeQuoted)
        assert (quote.model, quote.tokens) == (SONNET, 50_100)
        assert quote.cost_usd == pytest.approx(50_100 * 2.5 / 1e6)  # pyright: ignore[reportUnknownMemberType]
        await rig.prompt("still the old one")
        await rig.do(SetModel(model=SONNET, is_confirmed=True))
        await rig.prompt("now")
        assert used(rig) == [NEW, NEW, SONNET]
        assert len(rig.of(ev.ModelChangeQuoted)) == 1


async def test_what_costs_nothing_is_not_quoted(tmp_path: Path, isolated_machine: Path) -> None:
    async def changes(usage: Usage, after_s: float, model: str) -> bool:
        host = fake_host()
        async with running(replies(usage), tmp_path, isolated_machine, host=host, settings=Settings(model=NEW)) as rig:
            await rig.prompt("hi")
            assert isinstance(host.clock, FakeClock)
            host.clock.now += after_s
            await rig.do(SetModel(model=model))
            await rig.settle()
            return bool(rig.of(ev.ModelChanged)) and not rig.of(ev.ModelChangeQuoted)

    assert not await changes(WARM, 100, SONNET)
    assert await changes(WARM, 301, SONNET), "the cache is cold"
    assert await changes(Usage(cache_write_5m_tokens=2_000), 0, SONNET), "next to nothing is cached"
    assert await changes(Usage(input_tokens=50_000), 0, SONNET), "nothing is cached"
    assert await changes(WARM, 0, NEW), "it is the same"


async def test_before_the_first_prompt_the_model_changes_at_once(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(replies(), tmp_path, isolated_machine) as rig:
        await rig.do(SetModel(model=OLD))
        assert (await rig.event(ev.ModelChanged)).model == OLD


async def test_in_a_turn_the_change_waits_and_is_not_quoted(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = install_gate(monkeypatch)
    script = [Reply([gate_call("a")], usage=WARM), Reply([say("x")], usage=WARM), Reply([say("y")], usage=WARM)]
    async with running(script, tmp_path, isolated_machine, settings=Settings(model=NEW)) as rig:
        await rig.do(SubmitPrompt(text="first"))
        await gate.inside("a")
        await rig.do(SetModel(model=SONNET))
        await rig.do(SubmitPrompt(text="second"))
        gate.open("a")
        await rig.settle()
        assert used(rig) == [NEW, NEW, SONNET] and rig.of(ev.ModelChangeQuoted) == []


async def test_a_smaller_window_is_told_with_the_quote(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(model=NEW, models=(ModelEntry(id="tiny", window=40_000, max_output=2_000),))
    async with running(replies(WARM), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("hi")
        await rig.do(SetModel(model="tiny"))
        assert (await rig.event(ev.ModelChangeQuoted)).cost_usd is None
        (told,) = warnings(rig)
        assert "tiny holds 40,000 tokens" in told and "it is compacted first" in told


async def test_a_model_of_which_nothing_is_known_is_taken_and_told(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(replies(), tmp_path, isolated_machine) as rig:
        await rig.do(SetModel(model="my-own"))
        assert (await rig.event(ev.ModelChanged)).model == "my-own"
        assert "Nothing is known of my-own" in warnings(rig)[0] and "models" in warnings(rig)[0]


# The budget of a session


async def test_a_session_stops_at_its_budget_and_goes_on_once_that_is_raised(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = Settings(model=NEW, session_budget_usd=0.8)
    async with running(replies(SPENT), tmp_path, isolated_machine, settings=settings) as rig:
        for text in ("one", "two", "three"):
            await rig.prompt(text)
        ends = rig.of(ev.TurnEnded)
        assert [event.reason for event in ends] == ["completed", "completed", "max_budget"]
        assert "The session's budget of $0.8 is spent ($0.8000). Raise budget.sessionUsd" in ends[-1].detail
        assert len(rig.requests) == 2
        rig.engine.session.state.settings = Settings(model=NEW, session_budget_usd=2)
        await rig.prompt("go on")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"


async def test_what_is_asked_beside_the_conversation_counts_and_what_has_no_price_is_left_out(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = Settings(model=NEW, session_budget_usd=0.8)
    async with running(replies(SPENT), tmp_path, isolated_machine, settings=settings) as rig:
        ledger = rig.engine.session.ledger
        ledger.add(Usage(input_tokens=10**9), "local", None, "session_memory")
        await rig.prompt("one")
        ledger.add(SPENT, NEW, rig.engine.session.models.find(NEW).prices, "compaction")
        await rig.prompt("two")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed", "max_budget"]


async def test_a_budget_needs_the_price_of_the_main_model_which_can_be_said(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = Settings(model="my-own", session_budget_usd=1)
    async with running(replies(SPENT), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("one")
        assert "models.my-own.prices" in rig.of(ev.TurnEnded)[-1].detail and rig.requests == []
        prices = Prices(input=1, output=2, cache_read=0, cache_write_5m=0, cache_write_1h=0)
        rig.engine.session.state.settings = Settings(
            model="my-own", session_budget_usd=1, models=(ModelEntry(id="my-own", prices=prices),)
        )
        await rig.prompt("two")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert rig.engine.session.ledger.cost_usd == 0.1


# Reports


async def test_costs_are_reported_by_model_and_kind_and_survive_a_resume(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = Settings(model=NEW, session_budget_usd=5)
    async with running(replies(SPENT), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("one")
        await rig.do(SetModel(model=SONNET, is_confirmed=True))
        await rig.prompt("two")
        services = rig.engine.calls.services
        rig.engine.session.conversation.record_side_usage("compaction", NEW, SPENT, agent="explorer")
        rig.engine.session.ledger.add(SPENT, NEW, services.side.models.find(NEW).prices, "compaction", "explorer")
        await rig.do(ReportCosts())
        before = await rig.event(ev.CostsReported)
        session_id = rig.engine.session_id
    assert [(line.model, line.agent, line.source, line.requests) for line in before.lines] == [
        (NEW, "main", "main", 1), (NEW, "explorer", "compaction", 1), (SONNET, "main", "main", 1),
    ]  # fmt: skip
    assert before.total_usd is not None and round(before.total_usd, 6) == 1.0
    assert (before.limit_usd, before.prices_dated) == (5, "2026-11-20")
    async with running(replies(), tmp_path, isolated_machine, settings=settings, resume=session_id) as rig:
        await rig.do(ReportCosts())
        assert await rig.event(ev.CostsReported) == before


async def test_a_transcript_of_before_counts_for_the_main_agent(tmp_path: Path, isolated_machine: Path) -> None:
    async with running(replies(SPENT), tmp_path, isolated_machine, settings=Settings(model=NEW)) as rig:
        await rig.prompt("one")
        rig.engine.session.conversation.record_side_usage("explain", SMALL, SPENT)
        path, session_id = rig.engine.session.conversation.transcript, rig.engine.session_id
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line.pop("agent", None)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    async with running(replies(), tmp_path, isolated_machine, settings=Settings(model=NEW), resume=session_id) as rig:
        assert {(one.agent, one.source) for one in rig.engine.session.ledger.lines()} == {
            ("main", "main"), ("main", "explain"),
        }  # fmt: skip


async def test_the_window_is_reported_at_once_and_then_with_the_servers_count(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "AGENTS.md").write_text("Be kind.\n" * 200)
    async with running(replies(WARM), tmp_path, isolated_machine, settings=Settings(model=NEW)) as rig:
        await rig.do(ReportContext())
        empty = (await rig.event(ev.ContextReported)).report
        names = {part.name for part in empty.parts}
        assert names == {"System prompt", "Tools", "Instruction files"}
        assert empty.next_send is None, "what goes with the first prompt is not known"
        assert empty.used == sum(part.tokens for part in empty.parts) > 2_000
        await rig.prompt("hi")
        shown = len(rig.of(ev.ContextReported))
        await rig.do(ReportContext())
        await rig.until(lambda: len(rig.of(ev.ContextReported)) >= shown + 2)
        first, second = (event.report for event in rig.of(ev.ContextReported)[shown:])
        assert (first.exact, second.parts) == (None, first.parts) and (second.exact or 0) > 1_000
        assert first.used == count_tokens(rig.engine.session.conversation.messages, 50_100, 0) == 50_100
        assert first.next_send is not None and first.warm_until is not None
        assert (first.next_send.cached_tokens, first.next_send.fresh_tokens) == (50_000, 100)
        assert isinstance(rig.host.clock, FakeClock)
        rig.host.clock.now += 301
        await rig.do(ReportContext())
        cold = (
            await rig.event(ev.ContextReported, lambda event: event.report.next_send not in (None, first.next_send))
        ).report
        assert cold.next_send is not None and cold.next_send.cached_tokens == 0 and cold.next_send.why_cold
