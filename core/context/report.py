"""What fills the window, for the user to see: a pure function of the conversation and of what stands before it.

How much is used is the API's count; estimates only divide it among the parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.context.budget import context_limits, reserve_of, window_of
from core.context.microcompact import stale_results
from core.context.tokens import BYTES_PER_TOKEN, count_tokens, estimate, estimate_block
from core.llm.catalog import ModelInfo
from core.prompt.agent_news import agents_in
from core.prompt.sections import template
from core.protocol.context_views import (
    BreakerState,
    ContextItem,
    ContextPart,
    ContextReport,
    PartKind,
    SendPrice,
)
from core.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    OtherBlock,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
    is_thinking,
    referred_tools,
)
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.settings.schema import Settings

BIGGEST = 5
RECENT_TURNS = 5
"""Turns that the forecast is made from."""
MAX_NAME = 60
MCP = "mcp__"
COMPACT = "/compact"
CLEARED = "old result: cleared when the window fills up"
CONTEXT_TEMPLATES = ("context", "news_instructions", "more_instructions")
FILE_TEMPLATES = {"restored_file": "Restored files", "mention": "Mentioned files"}
"""How files are given to the model unasked, and the part of the window that they are."""
FILE_HEAD = re.compile(r"^From (.+):$", re.MULTILINE)
"""How an instruction file is introduced to the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a report is made from."""

    model: ModelInfo
    settings: Settings
    system: SystemPrompt
    tools: Sequence[Mapping[str, Any]]
    """In the API's form."""
    messages: tuple[Message, ...]
    known: int = 0
    """Tokens behind the newest response, as the API counted them; 0 where it has not."""
    last: Usage = field(default_factory=Usage)
    breaker: BreakerState = "closed"
    failures: int = 0
    can_undo: bool = False
    warm_until: float | None = None
    next_send: SendPrice | None = None


@dataclass(frozen=True, slots=True)
class _Thing:
    """One thing in the window, with its share by estimate."""

    kind: PartKind
    part: str
    tokens: int
    name: str = ""
    remedy: str = ""


def make_report(window: Window) -> ContextReport:
    """The report."""
    things = list(_things(window))
    estimated = sum(thing.tokens for thing in things)
    used = count_tokens(window.messages, window.known, 0) if window.known else estimated
    shares = apportion([thing.tokens for thing in things], used)
    things = [replace(thing, tokens=share) for thing, share in zip(things, shares, strict=True)]
    limits = context_limits(window.model, window.settings)
    per_turn = round(_growth(window.messages) * used / estimated) if estimated else 0
    is_known = bool(limits.autocompact and per_turn)
    return ContextReport(
        model=window.model.id,
        used=used,
        window=window_of(window.model, window.settings),
        limits=limits,
        parts=tuple(_parts(things)),
        biggest=tuple(
            ContextItem(name=thing.name, tokens=thing.tokens, remedy=thing.remedy)
            for thing in sorted(things, key=lambda thing: -thing.tokens)
            if thing.name and thing.tokens
        )[:BIGGEST],
        reserve=reserve_of(window.model),
        breaker=window.breaker,
        failures=window.failures,
        turns_left=max(0, limits.autocompact - used) // per_turn if is_known else None,
        tokens_per_turn=per_turn,
        last=window.last,
        warm_until=window.warm_until,
        next_send=window.next_send,
        can_undo=window.can_undo,
    )


