"""From the conversation to what the API accepts: one pure function.

Fields of ours come off, adjacent messages of one role become one, every call has exactly one result right
after it and every result its call, empty text goes, thinking stays byte for byte. Any sequence of messages
gives a valid request, and a longer conversation gives a request of which the shorter one's is a prefix.

A rule that needs one message only belongs into ``_visible``. One that looks further may look from an assistant group
to the user group right after it (``_pair``), and back through ``used``: ``core.query.history`` relies on that, it
normalises only what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, cast

from core.llm.encoding import WireMessage
from core.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    OtherBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    block_to_wire,
    is_thinking,
    referred_tools,
)
from core.query.server_calls import paired_server_calls

MISSING_RESULT = "There is no result: the call was interrupted."
NO_CONTENT = "(no content)"

Group = tuple[Role, list[Block]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the model and the tools of a request let stand in its messages."""

    system: bool
    """Messages of the system inside the conversation."""
    references: frozenset[str] = frozenset()
    """The tools that a result may refer to; a reference to any other would be refused."""


def normalize(messages: Iterable[Message], accepted: Accepted) -> list[dict[str, Any]]:
    """The ``messages`` of a request."""
    return to_wire(start_with_user(grouped(messages, set(), accepted).groups))


@dataclass(frozen=True, slots=True)
class Grouped:
    """Messages as the groups that are sent. ``is_settled``: an assistant group after them leaves them as they are."""

    groups: list[Group]
    is_settled: bool


def grouped(messages: Iterable[Message], used: set[str], accepted: Accepted, *, may_pause: bool = True) -> Grouped:
    """Merge and pair messages. ``used`` holds the ids of the calls before them, and of theirs afterwards.

    ``may_pause``: a server's call at their very end may be one that it goes on with.
    """
    merged, held = _merge(_visible(message, accepted) for message in messages)
    groups, held_later = _merge(_pair(merged, used, may_pause=may_pause))
    ends = [*merged[-1:], *groups[-1:]]
    is_settled = bool(groups) and not held and not held_later and all(role != "assistant" for role, _blocks in ends)
    return Grouped(groups, is_settled)


def to_wire(groups: Iterable[Group]) -> list[dict[str, Any]]:
    """The groups in the API's form."""
    return [
        WireMessage(role=role, content=[_sendable(block_to_wire(block)) for block in blocks]) for role, blocks in groups
    ]


def _sendable(value: Any) -> Any:
    """The same value; a lone surrogate (a file name that is not UTF-8, an odd escape in a call's input) could not
    be sent at all and becomes a replacement character."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    elif isinstance(value, dict):
        return {_sendable(key): _sendable(item) for key, item in cast("dict[str, Any]", value).items()}
    elif isinstance(value, list):
        return [_sendable(item) for item in cast("list[Any]", value)]
    return value


_ALLOWED: dict[Role, tuple[type[Block], ...]] = {
    "user": (TextBlock, ToolResultBlock, ImageBlock, OtherBlock),
    "assistant": (TextBlock, ThinkingBlock, ToolUseBlock, OtherBlock),
    "system": (TextBlock,),
}


def _visible(message: Message, accepted: Accepted) -> Group:
    """The message's role and its blocks without empty text; what is not accepted as it is in another form."""
    blocks = [
        _referring(block, accepted.references) if isinstance(block, ToolResultBlock) else block
        for block in message.content
        if isinstance(block, _ALLOWED[message.role]) and not (isinstance(block, TextBlock) and not block.text.strip())
    ]
    if message.role == "system" and not accepted.system:
        reminders = [
            replace(block, text=f"<system-reminder>\n{block.text}\n</system-reminder>")
            for block in blocks
            if isinstance(block, TextBlock)
        ]
        return "user", list(reminders)
    return message.role, blocks


def _merge(groups: Iterable[Group]) -> tuple[list[Group], list[Block]]:
    """One group for each run of a role, none without blocks; and the system blocks that still wait for a user group.

    A system group stands only behind a user group and before an assistant group: one that comes too early waits
    for the next user group, and a user group behind it joins the one before it.
    """
    merged: list[Group] = []
    held: list[Block] = []
    for role, blocks in groups:
        last = merged[-1][0] if merged else None
        if not blocks:
            continue
        if role == "system" and last in (None, "assistant"):
            held += blocks
        elif role == last:
            merged[-1][1].extend(blocks)
        elif role == "user" and last == "system":
            merged[-2][1].extend(blocks)
        else:
            merged.append((role, list(blocks)))
        if held and role == "user":
            merged.append(("system", held))
            held = []
    return merged, held


def _without_last_thoughts(blocks: list[Block]) -> list[Block]:
    """Thinking that nothing follows in its message cannot be sent."""
    end = len(blocks)
    while end and is_thinking(blocks[end - 1]):
        end -= 1
    return blocks[:end]


def _pair(groups: list[Group], used: set[str], *, may_pause: bool) -> Iterator[Group]:
    """After each assistant group a user group that begins with the results of its calls, in their order.

    A result counts in the group right after its call: one that came later would change what was sent before.
    """
    for (role, blocks), after in zip_longest(groups, groups[1:]):
        if role == "assistant":
            calls, kept = _unique_calls(paired_server_calls(blocks, used, may_pause=may_pause and after is None), used)
            results = _results(after)
            yield role, _without_last_thoughts(kept)
            yield "user", [results.get(call.id) or _missing(call) for call in calls]
        else:
            yield role, [block for block in blocks if not isinstance(block, ToolResultBlock)]


def _results(group: Group | None) -> dict[str, ToolResultBlock]:
    """The first result for each call."""
    found: dict[str, ToolResultBlock] = {}
    for block in group[1] if group else ():
        if isinstance(block, ToolResultBlock):
            found.setdefault(block.tool_use_id, block)
    return found


def _referring(result: ToolResultBlock, references: frozenset[str]) -> ToolResultBlock:
    """The result with only the references that resolve; one that is left with nothing says what it had found."""
    if isinstance(result.content, str):
        return result
    unknown = [name for name in referred_tools(result) if name not in references]
    if not unknown:
        return result
    kept = tuple(
        block
        for block in result.content
        if block.get("type") != "tool_reference" or str(block.get("tool_name")) in references
    )
    return replace(result, content=kept or f"Found: {', '.join(unknown)}.")


def _unique_calls(blocks: list[Block], used: set[str]) -> tuple[list[ToolUseBlock], list[Block]]:
    """The calls of a group, and the group without calls whose id was there before. Adds to ``used``."""
    calls: list[ToolUseBlock] = []
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, ToolUseBlock):
            if block.id in used:
                continue
            used.add(block.id)
            calls.append(block)
        kept.append(block)
    return calls, kept


def _missing(call: ToolUseBlock) -> ToolResultBlock:
    return ToolResultBlock(tool_use_id=call.id, content=MISSING_RESULT, is_error=True)


def start_with_user(groups: list[Group]) -> list[Group]:
    """A request begins with the user's message."""
    if groups and groups[0][0] != "user":
        groups.insert(0, ("user", [TextBlock(text=NO_CONTENT)]))
    return groups
