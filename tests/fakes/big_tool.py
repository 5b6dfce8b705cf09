"""A tool whose result is as large as it is asked to be."""

from __future__ import annotations

from functools import cached_property

import pytest

from core.engine import wiring
from core.permissions.access import Access
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class BigInput(ToolInput):
    size: int
    letter: str = "x"


class Big(Tool[BigInput]):
    """Answers with lines of one letter."""

    name = "Big"
    input_type = BigInput
    max_result_size_chars = 60_000

    @cached_property
    def description(self) -> str:
        return "Says a lot."

    def is_read_only(self, arguments: BigInput, state: ToolState) -> bool:
        return True

    def check_permissions(self, arguments: BigInput, context: ToolContext) -> Access:
        return Access(verdict="allow", reason="a test")

    async def run(self, arguments: BigInput, context: ToolContext) -> ToolResult:
        return ToolResult(content=(f"{arguments.letter * 99}\n" * (arguments.size // 100 + 1))[: arguments.size])


def install_big(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer the tool to every engine of this test."""
    monkeypatch.setattr(wiring, "TOOLS", (*wiring.TOOLS, Big))
