"""What is different between two requests, in the order in which the cache reads them. Looked at when it was missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.protocol.context_events import CacheBreakCause
from core.protocol.views import SystemPrompt

Wire = dict[str, Any]
Change = tuple[CacheBreakCause, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All of a request that decides whether it is read from the cache, without its breakpoints."""

    model: str
    system: SystemPrompt
    tools: list[Wire]
    thinking: Wire | None
    output_config: Wire | None
    messages: list[Wire]
    at: float
    """When, seconds since the epoch."""


def first_change(before: Sent, now: Sent, *, reach: int) -> Change | None:
    """The first thing that is not as it was; None where the later request begins with the earlier one.

    ``reach``: so many blocks behind the end of what was sent the server still finds it.
    """
    return next(_changes(before, now, reach), None)


def _changes(before: Sent, now: Sent, reach: int) -> Iterator[Change]:
    if before.model != now.model:
        yield "model", f"the model changed from {before.model} to {now.model}"
    if before.tools != now.tools:
        yield "tools", _changed_tools(before.tools, now.tools)
    if before.system != now.system:
        earlier, later = (
            "\n\n".join(block["text"] for block in system.blocks()) for system in (before.system, now.system)
        )
        yield "system", f"the system text changed at character {_common(earlier, later) + 1:,}"
    if before.thinking != now.thinking:
        yield "parameters", "the thinking parameter changed"
    if before.output_config != now.output_config:
        was, is_ = (
            (config or {}).get("effort") or "the model's own" for config in (before.output_config, now.output_config)
        )
        yield "parameters", f"the effort changed from {was} to {is_}" if was != is_ else "the output format changed"
    yield from _changed_messages(before.messages, now.messages, reach)


def _changed_tools(before: list[Wire], now: list[Wire]) -> str:
    earlier, later = ({str(tool.get("name")): tool for tool in tools} for tools in (before, now))
    changed = [name for name in earlier if name in later and earlier[name] != later[name]]
    parts = [
        f"{'tool' if len(names) == 1 else 'tools'} {', '.join(names)} {what}"
        for what, names in (
            ("added", [name for name in later if name not in earlier]),
            ("removed", [name for name in earlier if name not in later]),
            ("changed", changed),
        )
        if names
    ]
    return "; ".join(parts) or "the order of the tools changed"


def _changed_messages(before: list[Wire], now: list[Wire], reach: int) -> Iterator[Change]:
    at = _common(before, now)
    if at < len(before) - 1 or (at < len(before) and not _grew(before[at], now[at : at + 1])):
        yield "messages", f"message {at + 1} of {len(before)} changed"
    elif at < len(before):
        added = len(now[at]["content"]) - len(before[at]["content"])
        if added >= reach:
            yield "messages", f"message {at + 1} grew by {added} blocks, more than the server looks back"
    images = _images(now[at:]) - _images(before[at:])
    if images:
        yield "messages", "images were added" if images > 0 else "images were removed"


def _grew(before: Wire, now: list[Wire]) -> bool:
    """Whether a message, the last one then, only has more blocks now."""
    if not now or before["role"] != now[0]["role"]:
        return False
    return now[0]["content"][: len(before["content"])] == before["content"]


def _images(messages: list[Wire]) -> int:
    blocks = [block for message in messages for block in message["content"]]
    inside = [inner for block in blocks if isinstance(block.get("content"), list) for inner in block["content"]]
    return sum(block.get("type") == "image" for block in (*blocks, *inside))


def _common(before: str | list[Wire], now: str | list[Wire]) -> int:
    """How many items they begin with in common."""
    pairs = enumerate(zip(before, now, strict=False))
    return next((at for at, (one, other) in pairs if one is not other and one != other), min(len(before), len(now)))
