"""Keeps the window from overflowing: what is done before each request, and when the API says that it is too long.

The order: what is stale goes for nothing, old results go where that is enough, then the conversation is compacted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.context.microcompact import OldResult, marker, media_messages, pressing_results, saving, stale_results
from core.context.revision import clearing
from core.context.tokens import estimate_block
from core.host.files import write_atomic
from core.prompt.cache import TTL_S
from core.protocol.context_events import ResultsCleared
from core.protocol.context_views import ClearReason
from core.protocol.messages import ToolResultBlock
from core.query.compaction import BY_HAND, compact
from core.sessions.changes import has_media
from core.tools.result import result_path

if TYPE_CHECKING:
    from core.query.turn import Query

COMPACTED_FOR = frozenset({"main", "agent"})
"""Whose conversations are compacted. A compaction, or what works beside, never begins one."""


async def make_room(query: Query) -> bool:
    """Before a request: whether it fits now. What was done, and what could not be, is told."""
    if query.source not in COMPACTED_FOR:
        return True
    await _clear_stale(query)
    limits = query.limits
    if limits.autocompact and query.context_tokens() >= limits.autocompact:
        results = pressing_results(query.conversation.messages, limits.autocompact)
        if results:
            await clear(query, results, "pressure")
        if query.context_tokens() >= limits.autocompact and not query.breaker.is_open and can_compact(query):
            await compact(query, "auto")
    return query.context_tokens() < limits.blocking


async def make_room_after_all(query: Query, *, is_body: bool) -> bool:
    """The API has refused the request as too long: whether there is reason to send it again.

    Images and documents go before words; where it was only the body that was too large that may be enough.
    """
    if query.source not in COMPACTED_FOR:
        return False
    media = media_messages(query.conversation.messages)
    if media:
        await _drop_media(query, media)
        if is_body:
            return True
    return (can_compact(query) and await compact(query, "too_long")) or bool(media)


def can_compact(query: Query) -> bool:
    """Whether the model has said anything that a summary could stand for."""
    return any(message.role == "assistant" for message in query.conversation.messages)


def full_hint(query: Query) -> str:
    """What the user can do about a window in which nothing more fits."""
    if not can_compact(query):
        return "It does not fit into the window of this model: send less of it, or a part at a time."
    return BY_HAND if query.breaker.is_open or not query.limits.autocompact else "Use /compact, or /handoff."


async def clear(query: Query, results: list[OldResult], reason: ClearReason) -> None:
    """Keep results in files, and put markers in their place."""
    folder = query.calls.services.output_dir
    paths = await asyncio.to_thread(_keep, results, folder)
    if len(paths) < len(results):
        # The disk takes no more: what is not kept is not cleared either.
        results = results[: len(paths)]
    if not results:
        return
    event = ResultsCleared(
        tool_use_ids=tuple(result.call.id for result in results),
        paths=tuple(str(path or "") for path in paths),
        saved_tokens=saving(results),
        reason=reason,
    )
    texts = {result.call.id: marker(path) for result, path in zip(results, paths, strict=True)}
    _change(query, texts, (), event)


async def _clear_stale(query: Query) -> None:
    """The cache has gone cold since the last response: old results can go, for it is written anew anyway."""
    answers = [message.ts for message in query.conversation.messages if message.role == "assistant"]
    ttl = TTL_S[query.turn.settings.cache_ttl]
    if answers and query.host.clock.time() - answers[-1] > ttl:
        await clear(query, stale_results(query.conversation.messages), "cold")


async def _drop_media(query: Query, message_ids: tuple[str, ...]) -> None:
    blocks = [
        block
        for message in query.conversation.messages
        if message.id in message_ids
        for block in message.content
        if has_media(block)
    ]
    event = ResultsCleared(
        tool_use_ids=tuple(block.tool_use_id for block in blocks if isinstance(block, ToolResultBlock)),
        paths=tuple("" for block in blocks if isinstance(block, ToolResultBlock)),
        saved_tokens=sum(estimate_block(block) for block in blocks),
        reason="too_long",
    )
    _change(query, {}, message_ids, event)


def _change(query: Query, texts: dict[str, str], media_of: Iterable[str], event: ResultsCleared) -> None:
    query.conversation.change(clearing(query.conversation.messages, texts, media_of, event))
    query.watch.announce("old results were cleared")
    query.recount()
    query.publisher.emit(event)
    query.publish_usage(query.context_tokens())


def _keep(results: list[OldResult], folder: Path) -> list[Path | None]:
    """The file of each result, None for one without text; as many as the disk takes."""
    paths: list[Path | None] = []
    for result in results:
        text = result.block.content if isinstance(result.block.content, str) else ""
        path = result_path(folder, f"{result.call.id}-cleared") if text else None
        try:
            if path is not None and not path.exists():
                write_atomic(path, text.encode("utf-8", "surrogatepass"), 0o600)
        except OSError:
            break
        paths.append(path)
    return paths
