"""Microcompaction: old results of calls give way to a short marker. Which ones, and what they leave; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.context.tokens import estimate_block
from core.protocol.messages import Message, ToolResultBlock, ToolUseBlock
from core.sessions.changes import has_media

COMPACTABLE = frozenset({"Read", "Bash", "Grep", "Glob", "WebSearch", "WebFetch", "Edit", "Write"})
KEPT_RESULTS = 5
"""So many of the newest stay."""
MIN_SAVED = 20_000
"""Tokens that clearing under pressure must save: it costs one rewrite of the cache."""
MIN_SHARE = 0.3
"""Of the threshold: a window so small that the above could never be saved is content with this."""
MIN_TOKENS = 100
"""Of a result: a smaller one is hardly longer than its marker."""
MARKER = "[Old result cleared to make room."


@dataclass(frozen=True, slots=True)
class OldResult:
    """A result that may be cleared."""

    call: ToolUseBlock
    block: ToolResultBlock
    tokens: int


def stale_results(messages: tuple[Message, ...]) -> list[OldResult]:
    """What goes where that costs nothing: all but the newest ``KEPT_RESULTS``."""
    return _old_results(messages, KEPT_RESULTS)


def pressing_results(messages: tuple[Message, ...], threshold: int) -> list[OldResult]:
    """What goes to make room below a threshold in tokens: as many of the newest stay as can, one at least; empty where
    that is not worth it."""
    for keep in range(KEPT_RESULTS, 0, -1):
        results = _old_results(messages, keep)
        if saving(results) >= min(MIN_SAVED, MIN_SHARE * threshold):
            return results
    return []


def _old_results(messages: tuple[Message, ...], keep: int) -> list[OldResult]:
    """Results that may be cleared, oldest first: neither the newest nor what the model has not read yet."""
    calls: dict[str, ToolUseBlock] = {}
    found: list[OldResult] = []
    read = _read_by_the_model(messages)
    for at, message in enumerate(messages):
        for block in message.content:
            if isinstance(block, ToolUseBlock) and block.name in COMPACTABLE:
                calls.setdefault(block.id, block)
            elif isinstance(block, ToolResultBlock) and block.tool_use_id in calls:
                call = calls.pop(block.tool_use_id)
                found.append(OldResult(call, block, estimate_block(block) if at < read else 0))
    old = found[: max(0, len(found) - keep)]
    return [result for result in old if result.tokens >= MIN_TOKENS and not result.block.shown.startswith(MARKER)]


def saving(results: Iterable[OldResult]) -> int:
    """Tokens that clearing them saves, roughly."""
    return sum(max(0, result.tokens - MIN_TOKENS // 2) for result in results)


def marker(path: Path | None) -> str:
    """What stands in place of a result that is kept in a file; None: there was nothing but an image to keep."""
    if path is None:
        return f"{MARKER} It was an image: read it again if you need it.]"
    return f"{MARKER} It is kept in {path}: Read that file if you need it again.]"


def media_messages(messages: tuple[Message, ...]) -> tuple[str, ...]:
    """Ids of the messages that hold images or documents, without the newest prompt's; with it where it has the only
    ones."""
    holding = [(at, message.id) for at, message in enumerate(messages) if any(map(has_media, message.content))]
    answered = _read_by_the_model(messages)
    older = [message_id for at, message_id in holding if at < answered]
    return tuple(older or [message_id for _at, message_id in holding])


def _read_by_the_model(messages: tuple[Message, ...]) -> int:
    """How many of the messages the model has answered."""
    return next((at + 1 for at in range(len(messages) - 1, -1, -1) if messages[at].role == "assistant"), 0)
