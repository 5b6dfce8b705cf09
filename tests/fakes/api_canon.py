"""One canonical, flat form of a request, for hashing, counting and comparing.

A request becomes a sequence of items: tools, then system blocks, then the blocks of every message. Cache markers
and null fields do not count, a string is one text block, and consecutive messages of one role are one run, so how
a client cuts its messages never matters. Unreferenced deferred tools are absent: a definition enters the sequence
where a `tool_reference` brings it in. The order of keys inside a tool's input or schema does count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

Json = dict[str, Any]
Section = Literal["tools", "system", "messages"]

BYTES_PER_TOKEN = 3.6
ATTACHMENT_TOKENS = 1600
THINKING = frozenset({"thinking", "redacted_thinking"})


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def blocks_of(content: Any) -> list[Json]:
    """The content as blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if is_object(block)] if is_array(content) else []


def nested_blocks(block: Json) -> list[Json]:
    """The blocks inside a tool result or a document made of blocks."""
    if block.get("type") == "tool_result":
        return blocks_of(block.get("content") or [])
    source = block.get("source")
    if block.get("type") == "document" and is_object(source) and source.get("type") == "content":
        return blocks_of(source.get("content") or [])
    return []


def markers(block: Json) -> list[Json]:
    """The cache markers on a block and on the blocks inside it."""
    candidates = [*(inner.get("cache_control") for inner in nested_blocks(block)), block.get("cache_control")]
    return [marker for marker in candidates if is_object(marker)]


def canonical_block(block: Json) -> Json:
    """The block without markers, nulls and spelled-out defaults, its own keys in a fixed order."""
    kept: Json = {key: block[key] for key in sorted(block) if block[key] is not None and key != "cache_control"}
    if kept.get("caller") == {"type": "direct"}:
        del kept["caller"]
    if kept.get("is_error") is False:
        del kept["is_error"]
    if block.get("type") == "tool_result":
        kept["content"] = [canonical_block(inner) for inner in nested_blocks(block)]
    elif nested_blocks(block):
        kept["source"] = {"type": "content", "content": [canonical_block(inner) for inner in nested_blocks(block)]}
    return kept


def dump(value: object) -> str:
    """Compact JSON that keeps the order of keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Item:
    """One place in the flat form: where it came from, the block as sent and its canonical text."""

    section: Section
    path: str
    role: str
    block: Json
    text: str
    tokens: int

    @property
    def is_thinking(self) -> bool:
        """Whether this is a thinking block, shown or redacted."""
        return self.section == "messages" and self.block.get("type") in THINKING


def _attachments(block: Json) -> Iterator[str]:
    source = block.get("source")
    if is_object(source) and source.get("type") == "base64":
        yield str(source.get("data", ""))
    for inner in nested_blocks(block):
        yield from _attachments(inner)


def make_item(section: Section, path: str, role: str, block: Json, expanded: tuple[Json, ...] = ()) -> Item:
    """An item for one block; `expanded` are tool definitions that the block brings in."""
    text = dump([role, canonical_block(block), *(canonical_block(tool) for tool in expanded)])
    attached = list(_attachments(block))
    size = len(text.encode("utf-8", "surrogatepass")) - sum(len(data) for data in attached)
    tokens = math.ceil(size / BYTES_PER_TOKEN) + ATTACHMENT_TOKENS * len(attached)
    return Item(section, path, role, block, text, tokens)


def references_in(block: Json) -> list[str]:
    """The tool names a result refers to."""
    found = [inner for inner in nested_blocks(block) if inner.get("type") == "tool_reference"]
    content = block.get("content")
    if block.get("type") == "tool_search_tool_result" and is_object(content):
        found += blocks_of(content.get("tool_references") or [])
    return [str(reference.get("tool_name")) for reference in found]


def tool_name(tool: Json) -> str:
    """The tool's name; a toolset goes by its type."""
    return str(tool.get("name", tool.get("type", "")))


def items_of(body: Json) -> list[Item]:
    """The whole request, flat, in the order in which the cache sees it."""
    tools = blocks_of(body.get("tools") or [])
    deferred = {tool_name(tool): tool for tool in tools if tool.get("defer_loading")}
    items = [
        make_item("tools", f"tools.{index}", "tool", tool)
        for index, tool in enumerate(tools)
        if not tool.get("defer_loading")
    ]
    for index, block in enumerate(blocks_of(body.get("system") or [])):
        items.append(make_item("system", f"system.{index}", "prompt", block))
    for number, message in enumerate(blocks_of(body.get("messages") or [])):
        for index, block in enumerate(blocks_of(message.get("content"))):
            named = references_in(block)
            expanded = tuple(deferred[name] for name in named if name in deferred)
            path = f"messages.{number}.content.{index}"
            items.append(make_item("messages", path, str(message.get("role")), block, expanded))
    return items


def count_tokens(items: list[Item]) -> int:
    """The estimated size of the prompt."""
    return sum(item.tokens for item in items)


@dataclass(frozen=True)
class Turn:
    """Consecutive messages of one role, combined, with the place each block came from."""

    role: str
    start: int
    items: tuple[Item, ...]


def turns_of(body: Json, items: list[Item]) -> list[Turn]:
    """User and assistant turns; system-role messages stand outside them."""
    by_message: dict[int, list[Item]] = {}
    for item in items:
        if item.section == "messages":
            by_message.setdefault(int(item.path.split(".")[1]), []).append(item)
    turns: list[Turn] = []
    for number, message in enumerate(blocks_of(body.get("messages") or [])):
        role = str(message.get("role"))
        mine = tuple(by_message.get(number, ()))
        if role == "system":
            continue
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, turns[-1].start, turns[-1].items + mine)
        else:
            turns.append(Turn(role, number, mine))
    return turns