def apportion(weights: Sequence[int], total: int) -> list[int]:
    """Whole numbers in proportion to the weights that add up to ``total``; all of them 0 where no weight is more."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [weight * total // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(weights[at] * total % whole))
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares


def _parts(things: Iterable[_Thing]) -> list[ContextPart]:
    parts: dict[tuple[PartKind, str], ContextPart] = {}
    for thing in things:
        key = thing.kind, thing.part
        before = parts.get(key, ContextPart(kind=thing.kind, name=thing.part, tokens=0))
        parts[key] = replace(before, tokens=before.tokens + thing.tokens, count=before.count + bool(thing.name))
    return sorted(parts.values(), key=lambda part: -part.tokens)


def _things(window: Window) -> Iterator[_Thing]:
    yield _Thing("system", "System prompt", _of_text(window.system.static) + _of_text(window.system.session))
    found = {
        name
        for message in window.messages
        for block in message.content
        if isinstance(block, ToolResultBlock)
        for name in referred_tools(block)
    }
    for tool in window.tools:
        name = str(tool.get("name", ""))
        if tool.get("defer_loading") and name not in found:
            continue
        tokens = _of_text(json.dumps({key: tool[key] for key in tool if key != "defer_loading"}, ensure_ascii=False))
        if name.startswith(MCP):
            yield _Thing("mcp_tools", "MCP tools", tokens, f"Tool {name}", "deny the tool")
        else:
            yield _Thing("tools", "Tools", tokens, f"Tool {name}")
    yield from _of_messages(window.messages)


def _of_messages(messages: tuple[Message, ...]) -> Iterator[_Thing]:
    calls = {call.id: call for message in messages for call in message.tool_uses}
    old = {result.block.tool_use_id for result in stale_results(messages)}
    for message in messages:
        if message.is_meta or message.role == "system":
            yield from _of_program(message)
            continue
        for block in message.content:
            tokens = estimate_block(block)
            if isinstance(block, ToolResultBlock):
                call = calls.get(block.tool_use_id)
                remedy = CLEARED if block.tool_use_id in old else COMPACT
                yield _Thing("results", call.name if call else "Others", tokens, _named_call(call), remedy)
            else:
                part, name = _said(message, block)
                yield _Thing("messages", part, tokens, name, COMPACT)


def _said(message: Message, block: Block) -> tuple[str, str]:
    """The part that a block of a message belongs to, and how it is called."""
    if isinstance(block, ImageBlock):
        return "Images and documents", _line(f"Image {block.label}")
    if isinstance(block, OtherBlock) and block.data.get("type") in ("document", "image"):
        return "Images and documents", _line(f"Document {block.data.get('title') or ''}")
    if message.role == "user":
        return "Your messages", _line(f"Your message: {block.text}") if isinstance(block, TextBlock) else "Your message"
    if is_thinking(block):
        return "Thinking", "A thought"
    if isinstance(block, ToolUseBlock):
        return "Tool calls", f"The call: {_named_call(block)}"
    return "Answers", _line(f"An answer: {block.text}") if isinstance(block, TextBlock) else "An answer"


def _of_program(message: Message) -> Iterator[_Thing]:
    """What the program has told the model: the kinds of agents, the instruction files one by one, and all else."""
    tokens = estimate(message)
    if message.is_summary:
        yield _Thing("messages", "Summaries", tokens, "The summary of what was compacted")
        return
    agents, rest = agents_in(message.text), message.text
    if agents:
        rest = rest[len(agents) :].lstrip()
        here, tokens = apportion([len(agents), len(rest)], tokens)
        yield _Thing("agents", "Kinds of agents", here, "The list of agents", "remove agents' files")
    if rest:
        yield from _told(rest, tokens)


def _told(text: str, tokens: int) -> Iterator[_Thing]:
    heads = [template(name).partition("{instructions}")[0] for name in CONTEXT_TEMPLATES]
    if not text.startswith(tuple(heads)):
        for name, part in FILE_TEMPLATES.items():
            path = _path_in(text, template(name))
            if path:
                yield _Thing("messages", part, tokens, _line(path), COMPACT if name == "mention" else "")
                return
        yield _Thing("messages", "Reminders", tokens, "A reminder", COMPACT)
        return
    pieces = FILE_HEAD.split(text)
    names, bodies = pieces[1::2] or [""], pieces[2::2] or [text]
    for name, share in zip(names, apportion([len(body) for body in bodies], tokens), strict=True):
        called = name or "The instructions"
        yield _Thing("instructions", "Instruction files", share, _line(called), f"shorten {called.rpartition('/')[2]}")


def _path_in(text: str, pattern: str) -> str:
    """The path that a template was filled with; empty for a text of another one."""
    before, _path, rest = pattern.partition("{path}")
    path, found, _content = text.removeprefix(before).partition(rest.partition("{")[0])
    return path if text.startswith(before) and found and "\n" not in path else ""


def _growth(messages: tuple[Message, ...]) -> float:
    """Estimated tokens that one of the recent turns has added on average; 0 where none was answered."""
    turns: list[int] = []
    answered: list[bool] = []
    for message in messages:
        if message.role == "user" and not message.is_meta and message.text:
            turns.append(0)
            answered.append(False)
        if turns:
            turns[-1] += estimate(message)
            answered[-1] |= message.role == "assistant"
    recent = [tokens for tokens, is_answered in zip(turns, answered, strict=True) if is_answered][-RECENT_TURNS:]
    return sum(recent) / len(recent) if recent else 0.0


def _named_call(call: ToolUseBlock | None) -> str:
    """``Read core/engine.py``: the tool, and the first thing that it was told in words."""
    if call is None:
        return "A result"
    words = next((value for value in call.input.values() if isinstance(value, str) and value.strip()), "")
    return _line(f"{call.name} {words}")


def _line(text: str) -> str:
    """The beginning of a text, on one line."""
    short = " ".join(text[: 4 * MAX_NAME].split())
    return short if len(short) <= MAX_NAME else f"{short[: MAX_NAME - 1]}…"


def _of_text(text: str) -> int:
    return round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)
