"""Where breakpoints stand: whatever a conversation does, a request reads all that the one before had written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.llm.catalog import find_model
from core.prompt.assemble import build_request, thinking_budget, thinking_config
from core.prompt.cache import LOOK_BACK, mark_messages
from core.protocol.messages import (
    Block,
    Message,
    OtherBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from core.protocol.views import SystemPrompt
from core.query.history import History
from core.query.normalize import Accepted
from core.settings.schema import CacheTtl, Settings
from tests.fakes.api_cache import PromptCache
from tests.fakes.api_call import Call, RuleState
from tests.fakes.api_canon import Json
from tests.fakes.api_models import CATALOGUE
from tests.fakes.wire import NEW, OLD, READ, body_of, flat, sign, verdict

SYSTEM = SystemPrompt(static="Be good.", session="Here and now.")
SERVER_CALL = {"type": "server_tool_use", "id": "", "name": "web_search", "input": {"query": "x"}}


@dataclass(frozen=True)
class Round:
    """What is added before the next request."""

    thoughts: int
    texts: int
    calls: int
    prompts: int
    has_news: bool
    is_paused: bool = False
    is_lost: bool = False
    """The request got no answer; what the user says now joins what they said before."""


few = st.integers(0, 3)
rounds = st.builds(
    Round,
    thoughts=few,
    texts=few,
    calls=st.one_of(few, st.integers(18, 45)),
    prompts=st.one_of(few, st.integers(18, 45)),
    has_news=st.booleans(),
)
paused = st.builds(
    Round,
    thoughts=few,
    texts=few,
    calls=st.just(0),
    prompts=st.just(0),
    has_news=st.just(False),
    is_paused=st.just(True),
)
lost = st.builds(
    Round,
    thoughts=st.just(0),
    texts=st.just(0),
    calls=st.just(0),
    prompts=st.integers(0, LOOK_BACK - 1),
    has_news=st.just(False),
    is_lost=st.just(True),
)


def message(role: Role, *blocks: Block) -> Message:
    return Message(id="", role=role, content=blocks, ts=0.0)


def grow(plan: list[Round], model: str) -> Iterator[tuple[Message, ...]]:
    """The conversation at each request."""
    said = [message("user", TextBlock(text="Begin."))]
    yield tuple(said)
    for number, round_ in enumerate(plan):
        if said[-1].role == "assistant" and not round_.is_lost:
            # The answer to a pause becomes one message with it, which is looked through only so far back.
            round_ = replace(round_, calls=min(round_.calls, 3), prompts=min(round_.prompts, 3))
        if not round_.is_lost:
            thoughts = [ThinkingBlock(thinking="Hm.", signature=sign("Hm.", model)) for _ in range(round_.thoughts)]
            texts = [TextBlock(text=f"Answer {number}.{at}") for at in range(1 + round_.texts)]
            calls = [ToolUseBlock(id=f"toolu_{number}_{at}", name="Read", input={}) for at in range(round_.calls)]
            pause: list[Block] = []
            if round_.is_paused:
                pause.append(OtherBlock(data={**SERVER_CALL, "id": f"srvtoolu_{number}"}))
                result: Json = {"type": "web_search_tool_result", "tool_use_id": f"srvtoolu_{number}", "content": []}
                pause.append(OtherBlock(data=result))
            said.append(message("assistant", *thoughts, *texts, *calls, *pause))
            if calls:
                said.append(message("user", *(ToolResultBlock(tool_use_id=call.id, content="x") for call in calls)))
            elif not pause:
                said.append(message("user", TextBlock(text=f"Prompt {number}.")))
        said += [message("user", TextBlock(text=f"More {number}.{at}")) for at in range(round_.prompts)]
        if round_.has_news:
            said.append(message("system", TextBlock(text=f"News {number}.")))
        yield tuple(said)


@given(
    st.lists(st.one_of(rounds, rounds, paused, lost), max_size=8),
    st.sampled_from([NEW, OLD]),
    st.sampled_from(["5m", "1h"]),
)
@settings(max_examples=150, deadline=None)
def test_a_request_reads_all_that_the_one_before_had_written(plan: list[Round], name: str, ttl: CacheTtl) -> None:
    model, cache, history = find_model(name), PromptCache(), History()
    had, before = 0, list[str]()
    for messages in grow(plan, name):
        wire = history.normalized(messages, Accepted(model.mid_system))
        request = build_request(
            settings=Settings(cache_ttl=ttl), model=model, system=SYSTEM, tools=[READ], messages=wire, max_tokens=2_000
        )
        body = body_of(request)
        assert verdict(body) is None
        read = cache.plan(Call(body, {}, RuleState()))
        now = flat(wire)
        if now[: len(before)] == before:
            assert read.read >= had
        # News behind a request that got no answer moves behind what is said next: that much is sent anew.
        had, before = read.read + sum(read.created.values()), now
        assert had == Call(body, {}, RuleState()).tokens or wire[-1]["role"] == "assistant"
        cache.commit(read)


def marks(messages: list[Json]) -> list[tuple[int, int]]:
    return [
        (number, at)
        for number, message in enumerate(mark_messages(messages, "5m"))
        for at, block in enumerate(message["content"])
        if "cache_control" in block
    ]


def wire(role: str, *kinds: str) -> Json:
    return {"role": role, "content": [{"type": kind, "text": kind, "thinking": "Hm."} for kind in kinds]}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([wire("user", "text")], [(0, 0)]),
        ([wire("user", "text"), wire("assistant", "text", "thinking"), wire("user", "text")], [(1, 0), (2, 0)]),
        ([wire("user", "text"), wire("assistant", "redacted_thinking"), wire("user", "text")], [(0, 0), (2, 0)]),
        ([wire("user", "text"), wire("assistant", "text")], [(0, 0), (1, 0)]),
        (
            [
                *(wire("user", "text"), wire("system", "text"), wire("assistant", "tool_use")),
                *(wire("user", "tool_result", "tool_result"), wire("system", "text")),
            ],
            [(3, 1), (4, 0)],
        ),
        *(
            (
                [wire("user", "text"), wire("assistant", *calls), wire("user", *results)],
                [*found, (1, n - 1), (2, n - 1)],
            )
            for n, found in ((19, []), (20, [(0, 0)]))
            for calls, results in [(["tool_use"] * n, ["tool_result"] * n)]
        ),
    ],
)
def test_the_last_two_messages_and_beyond_their_reach_the_end_of_the_request_before(
    messages: list[Json], expected: list[tuple[int, int]]
) -> None:
    assert marks(messages) == expected


@given(st.sampled_from(CATALOGUE), st.integers(1, 200_000), st.integers(1, 200_000))
def test_thinking_depends_on_the_settings_alone_and_always_fits(spec: object, most: int, limit: int) -> None:
    from tests.fakes.api_models import ModelSpec

    assert isinstance(spec, ModelSpec)
    model, chosen = find_model(spec.id), Settings(max_output_tokens=most)
    request = build_request(
        settings=chosen,
        model=model,
        system=SYSTEM,
        tools=[READ],
        messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}],
        max_tokens=min(limit, model.max_output),
    )
    assert request.thinking == thinking_config(model, chosen)
    assert request.max_tokens > thinking_budget(model, chosen)
    assert verdict(body_of(request)) is None
