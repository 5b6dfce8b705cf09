"""Cache breakpoints: where the API is asked to remember the prefix up to here."""

from __future__ import annotations

from typing import Any

from core.protocol.usage import Usage
from core.settings.schema import CacheTtl

UNMARKABLE = frozenset({"thinking", "redacted_thinking"})
"""Block types that the API does not let carry a breakpoint."""
MARKED_MESSAGES = 2
"""With the one on the static system prompt that makes three of the four that are allowed."""

TTL_S: dict[CacheTtl, int] = {"5m": 300, "1h": 3_600}

Wire = dict[str, Any]


def mark_system(blocks: list[dict[str, str]], ttl: CacheTtl) -> list[Wire]:
    """The system blocks with a breakpoint on the first: the tools before it and the static prompt."""
    return [
        {**block, "cache_control": control(ttl)} if index == 0 else dict(block) for index, block in enumerate(blocks)
    ]


def mark_messages(messages: list[Wire], ttl: CacheTtl) -> list[Wire]:
    """The messages with a breakpoint at the end of each of the last two that can carry one."""
    marked = list(messages)
    left = MARKED_MESSAGES
    for index in range(len(marked) - 1, -1, -1):
        if left == 0:
            break
        content = _mark_last(marked[index]["content"], ttl)
        if content is not None:
            marked[index] = {**marked[index], "content": content}
            left -= 1
    return marked


def control(ttl: CacheTtl) -> dict[str, str]:
    """A breakpoint; five minutes is the API's default and is left unsaid."""
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}


def warm_until(sent_at: float, ttl: CacheTtl, usage: Usage) -> float | None:
    """Until when the prefix of a request is remembered, seconds since the epoch; None where nothing of it is."""
    is_cached = usage.cache_read_tokens or usage.cache_write_5m_tokens or usage.cache_write_1h_tokens
    return sent_at + TTL_S[ttl] if is_cached else None


def _mark_last(content: list[Wire], ttl: CacheTtl) -> list[Wire] | None:
    for index in range(len(content) - 1, -1, -1):
        block = content[index]
        if block["type"] not in UNMARKABLE and block.get("text", "x").strip():
            return [*content[:index], {**block, "cache_control": control(ttl)}, *content[index + 1 :]]
    return None
