"""The tools of an agent, in a fixed order, and what the API is told of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from core.tools.base import Tool

AnyTool = Tool[Any]


class ToolRegistry:
    """Tools by name. The order is the one they were given in: it is part of the cached prefix."""

    def __init__(self, tools: Iterable[AnyTool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._schemas = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
            for tool in self._tools.values()
        ]

    def get(self, name: str) -> AnyTool | None:
        """The tool, or None."""
        return self._tools.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(self._tools)

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """The ``tools`` of a request: the same object each time, never to be changed."""
        return self._schemas

    @property
    def digest(self) -> str:
        """Changes when what the API is told of the tools changes."""
        return hashlib.sha256(json.dumps(self._schemas, sort_keys=True).encode()).hexdigest()[:16]
