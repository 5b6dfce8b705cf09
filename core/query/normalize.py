"""From the conversation to what the API accepts: one pure function.

Fields of ours come off, adjacent messages of one role become one, every call has exactly one result right
after it and every result its call, empty text goes, thinking stays byte for byte. Any sequence of messages
gives a valid request, and a longer conversation gives a request of which the shorter one's is a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

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
)

MISSING_RESULT = "There is no result: the call was interrupted."
NO_CONTENT = "(no content)"

Group = tuple[Role, list[Block]]


def normalize(messages: Iterable[Message], *, takes_system: bool) -> list[dict[str, Any]]:
    """The ``messages`` of a request. ``takes_system``: the model takes system messages inside the conversation."""
    groups = _merge(_visible(message, takes_system) for message in messages)
    groups = _start_with_user(_merge(_pair(groups)))
    return [{"role": role, "content": [_sendable(block_to_wire(block)) for block in blocks]} for role, blocks in groups]


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


def _visible(message: Message, takes_system: bool) -> Group:
    """The message's role and its blocks without empty text; a system message in the form the model takes."""
    blocks = [
        block
        for block in message.content
        if isinstance(block, _ALLOWED[message.role]) and not (isinstance(block, TextBlock) and not block.text.strip())
    ]
    if message.role == "system" and not takes_system:
        reminders = [
            replace(block, text=f"<system-reminder>\n{block.text}\n</system-reminder>")
            for block in blocks
            if isinstance(block, TextBlock)
        ]
        return "user", list(reminders)
    return message.role, blocks


def _merge(groups: Iterable[Group]) -> list[Group]:
    """One group for each run of a role, none without blocks.

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
    return merged


def _without_last_thoughts(blocks: list[Block]) -> list[Block]:
    """Thinking that nothing follows in its message cannot be sent."""
    end = len(blocks)
    while end and is_thinking(blocks[end - 1]):
        end -= 1
    return blocks[:end]


def _pair(groups: list[Group]) -> list[Group]:
    """After each assistant group a user group that begins with the results of its calls, in their order."""
    paired: list[Group] = []
    results = _results(groups)
    used: set[str] = set()
    for role, blocks in groups:
        if role == "assistant":
            calls, kept = _unique_calls(blocks, used)
            paired.append((role, _without_last_thoughts(kept)))
            paired.append(("user", [results.get(call.id) or _missing(call) for call in calls]))
        else:
            paired.append((role, [block for block in blocks if not isinstance(block, ToolResultBlock)]))
    return paired


def _results(groups: list[Group]) -> dict[str, ToolResultBlock]:
    """The first result for each call."""
    found: dict[str, ToolResultBlock] = {}
    for role, blocks in groups:
        for block in blocks:
            if role == "user" and isinstance(block, ToolResultBlock):
                found.setdefault(block.tool_use_id, block)
    return found


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


def _start_with_user(groups: list[Group]) -> list[Group]:
    """A request begins with the user's message and ends with anything but the model's own."""
    if groups and groups[0][0] != "user":
        groups.insert(0, ("user", [TextBlock(text=NO_CONTENT)]))
    return groups
