"""A tool that a test holds in its hand: it waits for a gate, then answers or raises."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import cached_property
from typing import Any, ClassVar

import pytest

from core.engine import wiring
from core.permissions.access import Access
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class GateInput(ToolInput):
    name: str
    safe: bool = True
    error: str = ""


class Gate(Tool[GateInput]):
    """Waits until the gate of its name is opened; then answers, or raises what it was told to."""

    name = "Gate"
    input_type = GateInput
    gates: ClassVar[defaultdict[str, asyncio.Event]]
    running: ClassVar[list[str]]
    most: ClassVar[int]
    order: ClassVar[list[str]]
    completed: ClassVar[list[str]]
    """Calls that got through: what they do is done."""
    changed: ClassVar[asyncio.Event]

    @cached_property
    def description(self) -> str:
        return "Waits."

    def is_read_only(self, arguments: GateInput, state: ToolState) -> bool:
        return arguments.safe

    def check_permissions(self, arguments: GateInput, context: ToolContext) -> Access:
        return Access(verdict="allow", reason="a test")

    async def run(self, arguments: GateInput, context: ToolContext) -> ToolResult:
        kind = type(self)
        kind.running.append(arguments.name)
        kind.order.append(arguments.name)
        kind.most = max(kind.most, len(kind.running))
        kind.changed.set()
        try:
            await kind.gates[arguments.name].wait()
            if arguments.error:
                raise RuntimeError(arguments.error)
        finally:
            kind.running.remove(arguments.name)
            kind.changed.set()
        kind.completed.append(arguments.name)
        return ToolResult(content=f"through {arguments.name}")

    @classmethod
    def open(cls, *names: str) -> None:
        """Let the calls of these names through, now or when they come."""
        for name in names:
            cls.gates[name].set()

    @classmethod
    async def inside(cls, *names: str) -> None:
        """Wait until just these calls run; five seconds at most."""
        async with asyncio.timeout(5):
            while sorted(cls.running) != sorted(names):
                cls.changed.clear()
                await cls.changed.wait()


class SoftGate(Gate):
    """One that makes way when the user sends a message."""

    name = "SoftGate"
    interrupt_behavior = "cancel"


def install_gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    """Offer the tool to every engine of this test."""
    for kind in (Gate, SoftGate):
        kind.gates, kind.running, kind.order, kind.most = defaultdict(asyncio.Event), [], [], 0
        kind.completed, kind.changed = [], asyncio.Event()
    monkeypatch.setattr(wiring, "TOOLS", (*wiring.TOOLS, Gate, SoftGate))
    return Gate


def gate_call(name: str, tool: str = "Gate", **more: Any) -> dict[str, Any]:
    """A call of the tool whose id is its name."""
    return {"type": "tool_use", "id": name, "name": tool, "input": {"name": name, **more}}
