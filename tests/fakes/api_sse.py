"""Turns a reply into what goes over the wire: a plan of stream events, pauses and endings, or one JSON message.

The plan is plain data; only the server carries it out. Events, ids and usage have the form of the late-2026 API.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tests.fakes.api_call import Call
from tests.fakes.api_canon import BYTES_PER_TOKEN, Json, make_item
from tests.fakes.api_models import thinking_is_on, thinking_is_shown
from tests.fakes.api_script import Block, Reply
from tests.fakes.api_shapes import BLOCKS
from tests.fakes.api_signing import Prefix, digest


@dataclass(frozen=True)
class Emit:
    """Send one event."""

    name: str
    data: Json


@dataclass(frozen=True)
class Raw:
    """Send one event whose data is no JSON."""

    name: str
    data: str


@dataclass(frozen=True)
class Pause:
    """Wait for a time."""

    seconds: float


@dataclass(frozen=True)
class Beat:
    """Wait until so long after the beat before, or after the start of the stream."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Wait for an event to be set."""

    gate: asyncio.Event


@dataclass(frozen=True)
class End:
    """Stop streaming in some other way than after `message_stop`."""

    how: Literal["close", "reset", "stall"]


Step = Emit | Raw | Pause | Beat | Hold | End


@dataclass(frozen=True)
class Wire:
    """A block ready to be sent: how it opens, its deltas, and what a complete response shows."""

    source: Block
    opening: Json
    deltas: tuple[Json, ...]
    whole: Json
    tokens: int


def _chunks(words: str, size: int) -> list[str]:
    return [words[at : at + size] for at in range(0, len(words), max(1, size))]


def _tool_json(reply: Reply, block: Block) -> str:
    """The input as the model writes it, spoilt if the fault says so."""
    written = json.dumps(block.input, ensure_ascii=False)
    last = next((other for other in reversed(reply.blocks) if other.kind == "tool_use"), None)
    kind = reply.fault.kind if reply.fault and block is last else ""
    if kind == "malformed_tool_json":
        return written[:-1] + ', "oops: }'
    return written[: len(written) // 2] if kind == "truncated_tool_json" else written


class Wiring:
    """Builds the wire form of a reply's blocks, signing thinking in place."""

    def __init__(self, call: Call, reply: Reply, nonce: str) -> None:
        self._call = call
        self._reply = reply
        self._nonce = nonce
        self._shown = thinking_is_shown(call.model, call.thinking)
        self._prefix = Prefix()
        for item in call.items:
            self._prefix.advance(item)

    def blocks(self) -> list[Wire]:
        """The blocks in order; thinking is left out when the request turned it off."""
        thinks = thinking_is_on(self._call.model, self._call.thinking)
        wires: list[Wire] = []
        for block in self._reply.blocks:
            if block.kind in {"thinking", "redacted_thinking"} and not thinks:
                continue
            wire = self._wire(block, len(wires))
            self._prefix.advance(make_item("messages", "reply", "assistant", wire.whole))
            wires.append(wire)
        return wires

    def _wire(self, block: Block, index: int) -> Wire:
        size = self._reply.chunk_size
        if block.kind == "text":
            deltas: list[Json] = [{"type": "text_delta", "text": part} for part in _chunks(block.text, size)]
            deltas += [{"type": "citations_delta", "citation": citation} for citation in block.citations]
            cited = {"citations": block.citations} if block.citations else {}
            return _finish(block, {"type": "text", "text": ""}, deltas, {"type": "text", "text": block.text, **cited})
        if block.kind == "thinking":
            shown = block.text if self._shown else ""
            seal = self._seal(shown)
            deltas = [{"type": "thinking_delta", "thinking": part} for part in _chunks(shown, size)]
            deltas.append({"type": "signature_delta", "signature": seal})
            opening = {"type": "thinking", "thinking": "", "signature": ""}
            return _finish(block, opening, deltas, {**opening, "thinking": shown, "signature": seal})
        if block.kind in ("tool_use", "server_tool_use"):
            written = _tool_json(self._reply, block)
            opening = {
                "type": block.kind,
                "id": block.id or f"toolu_{digest(self._nonce, self._prefix.value, str(index))[:24]}",
                "name": block.name,
                "input": {},
                "caller": {"type": "direct"},
            }
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in ["", *_chunks(written, size)]]
            spoilt = written != json.dumps(block.input, ensure_ascii=False)
            return _finish(block, opening, deltas, {**opening, "input": {} if spoilt else block.input})
        raw = block.raw if block.kind == "raw" else {"type": "redacted_thinking", "data": self._seal("")}
        if raw["type"] not in BLOCKS:
            self._call.state.issued_kinds.add(str(raw["type"]))
        return _finish(block, raw, [], raw)

    def _seal(self, shown: str) -> str:
        return self._call.state.signer.sign(self._call.model.family, self._prefix, shown)


