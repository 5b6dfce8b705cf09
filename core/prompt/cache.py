"""Cache breakpoints: where the API is asked to remember the prefix up to here; and what a prompt costs with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from core.cost.pricing import price
from core.llm.catalog import ModelInfo
from core.protocol.usage import Usage
from core.settings.schema import CacheTtl

UNMARKABLE = frozenset({"thinking", "redacted_thinking"})
"""Block types that the API does not let carry a breakpoint."""
MARKED_MESSAGES = 2
"""The newest so many carry one."""
LOOK_BACK = 20
"""Blocks, its own included, at which the API looks from each breakpoint for something that it remembers."""

TTL_S: dict[CacheTtl, int] = {"5m": 300, "1h": 3_600}

Wire = dict[str, Any]


def mark_system(blocks: Iterable[Wire], ttl: CacheTtl) -> list[Wire]:
    """The system blocks with a breakpoint on the first: the tools before it and the static prompt."""
    return [
        {**block, "cache_control": control(ttl)} if index == 0 else dict(block) for index, block in enumerate(blocks)
    ]


def mark_messages(messages: list[Wire], ttl: CacheTtl) -> list[Wire]:
    """The messages with a breakpoint at the end of each of the last two that can carry one.

    Where these do not reach back to the message before the newest answer, with which the request before ended, that
    one gets the fourth that is allowed: so it is found however many blocks came since.
    """
    marked = list(messages)
    answer = next((at for at in range(len(messages) - 1, -1, -1) if messages[at]["role"] == "assistant"), 0)
    places = list(islice(_markable(messages, len(messages)), MARKED_MESSAGES))
    places += [place for place in islice(_markable(messages, answer), 1) if _is_out_of_reach(messages, place, places)]
    for message, block in places:
        content = list(messages[message]["content"])
        content[block] = {**content[block], "cache_control": control(ttl)}
        marked[message] = {**messages[message], "content": content}
    return marked


def _is_out_of_reach(messages: list[Wire], place: tuple[int, int], places: list[tuple[int, int]]) -> bool:
    """Whether none of the other places finds it."""
    message, block = min(places)
    if (message, block) <= place:
        return False
    between = sum(len(item["content"]) for item in messages[place[0] : message])
    return between + block - place[1] >= LOOK_BACK


def _markable(messages: list[Wire], end: int) -> Iterator[tuple[int, int]]:
    """Where each of the messages before ``end`` can carry a breakpoint, the newest first: message and block."""
    for index in range(end - 1, -1, -1):
        content = messages[index]["content"]
        for at in range(len(content) - 1, -1, -1):
            if content[at]["type"] not in UNMARKABLE and content[at].get("text", "x").strip():
                yield index, at
                break


def control(ttl: CacheTtl) -> dict[str, str]:
    """A breakpoint; five minutes is the API's default and is left unsaid."""
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}


def warm_until(sent_at: float, ttl: CacheTtl, usage: Usage) -> float | None:
    """Until when the prefix of a request is remembered, seconds since the epoch; None where nothing of it is."""
    is_cached = usage.cache_read_tokens or usage.cache_write_5m_tokens or usage.cache_write_1h_tokens
    return sent_at + TTL_S[ttl] if is_cached else None


def prompt_cost(model: ModelInfo, *, cached: int, fresh: int, ttl: CacheTtl | None) -> float | None:
    """USD of sending a prompt of which so many tokens come from the cache and the rest is written to it; nothing is
    where ``ttl`` is None. None where the model's prices are unknown."""
    if ttl is None or cached + fresh < model.cache_min:
        usage = Usage(input_tokens=fresh, cache_read_tokens=cached)
    elif ttl == "1h":
        usage = Usage(cache_write_1h_tokens=fresh, cache_read_tokens=cached)
    else:
        usage = Usage(cache_write_5m_tokens=fresh, cache_read_tokens=cached)
    return price(usage, model.prices)
