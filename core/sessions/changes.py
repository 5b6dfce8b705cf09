"""Changes of what the model reads of a conversation. Nothing else changes a message that was sent.

Each is plain data: applied to the conversation when it is made, written down, and applied again when the transcript is
read back. The originals stay in the transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal, cast

from core.protocol.codec import from_json, to_json
from core.protocol.context_events import CompactionFinished, CompactionUndone, ResultsCleared
from core.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    OtherBlock,
    TextBlock,
    ToolResultBlock,
    encoded_in,
    without_thinking,
)

MEDIA_GONE = "[An image or document was here; it was left out to make room.]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Results of calls, and images and documents, gave way to a few words."""

    event: ResultsCleared
    results: dict[str, str] = field(default_factory=dict[str, str])
    """What the model reads in place of a result, by tool_use id."""
    media_of: tuple[str, ...] = ()
    """Ids of the messages whose images and documents are left out."""
    unthought: tuple[str, ...] = ()
    """Ids of the messages that lose their thoughts, because these would stand behind something changed."""
    kind: Literal["microcompact"] = "microcompact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """A head stands in place of all messages before ``kept_from``."""

    event: CompactionFinished
    head: tuple[Message, ...]
    kept_from: str = ""
    """Id of the first message that stays; empty where none does."""
    said: tuple[Message, ...] = ()
    """Prompts of the user in an earlier session that this one goes on from."""
    unthought: tuple[str, ...] = ()
    kind: Literal["compact_boundary"] = "compact_boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The messages before the last compaction are back, and behind them what was said since."""

    event: CompactionUndone
    unthought: tuple[str, ...] = ()
    kind: Literal["compact_undone"] = "compact_undone"


Change = Cleared | Compacted | Undone
_CLASSES: dict[str, type[Change]] = {
    "microcompact": Cleared,
    "compact_boundary": Compacted,
    "compact_undone": Undone,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the model reads, and what the last compaction can be undone to."""

    messages: tuple[Message, ...] = ()
    known_tokens: int = 0
    """In the window behind the newest response, as the API counted it; 0 where it has not since the last change."""
    undoable: tuple[Message, ...] | None = None
    """The messages before the last compaction; None where there is none to undo."""
    compacted: int = 0
    """So many of the messages are what the last compaction left."""
    summary: str = ""
    """What the last compaction has put in place of what was said, also where that was undone."""


def applied(held: Held, change: Change) -> Held:
    """What the model reads after a change."""
    match change:
        case Cleared():
            messages = _stripped(_cleared(held.messages, change), change.unthought)
            # What the model has not answered yet is in no count of the API's.
            is_counted = not any(message.id in change.media_of for message in _unanswered(held.messages))
            known = max(0, held.known_tokens - change.event.saved_tokens) if is_counted else held.known_tokens
            return replace(held, messages=messages, known_tokens=known)
        case Compacted():
            at = next((at for at, message in enumerate(held.messages) if message.id == change.kept_from), None)
            kept = held.messages[at:] if at is not None else ()
            messages = (*change.head, *_stripped(kept, change.unthought))
            summary = change.event.summary
            return Held(messages=messages, undoable=held.messages, compacted=len(messages), summary=summary)
        case Undone():
            since = _stripped(held.messages[held.compacted :], change.unthought)
            return Held(messages=(*(held.undoable or ()), *since), summary=held.summary)


def withdrawn(held: Held, message_ids: Iterable[str]) -> Held:
    """Without some messages at the end, which the model is not to read any more."""
    gone = set(message_ids)
    undoable = held.undoable
    return replace(
        held,
        messages=_without(held.messages, gone),
        undoable=None if undoable is None else _without(undoable, gone),
        compacted=len(_without(held.messages[: held.compacted], gone)),
    )


def unthought(held: Held) -> Held:
    """Without any thought."""
    undoable = held.undoable
    return replace(
        held,
        messages=tuple(without_thinking(message) for message in held.messages),
        undoable=None if undoable is None else tuple(without_thinking(message) for message in undoable),
    )


def change_record(change: Change) -> dict[str, Any]:
    """The change as one record of a transcript: all of it or nothing is on disk."""
    record: dict[str, Any] = {"type": "system", "subtype": change.kind, "change": to_json(change)}
    if isinstance(change, Compacted):
        trigger = "manual" if change.event.trigger == "manual" else "auto"
        record["compactMetadata"] = {"trigger": trigger, "preTokens": change.event.before}
    return record


def read_change(record: Mapping[str, Any]) -> Change | None:
    """The change of a record; None for one that is none. Raises ``ValueError`` or ``KeyError`` for a broken one."""
    cls = _CLASSES.get(str(record.get("subtype")))
    if cls is None or record.get("type") != "system" or "change" not in record:
        return None
    change: Change = from_json(cls, record["change"])
    return change


def has_media(block: Block) -> bool:
    """Whether an image or a document is in the block."""
    if isinstance(block, ToolResultBlock):
        return not isinstance(block.content, str) and any(encoded_in(part) for part in block.content)
    return isinstance(block, ImageBlock) or (isinstance(block, OtherBlock) and bool(encoded_in(block.data)))


def _cleared(messages: tuple[Message, ...], change: Cleared) -> tuple[Message, ...]:
    media_of = frozenset(change.media_of)
    return tuple(_cleared_message(message, change.results, message.id in media_of) for message in messages)


def _cleared_message(message: Message, results: Mapping[str, str], without_media: bool) -> Message:
    if message.role != "user" or not (
        without_media or any(isinstance(b, ToolResultBlock) and b.tool_use_id in results for b in message.content)
    ):
        return message
    content: list[Block] = []
    for block in message.content:
        if isinstance(block, ToolResultBlock) and block.tool_use_id in results:
            block = replace(block, content=results[block.tool_use_id])
        elif without_media and has_media(block):
            block = _without_media(block)
        content.append(block)
    return replace(message, content=tuple(content))


def _without_media(block: Block) -> Block:
    if not isinstance(block, ToolResultBlock):
        return TextBlock(text=MEDIA_GONE)
    parts = cast("tuple[dict[str, Any], ...]", block.content)
    gone = {"type": "text", "text": MEDIA_GONE}
    return replace(block, content=tuple(gone if encoded_in(part) else part for part in parts))


def _unanswered(messages: tuple[Message, ...]) -> Iterator[Message]:
    return takewhile(lambda message: message.role != "assistant", reversed(messages))


def _stripped(messages: tuple[Message, ...], message_ids: Iterable[str]) -> tuple[Message, ...]:
    ids = frozenset(message_ids)
    return tuple(without_thinking(message) if message.id in ids else message for message in messages)


def _without(messages: tuple[Message, ...], gone: set[str]) -> tuple[Message, ...]:
    return tuple(message for message in messages if message.id not in gone)
