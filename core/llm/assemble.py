"""Puts the chunks of a response together into blocks. Pieces are joined once, so the cost is linear."""

from __future__ import annotations

import json
from typing import Any, cast

from core.llm.client import BlockChunk, BlockStart
from core.protocol.messages import (
    Block,
    TextBlock,
    ToolUseBlock,
    block_from_wire,
)


class Assembler:
    """Blocks under construction, by index."""

    def __init__(self) -> None:
        self._open: dict[int, _Partial] = {}

    def start(self, chunk: BlockStart) -> None:
        """Begin a block."""
        self._open[chunk.index] = _Partial(chunk.data)

    def add(self, chunk: BlockChunk) -> None:
        """Add a piece. A piece of a block that never began is dropped."""
        partial = self._open.get(chunk.index)
        if partial is not None:
            partial.add(chunk)

    def stop(self, index: int) -> Block | None:
        """The complete block; None where it never began."""
        partial = self._open.pop(index, None)
        return partial.finish() if partial else None

    def salvage(self) -> list[tuple[int, Block]]:
        """What can be kept of blocks that were cut off, by index: prose only; a thought or a call is not whole."""
        kept: list[tuple[int, Block]] = []
        for index, partial in sorted(self._open.items()):
            block = partial.finish() if partial.kind == "text" else None
            if isinstance(block, TextBlock) and block.text.strip():
                kept.append((index, block))
        self._open.clear()
        return kept

    def forget(self) -> list[int]:
        """Give up every block that has not stopped; their indexes."""
        indexes = self.open_indexes
        self._open.clear()
        return indexes

    @property
    def open_indexes(self) -> list[int]:
        """Blocks that began and have not stopped."""
        return sorted(self._open)


class _Partial:
    """One block under construction."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.kind = str(data.get("type", ""))
        self._data = data
        self._pieces: dict[str, list[str]] = {}
        self._citations: list[Any] = []

    def add(self, chunk: BlockChunk) -> None:
        match chunk.field:
            case "signature":
                self._data["signature"] = chunk.value
            case "citation":
                self._citations.append(chunk.value)
            case _:
                self._pieces.setdefault(chunk.field, []).append(chunk.value)

    def finish(self) -> Block:
        data = dict(self._data)
        for name in ("text", "thinking"):
            if name in self._pieces:
                data[name] = str(data.get(name) or "") + "".join(self._pieces[name])
        if self._citations:
            data["citations"] = [*(data.get("citations") or []), *self._citations]
        if "input" in self._pieces:
            return self._with_input(data, "".join(self._pieces["input"]))
        return block_from_wire(data)

    def _with_input(self, data: dict[str, Any], raw: str) -> Block:
        try:
            value = json.loads(raw or "{}")
        except ValueError as error:
            value, invalid = {}, f"the input is not complete JSON ({error})"
        else:
            invalid = "" if isinstance(value, dict) else "the input is not a JSON object"
        data["input"] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        block = block_from_wire(data)
        if invalid and isinstance(block, ToolUseBlock):
            return ToolUseBlock(id=block.id, name=block.name, input={}, extra=block.extra, invalid=invalid)
        return block
