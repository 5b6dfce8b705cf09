"""The only place where it is decided how history may change: what is made here stays valid on every model.

Models bind each thought to everything that stood before it when it was written. A thought that would stand behind
something else is refused, so it is left out; models that do not bind keep theirs, for older ones want them back within
a chain of calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.llm.catalog import find_model
from core.protocol.context_events import CompactionFinished, CompactionUndone, ResultsCleared
from core.protocol.messages import Message, ToolResultBlock, is_thinking
from core.sessions.changes import Cleared, Compacted, Held, Undone, applied


def clearing(
    messages: tuple[Message, ...], results: Mapping[str, str], media_of: Iterable[str], event: ResultsCleared
) -> Cleared:
    """Results, and the images and documents of messages, give way."""
    media = tuple(media_of)
    first = next(
        (
            at
            for at, message in enumerate(messages)
            if message.id in media
            or any(isinstance(block, ToolResultBlock) and block.tool_use_id in results for block in message.content)
        ),
        len(messages),
    )
    return Cleared(event=event, results=dict(results), media_of=media, unthought=_displaced(messages[first:]))


def compacting(
    messages: tuple[Message, ...], head: tuple[Message, ...], kept_from: int, event: CompactionFinished
) -> Compacted:
    """A head takes the place of the messages before ``kept_from``."""
    kept = messages[kept_from:]
    return Compacted(event=event, head=head, kept_from=kept[0].id if kept else "", unthought=_displaced(kept))


def shortened(messages: tuple[Message, ...], start: int) -> tuple[Message, ...]:
    """The messages from ``start`` on and without images and documents, for a request that must be shorter; a summary
    of what was before stays."""
    gone = Cleared(
        event=ResultsCleared(tool_use_ids=(), paths=(), saved_tokens=0, reason="too_long"),
        media_of=tuple(message.id for message in messages[start:]),
        unthought=_displaced(messages[start:]),
    )
    summaries = tuple(message for message in messages[:start] if message.is_summary)
    return (*summaries, *applied(Held(messages=messages[start:]), gone).messages)


def undoing(since: tuple[Message, ...], event: CompactionUndone) -> Undone:
    """What stood before the last compaction comes back as it was; what was said ``since`` stands behind it."""
    return Undone(event=event, unthought=_displaced(since))


def _displaced(messages: Iterable[Message]) -> tuple[str, ...]:
    """Those whose thoughts would no longer stand where they were written."""
    return tuple(
        message.id
        for message in messages
        if find_model(message.model).binds_thinking and any(is_thinking(block) for block in message.content)
    )
