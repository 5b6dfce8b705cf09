"""What the watch over the cache expects, tells and predicts, from usages alone."""

from __future__ import annotations

from math import isclose
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.catalog import ModelInfo, find_model
from core.llm.client import ModelRequest
from core.prompt.cache_watch import Answer, CacheWatch
from core.protocol.context_events import CacheBroken
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.settings.schema import CacheTtl
from tests.fakes.api_canon import Json
from tests.fakes.wire import NEW, OLD, READ

SYSTEM = SystemPrompt(static="Be good.", session="Here.")
MODEL, OTHER = find_model(NEW), find_model(OLD)
TOOLS = [READ]


def user(*texts: str) -> Json:
    return {"role": "user", "content": [{"type": "text", "text": text} for text in texts]}


def step(
    watch: CacheWatch,
    read: int,
    written: int = 0,
    *,
    messages: list[Json] | None = None,
    now: float = 0.0,
    model: ModelInfo = MODEL,
    diagnosis: str = "",
    **changes: Any,
) -> CacheBroken | None:
    """One request and its answer."""
    sent = messages or [user("Hello.")]
    fields: dict[str, Any] = {"system": [], "tools": TOOLS, "messages": sent, **changes}
    watch.sending(ModelRequest(model=model.id, max_tokens=100, **fields), SYSTEM, sent, now)
    usage = Usage(input_tokens=10, cache_read_tokens=read, cache_write_5m_tokens=written)
    return watch.answered(Answer(request_id="r", message_id="msg_1", usage=usage, diagnosis=diagnosis), model)


@given(st.integers(0, 300_000), st.integers(0, 300_000))
def test_it_tells_of_what_is_missed_by_more_than_a_twentieth_and_2000_tokens(held: int, read: int) -> None:
    watch = CacheWatch()
    assert step(watch, 0, held) is None
    broken = step(watch, read, max(0, held - read) + 1)
    short = held - read
    assert (broken is not None) == (short > 2_000 and short > held / 20)
    if broken is not None:
        assert (broken.expected_tokens, broken.read_tokens, broken.cause) == (held, read, "evicted")
        assert MODEL.prices is not None
        rates = MODEL.prices.base
        assert broken.extra_cost_usd is not None
        assert isclose(broken.extra_cost_usd, short * (rates.cache_write_5m - rates.cache_read) / 1e6)


def test_it_compares_nothing_while_all_is_read() -> None:
    """It costs the same behind five messages and behind five thousand."""

    class Untouched(dict[str, Any]):
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None  # pyright: ignore[reportAssignmentType]

    watch = CacheWatch()
    messages = [Untouched(user(str(number))) for number in range(5)]
    assert step(watch, 0, 50_000, messages=[*messages]) is None
    assert step(watch, 50_000, 100, messages=[*messages, Untouched(user("more"))]) is None


CAUSES: list[tuple[dict[str, Any], str, str]] = [
    ({"tools": [READ, {"name": "New"}]}, "tools", "tool New added"),
    ({"tools": [{"name": "A"}, {"name": "B"}]}, "tools", "tools A, B added; tool Read removed"),
    ({"thinking": {"type": "adaptive"}}, "parameters", "the thinking parameter changed"),
    (
        {"output_config": {"effort": "low"}},
        "parameters",
        "the effort changed from the model's own to low",
    ),
    ({"messages": [user("Other.")]}, "messages", "message 1 of 1 changed"),
    ({"messages": [user("Hello.", *"abcdefghij")]}, "evicted", "nothing changed; the server let go of it"),
    (
        {"messages": [user("Hello.", *"abcdefghijklmnopqrst")]},
        "messages",
        "message 1 grew by 20 blocks, more than the server looks back",
    ),
    (
        {"messages": [user("Hello."), {"role": "user", "content": [{"type": "image", "source": {}}]}]},
        "messages",
        "images were added",
    ),
    ({"now": 300.0}, "expired", "sent 5 min after the last request; the cache holds 5 min"),
    ({"now": 290.0}, "evicted", "nothing changed; the server let go of it"),
    ({"diagnosis": "tools_changed"}, "tools", "the server found that the tools changed"),
    ({"diagnosis": "unavailable"}, "evicted", "nothing changed; the server let go of it"),
    ({"diagnosis": "messages_changed", "messages": [user("x")]}, "messages", "message 1 of 1 changed"),
]


@pytest.mark.parametrize(("changes", "cause", "reason"), CAUSES)
def test_the_cause(changes: dict[str, Any], cause: str, reason: str) -> None:
    watch = CacheWatch()
    step(watch, 0, 50_000)
    broken = step(watch, 0, 50_000, **changes)
    assert broken is not None
    assert (broken.cause, broken.reason, broken.is_announced) == (cause, reason, False)


def test_what_was_announced_is_told_as_such_and_once() -> None:
    watch = CacheWatch()
    step(watch, 0, 50_000)
    watch.announce("compaction")
    broken = step(watch, 5_000, 5_000, messages=[user("A summary.")])
    assert broken is not None and (broken.reason, broken.is_announced) == ("compaction", True)
    assert step(watch, 10_000, 100, messages=[user("A summary."), user("on")]) is None
    later = step(watch, 0, 10_100)
    assert later is not None and not later.is_announced


def test_each_model_has_a_cache_of_its_own() -> None:
    watch = CacheWatch()
    step(watch, 0, 50_000)
    broken = step(watch, 0, 60_000, model=OTHER)
    assert broken is not None and (broken.cause, broken.is_announced) == ("model", True)
    assert step(watch, 50_000, 10_000) is None
    assert step(watch, 60_000, 10, model=OTHER) is None


def test_the_message_that_the_api_compares_with() -> None:
    watch = CacheWatch()
    assert watch.diagnostics(NEW) == {"previous_message_id": None}
    step(watch, 0, 50_000)
    assert watch.diagnostics(NEW) == watch.diagnostics(OLD) == {"previous_message_id": "msg_1"}


@pytest.mark.parametrize(
    ("ttl", "now", "model", "cached", "why"),
    [
        ("5m", 100.0, MODEL, 50_000, ""),
        ("5m", 420.0, MODEL, 0, "cold since 2 min"),
        ("1h", 420.0, MODEL, 50_000, ""),
        ("5m", 100.0, OTHER, 0, f"{OLD} has read nothing of it yet"),
        (None, 100.0, MODEL, 0, "caching is off"),
    ],
)
def test_what_a_send_takes(ttl: CacheTtl | None, now: float, model: ModelInfo, cached: int, why: str) -> None:
    watch = CacheWatch(ttl)
    step(watch, 0, 50_000)
    price = watch.price_of_send(60_000, model, now)
    assert (price.cached_tokens, price.fresh_tokens, price.why_cold) == (cached, 60_000 - cached, why)
    assert model.prices is not None
    rates = model.prices.base
    anew = {"5m": rates.cache_write_5m, "1h": rates.cache_write_1h, None: rates.input}[ttl]
    assert price.cost_usd is not None
    assert isclose(price.cost_usd, (cached * rates.cache_read + (60_000 - cached) * anew) / 1e6)


def test_what_a_send_takes_before_and_after_changes() -> None:
    watch = CacheWatch()
    assert watch.price_of_send(10_000, MODEL, 0.0).why_cold == "nothing was sent yet"
    step(watch, 0, 50_000)
    watch.announce("compaction")
    assert watch.price_of_send(10_000, MODEL, 0.0).why_cold == "changed since: compaction"
    unknown = ModelInfo(id="local", is_known=False)
    assert watch.price_of_send(10_000, unknown, 0.0).cost_usd is None
