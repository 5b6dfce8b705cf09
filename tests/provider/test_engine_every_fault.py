"""Every fault in one conversation: the right answer in the end, each call run once, every request valid."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.settings.schema import Settings
from tests.fakes.api_script import (
    Block,
    Fault,
    Reply,
    garbled,
    http,
    malformed_tool_json,
    page,
    reset_after,
    reset_before,
    say,
    silent_end,
    sse_error,
    stall,
    text,
    thinking,
    tool_use,
    truncated_tool_json,
)
from tests.fakes.api_server import ApiServer
from tests.fakes.engines import Rig, allowing, running

BEFORE: list[Fault] = [
    http(429, "rate_limit_error", "Slow down", {"retry-after": "3"}),
    http(529, "overloaded_error", "Overloaded"),
    *[http(status, "api_error") for status in (408, 409, 500, 503, 504)],
    page(502, "<html><title>502 Bad Gateway</title></html>"),
    page(503),
    reset_before(),
    sse_error(0),
    silent_end(0),
    stall(0),
]
ALONG: list[Callable[[int], Fault]] = [reset_after, sse_error, silent_end, garbled, stall]
"""Faults that come after so many events."""


class Work:
    """Replies that each append a line of their own to a file; how often a line stands there tells how often it ran."""

    def __init__(self) -> None:
        self.calls: dict[str, str] = {}

    def call(self) -> Block:
        word = f"w{len(self.calls)}"
        block = tool_use("Bash", {"command": f"echo {word} >> ran.txt"}, f"toolu_{word}")
        self.calls[f"toolu_{word}"] = word
        return block

    def reply(self, fault: Fault | None = None) -> Reply:
        """19 events: the blocks end after 6, 9, 13 and 17, the reason why it stops is the 18th."""
        blocks = [thinking("Hm, let me see about it."), text("On it."), self.call(), self.call()]
        return Reply(blocks, fault=fault, chunk_size=400)


@asynccontextmanager
async def playing(replies: list[Reply], cwd: Path, home: Path) -> AsyncGenerator[tuple[ApiServer, Rig]]:
    settings = Settings(rules=allowing("Bash"), fallback_models=("claude-sonnet-5-5",))
    async with ApiServer(replies) as server:
        client = AnthropicClient(base_url=server.url, api_key="key", silence_s=0.5)
        async with running(client, cwd, home, settings=settings) as rig:
            yield server, rig


def check(server: ApiServer, rig: Rig, work: Work) -> None:
    """Each call that was answered as a success ran once, every other one never; no request was rejected."""
    log = rig.cwd / "ran.txt"
    ran = Counter(log.read_text().split() if log.exists() else [])
    finished = rig.of(ev.ToolFinished)
    assert Counter(work.calls[event.tool_use_id] for event in finished if not event.is_error) == ran
    assert set(ran.values()) <= {1}
    ids = [event.tool_use_id for event in finished]
    assert len(ids) == len(set(ids))
    sent = server.requests[-1].body["messages"]
    results = [block["tool_use_id"] for item in sent for block in item["content"] if block["type"] == "tool_result"]
    if not rig.of(ev.CompactionFinished):
        assert results == ids, "the model knows of each of them, in order"
    assert server.rejections == []
    # A prompt that was declined, or did not fit, is taken back; a summary is asked for beside the conversation.
    taken_back = any(event.reason in ("refusal", "context_full") for event in rig.of(ev.TurnEnded))
    if not taken_back and not rig.of(ev.CompactionStarted):
        assert server.prefix_violations == []
    opened = {event.block_id for event in rig.of(ev.BlockStarted)}
    closed = {event.block_id for event in [*rig.of(ev.BlockFinished), *rig.of(ev.BlockDiscarded)]}
    assert opened <= closed
    requests = [event.request_id for event in rig.of(ev.RequestStarted)]
    ended = [event.request_id for event in [*rig.of(ev.RequestFinished), *rig.of(ev.RequestFailed)]]
    assert sorted(requests) == sorted(ended)


async def test_every_fault_in_a_row(tmp_path: Path, isolated_machine: Path) -> None:
    work = Work()
    faults = [*BEFORE, *(kind(after) for kind in ALONG for after in range(2, 22, 3))]
    replies = [reply for fault in faults for reply in (work.reply(fault), work.reply())]
    replies += [work.reply(malformed_tool_json()), work.reply(truncated_tool_json())]
    replies += [Reply([], stop_reason="end_turn"), say("All of it is done.")]
    async with playing(replies, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        (ended,) = rig.of(ev.TurnEnded)
        assert (ended.reason, ended.detail, server.remaining) == ("completed", "", 0)
        failed = rig.of(ev.RequestFailed)
        whole = sum(fault.after >= 18 for fault in faults)
        assert len(failed) == len(faults) - whole
        assert all(event.reason and event.cause and event.retry_in_s for event in failed)
        assert {event.cause for event in failed} == {
            "rate_limit", "overloaded", "server", "dropped", "silent", "connection"
        }  # fmt: skip
        last = server.requests[-1].body["messages"]
        assert json.dumps(last).count("tool_use_id") > len(faults)
        check(server, rig, work)


def along(kind: Callable[[int], Fault], after: int) -> Fault:
    """One of the faults that come in the middle."""
    return kind(after)


PASSING = [*(one for one in BEFORE if one.kind != "stall"), malformed_tool_json(), truncated_tool_json()]
LASTING = [http(401, "authentication_error"), http(400, "invalid_request_error", "prompt is too long")]
some: st.SearchStrategy[Fault] = st.builds(along, st.sampled_from(ALONG[:4]), st.integers(0, 22))
fault: st.SearchStrategy[Fault | None] = st.one_of(st.none(), st.sampled_from(PASSING), some, st.sampled_from(LASTING))
reason = st.sampled_from(["", "", "", "end_turn", "max_tokens", "refusal", "pause_turn", "stop_sequence", "tomorrow"])
shape = st.tuples(fault, st.lists(st.sampled_from("tcx"), max_size=3), reason)
"""A fault, a block for each letter (text, call, thought), and a stop reason."""


@given(st.lists(shape, max_size=12))
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_whatever_comes_the_history_stays_valid_and_nothing_runs_twice(
    tmp_path_factory: pytest.TempPathFactory, isolated_machine: Path, shapes: list[tuple[Fault | None, list[str], str]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    work = Work()
    make = {"t": lambda: text("Some words."), "c": work.call, "x": lambda: thinking("Hm.")}
    replies = [
        Reply([make[letter]() for letter in letters], fault=one, stop_reason=why or None, chunk_size=400)
        for one, letters, why in shapes
    ]
    count = len(replies) + 20
    async with playing([*replies, *[say("Done.")] * 20], folder, isolated_machine / folder.name) as (server, rig):
        for prompt in ("go", "go on"):
            await rig.prompt(prompt)
            assert len(server.requests) <= count
        ends = rig.of(ev.TurnEnded)
        assert len(ends) == 2 and not rig.of(ev.FaultOccurred)
        await rig.prompt("and the last")
        while server.remaining and rig.of(ev.TurnEnded)[-1].reason != "completed":
            await rig.prompt("more")
        check(server, rig, work)
