"""A prompt may be given limits: requests, dollars, tokens. The turn then ends cleanly and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.usage import Usage
from core.settings.schema import Settings
from tests.fakes.engines import running
from tests.fakes.wire import assert_all_valid

USAGE = Usage(input_tokens=1_000, output_tokens=500, cache_read_tokens=50_000)
"""Of each request here; with Opus 5.5 that is 1,000 × 4 + 500 × 20 + 50,000 × 0.20 dollars a million: 0.024."""


def rounds(count: int) -> list[Reply]:
    return [Reply([call("LS", f"l{number}", path=".")], usage=USAGE) for number in range(count)]


@pytest.mark.parametrize(
    ("settings", "requests", "said"),
    [
        (Settings(max_budget_usd=0.06), 3, "$0.06"),
        (Settings(max_budget_usd=0.0001), 1, "$0.0001"),
        (Settings(max_budget_tokens=3_000), 2, "3,000 tokens"),
        (Settings(max_budget_tokens=3_001), 3, "3,001 tokens"),
        (Settings(max_budget_tokens=3_000, max_turns=1), 1, "1 request "),
    ],
)
async def test_the_turn_ends_before_the_request_that_would_be_too_many(
    tmp_path: Path, isolated_machine: Path, settings: Settings, requests: int, said: str
) -> None:
    async with running(rounds(9), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        (end,) = rig.of(ev.TurnEnded)
        assert end.reason == ("max_turns" if settings.max_turns else "max_budget") and said in end.detail
        assert len(rig.requests) == requests
        assert len(rig.of(ev.ToolFinished)) == requests, "what was asked for is done"
        await rig.prompt("go on")
        assert len(rig.requests) == 2 * requests, "the budget is one prompt's"
        assert_all_valid(rig.requests)


async def test_within_its_budget_nothing_is_said(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(max_budget_usd=1.0, max_budget_tokens=100_000)
    async with running(
        [*rounds(2), Reply([say("Done.")], usage=USAGE)], tmp_path, isolated_machine, settings=settings
    ) as rig:
        await rig.prompt("go")
        assert [event.reason for event in rig.of(ev.TurnEnded)] == ["completed"]


async def test_dollars_of_a_model_without_a_price_cannot_be_counted(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(model="somebodys-own-model", max_budget_usd=1.0)
    async with running(rounds(3), tmp_path, isolated_machine, settings=settings) as rig:
        await rig.prompt("go")
        (end,) = rig.of(ev.TurnEnded)
        assert end.reason == "max_budget" and "--max-budget-tokens" in end.detail and rig.requests == []
