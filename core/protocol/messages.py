"""Messages and their blocks, as the conversation holds them.

A block keeps what the API sent in fields it does not know (``extra``), and a block of an unknown
type is kept whole, so that everything goes back unchanged. ``Message`` adds what only we need (ids,
times, flags); normalisation (``core.query.normalize``) takes that off before a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

JSON = Any
JSONObject = dict[str, Any]
Role = Literal["user", "assistant", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Plain text."""

    text: str
    extra: JSONObject = field(default_factory=dict[str, Any])
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingBlock:
    """Reasoning with its signature. It must be replayed exactly as it came, empty text included."""

    thinking: str
    signature: str = ""
    extra: JSONObject = field(default_factory=dict[str, Any])
    kind: Literal["thinking"] = "thinking"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUseBlock:
    """A call that the model asks for. ``invalid`` says why the input never parsed; such a call never runs."""

    id: str
    name: str
    input: JSONObject = field(default_factory=dict[str, Any])
    extra: JSONObject = field(default_factory=dict[str, Any])
    invalid: str = ""
    kind: Literal["tool_use"] = "tool_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultBlock:
    """The answer to one call. ``content`` is text, or a tuple of blocks in the API's own form."""

    tool_use_id: str
    content: str | tuple[JSONObject, ...] = ""
    is_error: bool = False
    kind: Literal["tool_result"] = "tool_result"

    @property
    def shown(self) -> str:
        """What people are shown of it: its text, the names of tools, and in place of anything else only what it is."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(
            str(block.get("text") or block.get("tool_name") or f"[{block.get('type', 'block')}]")
            for block in self.content
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBlock:
    """An image of the user's. Name and size are for people and for estimates; the API gets only the rest."""

    media_type: str
    data: str
    """Base64."""
    name: str = ""
    width: int = 0
    """Pixels; 0 where it is not known."""
    height: int = 0
    kind: Literal["image"] = "image"

    @property
    def label(self) -> str:
        """``name.png 640×480``."""
        return f"{self.name} {self.width}×{self.height}" if self.width and self.height else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBlock:
    """Any other block (document, redacted thinking, server tools, what is yet to come), in the API's form."""

    data: JSONObject
    kind: Literal["other"] = "other"


Block = TextBlock | ThinkingBlock | ToolUseBlock | ToolResultBlock | ImageBlock | OtherBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a conversation."""

    id: str
    role: Role
    content: tuple[Block, ...]
    ts: float = 0.0
    """Seconds since the epoch."""
    is_meta: bool = False
    """Written by the program, not by the user: never shown as the user's words."""
    is_summary: bool = False
    """Stands for what was compacted."""
    model: str = ""
    stop_reason: str = ""

    @property
    def text(self) -> str:
        """The text blocks joined by newlines."""
        return "\n".join(block.text for block in self.content if isinstance(block, TextBlock))

    @property
    def tool_uses(self) -> tuple[ToolUseBlock, ...]:
        """The calls in block order."""
        return tuple(block for block in self.content if isinstance(block, ToolUseBlock))


def is_thinking(block: Block) -> bool:
    """Whether the block is a thought, shown or redacted."""
    return isinstance(block, ThinkingBlock) or (
        isinstance(block, OtherBlock) and block.data.get("type") == "redacted_thinking"
    )


def without_thinking(message: Message) -> Message:
    """The message without its thoughts; the same one where it has none."""
    kept = tuple(block for block in message.content if not is_thinking(block))
    return message if len(kept) == len(message.content) else replace(message, content=kept)


def referred_tools(result: ToolResultBlock) -> list[str]:
    """The tools that a result brings in by their names."""
    if isinstance(result.content, str):
        return []
    return [str(block.get("tool_name")) for block in result.content if block.get("type") == "tool_reference"]


def block_to_wire(block: Block) -> JSONObject:
    """The block in the API's form (a new dict; nested values are shared and must not be changed)."""
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text, **block.extra}
        case ThinkingBlock():
            return {
                "type": "thinking",
                "thinking": block.thinking,
                "signature": block.signature,
                **block.extra,
            }
        case ToolUseBlock():
            return {
                "type": "tool_use",
                "id": block.id,
                "name": block.name,
                "input": block.input,
                **block.extra,
            }
        case ToolResultBlock():
            # For a call that failed the API takes nothing but text.
            as_text = isinstance(block.content, str) or block.is_error
            content: JSON = block.shown if as_text else list(block.content)
            wire: JSONObject = {"type": "tool_result", "tool_use_id": block.tool_use_id, "content": content}
            if block.is_error:
                wire["is_error"] = True
            return wire
        case ImageBlock():
            source: JSONObject = {"type": "base64", "media_type": block.media_type, "data": block.data}
            return {"type": "image", "source": source}
        case OtherBlock():
            return dict(block.data)


def encoded_in(block: Mapping[str, Any]) -> str:
    """The base64 of an image or a document in the API's form; empty where there is none."""
    if block.get("type") not in ("image", "document") or not isinstance(block.get("source"), dict):
        return ""
    data = cast(JSONObject, block["source"]).get("data")
    return data if isinstance(data, str) and block["source"].get("type") == "base64" else ""


def block_from_wire(data: Mapping[str, Any]) -> Block:
    """The block that ``block_to_wire`` turns back into the same JSON. Nulls of optional fields are dropped."""
    rest: JSONObject = {key: value for key, value in data.items() if value is not None}
    kind = rest.pop("type", "")
    if kind == "text" and isinstance(rest.get("text"), str):
        return TextBlock(text=rest.pop("text"), extra=rest)
    if kind == "thinking" and isinstance(rest.get("thinking"), str):
        return ThinkingBlock(thinking=rest.pop("thinking"), signature=rest.pop("signature", ""), extra=rest)
    if kind == "tool_use" and isinstance(rest.get("input"), dict) and "id" in rest and "name" in rest:
        return ToolUseBlock(id=rest.pop("id"), name=rest.pop("name"), input=rest.pop("input"), extra=rest)
    if kind == "tool_result" and "tool_use_id" in rest:
        return _result_from_wire(rest)
    if kind == "image" and rest.keys() == {"source"} and _is_plain_image(rest["source"]):
        return ImageBlock(media_type=rest["source"]["media_type"], data=rest["source"]["data"])
    return OtherBlock(data={"type": kind, **rest})


def _is_plain_image(source: JSON) -> bool:
    """Whether a source says nothing that an ``ImageBlock`` could not keep."""
    if not isinstance(source, dict):
        return False
    fields = cast(JSONObject, source)
    return (
        fields.keys() == {"type", "media_type", "data"}
        and fields["type"] == "base64"
        and all(isinstance(value, str) for value in fields.values())
    )


def _result_from_wire(rest: JSONObject) -> ToolResultBlock:
    content = rest.get("content", "")
    if not isinstance(content, str):
        content = tuple(cast(Sequence[JSONObject], content))
    return ToolResultBlock(tool_use_id=rest["tool_use_id"], content=content, is_error=bool(rest.get("is_error", False)))