def _finish(block: Block, opening: Json, deltas: list[Json], whole: Json) -> Wire:
    size = len((block.text or json.dumps(block.input) or "").encode("utf-8", "surrogatepass"))
    return Wire(block, opening, tuple(deltas), whole, math.ceil(size / BYTES_PER_TOKEN))


@dataclass(frozen=True)
class Envelope:
    """What surrounds the blocks."""

    message_id: str
    model: str
    usage: Json
    diagnostics: Json | None


def _thought(wires: list[Wire]) -> int:
    return sum(wire.tokens for wire in wires if wire.source.kind in {"thinking", "redacted_thinking"})


def _message(envelope: Envelope, content: list[Json], usage: Json) -> Json:
    return {
        "id": envelope.message_id,
        "type": "message",
        "role": "assistant",
        "model": envelope.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "diagnostics": envelope.diagnostics,
        "usage": {**usage, "service_tier": "standard"},
    }


def _final_usage(envelope: Envelope, reply: Reply, wires: list[Wire]) -> Json:
    counts = {key: value for key, value in envelope.usage.items() if key != "cache_creation"}
    return {
        **counts,
        "output_tokens": sum(wire.tokens for wire in wires),
        "output_tokens_details": {"thinking_tokens": _thought(wires)},
        **{key: value for key, value in reply.usage.items() if key != "cache_creation"},
    }


def complete_message(envelope: Envelope, reply: Reply, wires: list[Wire]) -> Json:
    """The answer to a request without streaming."""
    usage = {**envelope.usage, **_final_usage(envelope, reply, wires), **reply.usage}
    ending = {
        "stop_reason": reply.reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": reply.stop_details,
    }
    return {**_message(envelope, [wire.whole for wire in wires], usage), **ending}


def _block_steps(reply: Reply, index: int, wire: Wire) -> Iterator[Step]:
    if wire.source.delay_before:
        yield Pause(wire.source.delay_before)
    start = {"type": "content_block_start", "index": index, "content_block": wire.opening}
    yield Emit("content_block_start", start)
    for delta in wire.deltas:
        if reply.delay_between:
            yield (Beat if reply.is_paced else Pause)(reply.delay_between)
        yield Emit("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})
    yield Emit("content_block_stop", {"type": "content_block_stop", "index": index})
    if wire.source.delay_after:
        yield Pause(wire.source.delay_after)
    if wire.source.gate:
        yield Hold(wire.source.gate)


def _sound_steps(envelope: Envelope, reply: Reply, wires: list[Wire]) -> Iterator[Step]:
    usage = {**envelope.usage, "output_tokens": 1, **reply.usage}
    yield Emit("message_start", {"type": "message_start", "message": _message(envelope, [], usage)})
    yield Emit("ping", {"type": "ping"})
    for index, wire in enumerate(wires):
        yield from _block_steps(reply, index, wire)
    delta = {
        "stop_reason": reply.reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": reply.stop_details,
    }
    final = _final_usage(envelope, reply, wires)
    yield Emit("message_delta", {"type": "message_delta", "delta": delta, "usage": final})
    yield Emit("message_stop", {"type": "message_stop"})


def stream_plan(envelope: Envelope, reply: Reply, wires: list[Wire]) -> Iterator[Step]:
    """The whole stream, cut short where the fault wants it."""
    fault = reply.fault
    endings: dict[str, list[Step]] = {
        "reset_after": [End("reset")],
        "silent_end": [End("close")],
        "stall": [End("stall")],
    }
    if fault and fault.kind == "sse_error":
        error = {"type": fault.error_type, "message": fault.message}
        endings["sse_error"] = [Emit("error", {"type": "error", "error": error}), End("close")]
    if fault and fault.kind == "garbled":
        endings["garbled"] = [Raw(fault.error_type, fault.message), End("close")]
    ending = endings.get(fault.kind) if fault else None
    sent = 0
    for step in _sound_steps(envelope, reply, wires):
        if fault and ending and sent >= fault.after and isinstance(step, Emit):
            yield from ending
            return
        yield step
        sent += isinstance(step, Emit)
    yield from ending or ()


def prewarm_reply(reply: Reply) -> Reply:
    """The answer to `max_tokens: 0`: nothing, stopped at the limit."""
    return replace(reply, blocks=[], stop_reason="max_tokens")
