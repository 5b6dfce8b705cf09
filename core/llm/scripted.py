"""A model that follows a script: the whole engine runs for real, only the words are given.

For tests and for the offline demo. A script is a function from the request to the next reply.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from core.host.clock import Clock, SystemClock
from core.llm.catalog import ModelInfo
from core.llm.client import (
    BlockChunk,
    BlockStart,
    BlockStop,
    Chunk,
    MessageEnd,
    MessageStart,
    ModelRequest,
)
from core.llm.errors import ModelError
from core.protocol.usage import Usage

PIECE_CHARS = 24
"""Characters of one delta."""
BYTES_PER_TOKEN = 3.6


@dataclass(slots=True)
class Reply:
    """What the model says once. ``blocks`` are in the API's form; ``error`` is raised after them.

    ``gates`` maps a block's index to an event that is waited for before that block begins.
    """

    blocks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stop_reason: str = ""
    usage: Usage | None = None
    error: ModelError | None = None
    gates: dict[int, asyncio.Event] = field(default_factory=dict[int, asyncio.Event])
    pace_s: float | None = None
    """The pause between two deltas; None: that of the model."""


Script = Callable[[ModelRequest], Reply]


def say(text: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": text}


def think(text: str) -> dict[str, Any]:
    """A thinking block with a signature of our own."""
    return {"type": "thinking", "thinking": text, "signature": f"scripted-{len(text)}"}


def call(name: str, tool_id: str, **arguments: Any) -> dict[str, Any]:
    """A tool_use block."""
    return {"type": "tool_use", "id": tool_id, "name": name, "input": arguments}


def in_order(replies: Iterable[Reply]) -> Script:
    """The replies one after the other; a request past the last one fails."""
    remaining = list(replies)

    def script(_request: ModelRequest) -> Reply:
        if not remaining:
            return Reply(error=ModelError("invalid", "The script has no further reply."))
        return remaining.pop(0)

    return script


class ScriptedModel:
    """A ``ModelClient`` that plays a script. ``pace_s`` is the pause between two deltas; 0 for tests."""

    def __init__(self, script: Script, *, pace_s: float = 0.0, clock: Clock | None = None) -> None:
        self._script = script
        self._pace_s = pace_s
        self._clock = clock or SystemClock()
        self._count = 0
        self.requests: list[ModelRequest] = []
        self.prewarmed: list[ModelRequest] = []

    async def stream(self, request: ModelRequest) -> AsyncIterator[Chunk]:
        """Play the next reply."""
        self._count += 1
        self.requests.append(request)
        reply = self._script(request)
        usage = reply.usage or self._estimate(request, reply)
        yield MessageStart(f"msg_scripted_{self._count:04d}", request.model, usage)
        for index, block in enumerate(reply.blocks):
            if index in reply.gates:
                await reply.gates[index].wait()
            pace_s = self._pace_s if reply.pace_s is None else reply.pace_s
            async for chunk in self._block(index, block, pace_s):
                yield chunk
        if reply.error:
            raise reply.error
        has_calls = any(block["type"] == "tool_use" for block in reply.blocks)
        yield MessageEnd(reply.stop_reason or ("tool_use" if has_calls else "end_turn"), usage)

    def warm_up(self) -> None:
        """Nothing takes long here."""

    async def prewarm(self, request: ModelRequest) -> Usage:
        """Nothing is cached here."""
        self.prewarmed.append(request)
        return Usage()

    async def describe(self, model_id: str) -> ModelInfo | None:
        """Nothing beyond the catalog."""
        return None

    async def count(self, request: ModelRequest) -> int | None:
        """As many as a reply would count."""
        return _tokens([request.system, request.tools, request.messages])

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _block(self, index: int, block: dict[str, Any], pace_s: float) -> AsyncIterator[Chunk]:
        match block["type"]:
            case "text" | "thinking" as kind:
                yield BlockStart(index, {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})})
                async for chunk in self._pieces(index, kind, block[kind], pace_s):
                    yield chunk
                if kind == "thinking":
                    yield BlockChunk(index, "signature", block["signature"])
            case "tool_use":
                yield BlockStart(index, {**block, "input": {}})
                raw = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
                async for chunk in self._pieces(index, "input", raw, pace_s):
                    yield chunk
            case _:
                yield BlockStart(index, dict(block))
        yield BlockStop(index)

    async def _pieces(self, index: int, field_name: Any, text: str, pace_s: float) -> AsyncIterator[Chunk]:
        for start in range(0, len(text), PIECE_CHARS):
            yield BlockChunk(index, field_name, text[start : start + PIECE_CHARS])
            # Even at no pace the loop must get a turn, as it does with a real stream.
            await self._clock.sleep(pace_s)

    def _estimate(self, request: ModelRequest, reply: Reply) -> Usage:
        """Counts as a server with a warm cache would give them: all but the newest message read from it."""
        prefix = _tokens([request.system, request.tools, request.messages[:-1]])
        fresh = _tokens(request.messages[-1:])
        output = _tokens(reply.blocks)
        if self._count == 1:
            return Usage(cache_write_5m_tokens=prefix + fresh, output_tokens=output)
        return Usage(cache_read_tokens=prefix, cache_write_5m_tokens=fresh, output_tokens=output)


def _tokens(value: Any) -> int:
    return round(len(json.dumps(value)) / BYTES_PER_TOKEN)
