"""A model that is overloaded: another one takes over for the rest of the turn, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.protocol import events as ev
from core.settings.schema import Settings
from tests.fakes.api_script import Reply, http, say, sse_error, text, thinking, tool_use
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig
from tests.provider.test_engine_bad_network import end, slept
from tests.provider.test_engine_over_http import connected

MAIN, SECOND, THIRD = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
BUSY = Reply(fault=http(529, "overloaded_error", "Overloaded"))
BUSY_LATER = Reply([thinking("A thought that never ends. " * 5)], fault=sse_error(4))
MANY: dict[str, Any] = {"input_tokens": 300_000}


def used(server: ApiServer) -> list[str]:
    """The model of each request."""
    return [entry.body["model"] for entry in server.requests]


def changes(rig: Rig) -> list[tuple[str, str]]:
    return [(event.model, event.stands_in_for) for event in rig.of(ev.ModelChanged)]


def notices(rig: Rig) -> list[str]:
    return [f"{event.text} {event.hint}" for event in rig.of(ev.Notice) if event.level == "warning"]


def backed_by(*names: str, **changes: Any) -> Settings:
    return Settings(model=MAIN, fallback_models=names, **changes)


@pytest.mark.parametrize("busy", [[BUSY] * 3, [BUSY_LATER] * 3, [BUSY, BUSY_LATER, BUSY]])
async def test_the_third_overload_in_a_row_brings_the_fallback_for_this_turn(
    tmp_path: Path, isolated_machine: Path, busy: Sequence[Reply]
) -> None:
    (tmp_path / "a.txt").write_text("alpha\n")
    read = tool_use("Read", {"file_path": "a.txt"})
    replies = [*busy, Reply([thinking("Hm."), read]), say("Read."), say("Again.")]
    settings = backed_by(SECOND, THIRD)
    async with connected(replies, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        assert used(server) == [MAIN] * 3 + [SECOND] * 2
        assert [event.retry_in_s for event in rig.of(ev.RequestFailed)] == [0.5, 1.0, 0.0]
        assert changes(rig) == [(SECOND, MAIN), (MAIN, "")]
        (told,) = notices(rig)
        assert told.startswith(f"{MAIN} is overloaded") and f"{SECOND} answers for the rest of this turn" in told
        kinds = [type(event) for event in rig.events]
        assert kinds.index(ev.ModelChanged) < kinds.index(ev.TurnEnded)
        account = rig.engine.session.ledger.by_model
        assert account[SECOND].usage.output_tokens and set(account) <= {MAIN, SECOND}
        await rig.prompt("and now?")
        assert used(server)[-1] == MAIN
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_other_failures_in_between_do_not_count(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [BUSY, BUSY, Reply(fault=http(500, "api_error")), BUSY, BUSY, say("Fine.")]
    settings = backed_by(SECOND)
    async with connected(replies, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert used(server) == [MAIN] * 6 and changes(rig) == []


@pytest.mark.parametrize("other", ["claude-sonnet-5", "claude-haiku-4-5", "claude-opus-4-6", SECOND, THIRD])
async def test_the_request_follows_what_the_other_model_takes(
    tmp_path: Path, isolated_machine: Path, other: str
) -> None:
    """System messages, thinking, effort and length; and the first model goes on behind what the other one said."""
    (tmp_path / "a.txt").write_text("alpha\n")
    read = tool_use("Read", {"file_path": "a.txt"})
    replies = [
        Reply([thinking("First."), tool_use("Read", {"file_path": "a.txt"}), read]),
        *[BUSY] * 3,
        Reply([thinking("Second."), tool_use("LS", {"path": "."})]),
        say("Done."),
        Reply([thinking("Third."), text("Home.")]),
        say("Still home."),
    ]
    settings = backed_by(other, effort="xhigh", max_output_tokens=100_000, mode="plan")
    async with connected(replies, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        assert used(server) == [MAIN] * 4 + [other] * 2
        await rig.prompt("and now?")
        await rig.prompt("still?")
        assert used(server)[-2:] == [MAIN, MAIN]
        assert server.rejections == []
        assert "First." in str(server.requests[-1].body["messages"]), "thinking stays in the history"
        assert not any("thoughts" in told for told in notices(rig))


async def test_a_fallback_that_does_not_exist_is_told_and_the_next_one_taken(
    tmp_path: Path, isolated_machine: Path
) -> None:
    settings = backed_by(MAIN, "claude-nobody", SECOND)
    async with connected([*[BUSY] * 3, say("Fine.")], tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert used(server) == [MAIN] * 3 + [SECOND]
        assert "claude-nobody cannot stand in" in notices(rig)[0] and "fallbackModel" in notices(rig)[0]


async def test_a_fallback_whose_window_is_too_small_is_passed_over(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply([text("Long.")], usage=MANY), *[BUSY] * 3, say("Fine.")]
    settings = backed_by("claude-haiku-4-5", THIRD)
    async with connected(replies, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        await rig.prompt("go on")
        assert end(rig).reason == "completed"
        assert used(server)[-1] == THIRD
        assert "200,000" in notices(rig)[0] and "too small" in notices(rig)[0]


async def test_with_no_fallback_left_the_last_one_is_tried_on(tmp_path: Path, isolated_machine: Path) -> None:
    settings = backed_by(SECOND)
    async with connected([BUSY] * 20, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error" and "Overloaded" in end(rig).detail
        assert used(server) == [MAIN] * 3 + [SECOND] * 8
        assert changes(rig) == [(SECOND, MAIN), (MAIN, "")]
        assert len(slept(rig)) == 9


async def test_a_fallback_that_fails_for_good_is_given_up(tmp_path: Path, isolated_machine: Path) -> None:
    refused = Reply(fault=http(403, "permission_error", "Not for this key"))
    settings = backed_by(SECOND)
    replies = [*[BUSY] * 3, refused, BUSY, say("Fine.")]
    async with connected(replies, tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        assert used(server) == [MAIN] * 3 + [SECOND] + [MAIN] * 2
        assert changes(rig) == [(SECOND, MAIN), (MAIN, "")]
        assert "Not for this key" in notices(rig)[1] and f"{MAIN} is tried again" in notices(rig)[1]


async def test_without_a_fallback_it_is_tried_eight_times(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([BUSY] * 9, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error" and "Say: go on" in end(rig).detail
        assert len(server.requests) == 8
        await rig.prompt("go on")
        assert "hi" in str(server.requests[-1].body["messages"])
