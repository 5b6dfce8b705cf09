"""A tool that changes the state for the calls after it, and says what it found."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import cached_property
from typing import ClassVar

import pytest

from core.engine import wiring
from core.permissions.access import Access
from core.protocol.views import PermissionMode
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class ModifyInput(ToolInput):
    folder: str
    safe: bool = True
    mode: PermissionMode | None = None


class Modify(Tool[ModifyInput]):
    """Waits for its gate, tells the working directory it was given, and moves into the folder of its name."""

    name = "Modify"
    input_type = ModifyInput
    gates: ClassVar[defaultdict[str, asyncio.Event]]

    @cached_property
    def description(self) -> str:
        return "Modifies."

    def is_read_only(self, arguments: ModifyInput, state: ToolState) -> bool:
        return arguments.safe

    def check_permissions(self, arguments: ModifyInput, context: ToolContext) -> Access:
        return Access(verdict="allow", reason="a test")

    async def run(self, arguments: ModifyInput, context: ToolContext) -> ToolResult:
        await type(self).gates[arguments.folder].wait()
        return ToolResult(
            content=f"{context.state.cwd.name} {context.mode}",
            modify=lambda state: state.with_cwd(state.cwd.parent / arguments.folder),
            mode=arguments.mode,
        )


def install_modify(monkeypatch: pytest.MonkeyPatch) -> type[Modify]:
    """Offer the tool to every engine of this test."""
    Modify.gates = defaultdict(asyncio.Event)
    monkeypatch.setattr(wiring, "TOOLS", (*wiring.TOOLS, Modify))
    return Modify
