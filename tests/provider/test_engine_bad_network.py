"""A server that fails in every way, seen through the engine: visible retries, nothing lost, nothing run twice."""

from __future__ import annotations

import email.utils
import socket
import time
from pathlib import Path

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.messages import TextBlock
from core.settings.schema import Settings
from tests.fakes.api_script import (
    Fault,
    Reply,
    http,
    reset_after,
    reset_before,
    say,
    silent_end,
    sse_error,
    text,
    thinking,
    tool_use,
)
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, allowing, running
from tests.provider.test_engine_over_http import connected

BUSY = Reply(fault=http(529, "overloaded_error", "Overloaded"))


def slept(rig: Rig) -> list[float]:
    assert isinstance(rig.host.clock, FakeClock)
    return rig.host.clock.slept


def end(rig: Rig) -> ev.TurnEnded:
    return rig.of(ev.TurnEnded)[-1]


async def test_overload_is_retried_and_shown(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([BUSY, BUSY, say("Here.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        failed = rig.of(ev.RequestFailed)
        assert [event.attempt for event in failed] == [1, 2]
        waits = [event.retry_in_s for event in failed]
        assert waits == slept(rig) and all(waits)
        assert waits[0] < waits[1] if waits[0] and waits[1] else False
        assert "Overloaded" in failed[0].reason
        assert [event.attempt for event in rig.of(ev.RequestStarted)] == [1, 2, 3]
        started = [event.request_id for event in rig.of(ev.RequestStarted)]
        assert [event.request_id for event in failed] == started[:2]
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        # What says nothing useful leaves it to our own delay.
        ({"retry-after": "0"}, 0.5),
        ({"retry-after": "-5"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
        ({"retry-after": "later"}, 0.5),
        ({"retry-after": ""}, 0.5),
        ({"retry-after": "Mon, 02 Mar 2020 10:00:00 GMT"}, 0.5),
        ({"retry-after": "Mon, 99 Mar 99999 10:00:00 GMT"}, 0.5),
    ],
)
async def test_the_server_says_how_long_to_wait(
    tmp_path: Path, isolated_machine: Path, headers: dict[str, str], seconds: float
) -> None:
    limited = Reply(fault=http(429, "rate_limit_error", "Slow down", headers))
    async with connected([limited, say("Here.")], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        assert rig.of(ev.RequestFailed)[0].retry_in_s == seconds
        assert slept(rig) == [seconds]


@pytest.mark.parametrize("naive", [False, True])
async def test_the_wait_may_be_a_date(tmp_path: Path, isolated_machine: Path, naive: bool) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=not naive)
    limited = Reply(fault=http(429, "rate_limit_error", "Slow down", {"retry-after": date}))
    async with connected([limited, say("Here.")], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        assert 25 <= (rig.of(ev.RequestFailed)[0].retry_in_s or 0) <= 31


@pytest.mark.parametrize("header", ["3600", "86400", "inf"])
async def test_an_absurd_wait_ends_the_turn_with_a_clear_line(
    tmp_path: Path, isolated_machine: Path, header: str
) -> None:
    limited = Reply(fault=http(429, "rate_limit_error", "Slow down", {"retry-after": header}))
    async with connected([limited, say("Here.")], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error"
        assert "Slow down" in end(rig).detail and "429" in end(rig).detail and "wait" in end(rig).detail
        assert slept(rig) == []
        await rig.prompt("again")
        assert end(rig).reason == "completed"


FAULTS: dict[str, Fault] = {
    "reset before": reset_before(),
    "reset in thinking": reset_after(4),
    "error event": sse_error(4),
    "silent end": silent_end(4),
    "end before anything": silent_end(0),
    "500": http(500, "api_error"),
    "504": http(504, "timeout_error"),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_with_nothing_complete_it_is_sent_again(tmp_path: Path, isolated_machine: Path, case: str) -> None:
    broken = Reply([thinking("A long thought that is cut. " * 5), text("Words.")], fault=FAULTS[case])
    async with connected([broken, say("Whole.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        (failed,) = rig.of(ev.RequestFailed)
        assert failed.reason and failed.retry_in_s
        assert ("hung up" in failed.reason) == (case == "reset before")
        assert server.requests[0].body == server.requests[1].body
        open_blocks = {event.block_id for event in rig.of(ev.BlockStarted)}
        closed = {event.block_id for event in [*rig.of(ev.BlockFinished), *rig.of(ev.BlockDiscarded)]}
        assert open_blocks <= closed
        assert server.rejections == []


@pytest.mark.parametrize("kind", ["reset", "error", "silent"])
async def test_a_call_that_was_complete_runs_once_and_keeps_its_result(
    tmp_path: Path, isolated_machine: Path, kind: str
) -> None:
    """Wherever the response breaks: every call whose block was complete ran once, and the model gets its result."""
    counts: set[int] = set()
    for after in range(3, 14):
        folder = tmp_path / str(after)
        folder.mkdir()
        fault = {"reset": reset_after, "error": sse_error, "silent": silent_end}[kind](after)
        counts.add(await broken_after_calls(folder, isolated_machine / str(after), fault))
    assert counts == {0, 1, 2}


async def broken_after_calls(cwd: Path, home: Path, fault: Fault) -> int:
    """Play a response that breaks; how many calls were complete."""
    first = [tool_use("Bash", {"command": f"echo {number} >> ran.txt"}, f"toolu_{number}") for number in range(2)]
    broken = Reply([*first, text("And more words to come.")], fault=fault, chunk_size=400)
    settings = Settings(rules=allowing("Bash"))
    async with connected([broken, *[say("Done.")] * 3], cwd, home, settings=settings) as (server, rig):
        await rig.prompt("go")
        assert end(rig).reason == "completed"
        finished = [event.tool_use_id for event in rig.of(ev.ToolFinished)]
        log = cwd / "ran.txt"
        ran = log.read_text().split() if log.exists() else []
        assert ran == [call_id.removeprefix("toolu_") for call_id in finished]
        sent = server.requests[-1].body["messages"]
        results = [block["tool_use_id"] for item in sent for block in item["content"] if block["type"] == "tool_result"]
        assert results == finished
        assert (server.rejections, server.prefix_violations) == ([], [])
        return len(finished)


async def test_a_complete_text_is_kept_and_the_model_asked_to_go_on(tmp_path: Path, isolated_machine: Path) -> None:
    broken = Reply(
        [text("First part."), text("Second part, longer than one delta of the stream.")], fault=reset_after(7)
    )
    async with connected([broken, say("The rest.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        blocks = [event.block.text for event in rig.of(ev.BlockFinished) if isinstance(event.block, TextBlock)]
        assert blocks[0] == "First part." and blocks[-1] == "The rest."
        sent = server.requests[-1].body["messages"]
        assert sent[1]["content"][0]["text"] == "First part."
        assert sent[-1]["role"] == "user"
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_a_wrong_key_is_told_with_what_to_do(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Here.")], tmp_path, isolated_machine, valid_key="right") as (server, rig):
        for _ in range(2):
            await rig.prompt("hi")
            assert end(rig).reason == "error"
            assert "401" in end(rig).detail and "ANTHROPIC_API_KEY" in end(rig).detail
        assert len(server.requests) == 2, "no retry helps"
        assert not rig.of(ev.FaultOccurred)
        server.state.valid_key = "key"
        await rig.prompt("hi")
        assert end(rig).reason == "completed"


async def test_an_unknown_model_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    settings = Settings(model="claude-nobody")
    async with connected([say("Here.")], tmp_path, isolated_machine, settings=settings) as (_server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error"
        assert "claude-nobody" in end(rig).detail and "--model" in end(rig).detail
        assert not rig.of(ev.FaultOccurred)


async def test_a_server_that_cannot_be_reached(tmp_path: Path, isolated_machine: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = AnthropicClient(base_url=url, api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.prompt("hi")
            assert end(rig).reason == "error"
            assert "reached" in end(rig).detail and "ANTHROPIC_BASE_URL" in end(rig).detail
            failed = rig.of(ev.RequestFailed)
            assert len(failed) == 8 and failed[-1].retry_in_s is None
            assert slept(rig) == [event.retry_in_s for event in failed[:-1]]


async def test_a_prompt_that_does_not_fit_is_told(tmp_path: Path, isolated_machine: Path) -> None:
    async with connected([say("Here.")], tmp_path, isolated_machine, window=100) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "context_full"
        assert "too long" in end(rig).detail and "send less" in end(rig).detail
        assert len(server.requests) == 1


async def test_a_refusal_shows_why(tmp_path: Path, isolated_machine: Path) -> None:
    refused = Reply(
        [text("I")],
        stop_reason="refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": "That is harmful."},
    )
    async with connected([refused], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "refusal"
        assert end(rig).detail.startswith("That is harmful. The prompt is taken out")


async def test_a_spending_limit_is_not_retried(tmp_path: Path, isolated_machine: Path) -> None:
    """A 429 without retry-after that names a spending limit does not pass by waiting."""
    limited = Reply(fault=http(400, "invalid_request_error", "Your credit balance is too low"))
    async with connected([limited, say("x")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error" and "credit balance" in end(rig).detail
        assert len(server.requests) == 1
