"""The tools of an agent, in a fixed order, and what the API is told of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.tools.base import Tool

AnyTool = Tool[Any]
Schema = dict[str, Any]

SEARCH_TOOL = "ToolSearch"
"""The tool that finds deferred tools: pointless where there are none."""


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """What the API is told of the tools, in one of two ways: all in full, or some to be searched for."""

    schemas: list[Schema]
    """The ``tools`` of a request: the same object each time, never to be changed."""
    deferred: Mapping[str, str]
    """A digest of each tool that the model has to search for, by name."""
    digest: str
    """Changes when the tools change that the model has from the start: they are part of the prefix."""

    @property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(schema["name"] for schema in self.schemas)


class ToolRegistry:
    """Tools by name. The order is the one they were given in: it is part of the cached prefix."""

    def __init__(self, tools: Iterable[AnyTool], offered: ToolRegistry | None = None) -> None:
        self._tools = {tool.name: tool for tool in tools}
        everything = tuple(self._tools.values())
        self._offers = (
            offered._offers
            if offered is not None
            else {can_search: _offer(everything, can_search) for can_search in (False, True)}
        )

    def limited_to(self, names: Iterable[str]) -> ToolRegistry:
        """Only these tools, but the same offer: the API is told of all, and a call of another finds none."""
        allowed = {SEARCH_TOOL, *names}
        return ToolRegistry((tool for tool in self._tools.values() if tool.name in allowed), offered=self)

    def get(self, name: str) -> AnyTool | None:
        """The tool, or None."""
        return self._tools.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(self._tools)

    def offer(self, *, can_search: bool) -> ToolOffer:
        """The offer for a model: ``can_search`` says whether it takes deferred tools. The same object each time."""
        return self._offers[can_search]


def deferred_of(tools: Iterable[AnyTool]) -> tuple[AnyTool, ...]:
    """Those that a model has to search for where it can."""
    return tuple(tool for tool in tools if tool.should_defer and not tool.always_load)


def _offer(tools: Sequence[AnyTool], can_search: bool) -> ToolOffer:
    deferred = {tool.name for tool in deferred_of(tools)} if can_search else set[str]()
    sent = [tool for tool in tools if deferred or tool.name != SEARCH_TOOL]
    loaded = [_schema(tool) for tool in sent if tool.name not in deferred]
    schemas = [{**_schema(tool), "defer_loading": True} if tool.name in deferred else _schema(tool) for tool in sent]
    digests = {schema["name"]: _digest(schema) for schema in schemas if schema["name"] in deferred}
    return ToolOffer(schemas, digests, _digest(loaded))


def _schema(tool: AnyTool) -> Schema:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
