"""ToolSearch: finds deferred tools. The API puts their definitions where the result refers to them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.registry import SEARCH_TOOL, AnyTool, deferred_of

SELECT = "select:"
NEAR = 3
"""Names that are suggested where nothing was found."""
NAME_WORD, NAME_PART, PARAMETER, DESCRIPTION = 8, 4, 2, 1
"""What a keyword counts for by where it occurs: a whole word of the name, a part of it, a parameter, a description."""


class ToolSearchInput(ToolInput):
    query: str = Field(min_length=1)
    max_results: int = Field(5, ge=1, le=50)


class ToolSearch(Tool[ToolSearchInput]):
    """Built with the tools it searches: their names are in its description, which is part of the prefix."""

    name = SEARCH_TOOL
    input_type = ToolSearchInput
    always_load = True

    def __init__(self, deferred: Sequence[AnyTool]) -> None:
        self._deferred = {tool.name: tool for tool in deferred}

    @cached_property
    def description(self) -> str:
        return super().description.format(names=", ".join(self._deferred))

    def is_read_only(self, arguments: ToolSearchInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: ToolSearchInput, state: ToolState) -> Access:
        return Access(is_read_only=True, verdict="allow", reason="only looks up tools")

    async def run(self, arguments: ToolSearchInput, context: ToolContext) -> ToolResult:
        query = arguments.query.strip()
        if query.lower().startswith(SELECT):
            wanted = [name.strip() for name in query[len(SELECT) :].split(",") if name.strip()]
            found, missing = self._select(wanted)
        else:
            found, missing = rank(query, self._deferred.values())[: arguments.max_results], []
        if not found:
            raise ToolError(*self._nothing(wanted=missing or [query]))
        summary = f"found: {', '.join(found)}" + (f" · not: {', '.join(missing)}" if missing else "")
        # A result refers to tools or says something, never both: so what is missing is told to the user only.
        return ToolResult(
            content=tuple({"type": "tool_reference", "tool_name": name} for name in found),
            display=ToolDisplay(summary=summary),
        )

    def _select(self, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
        """The names there are, spelled as they are, each once, and those there are not."""
        spelled = {name.lower(): name for name in self._deferred}
        found = [spelled[name.lower()] for name in wanted if name.lower() in spelled]
        return list(dict.fromkeys(found)), [name for name in wanted if name.lower() not in spelled]

    def _nothing(self, wanted: Sequence[str]) -> tuple[str, str]:
        """What was not found, and what to do instead."""
        spelled = {name.lower(): name for name in self._deferred}
        near = [spelled[hit] for name in wanted for hit in difflib.get_close_matches(name.lower(), spelled, NEAR, 0.5)]
        about = (
            f"Did you mean {', '.join(dict.fromkeys(near))}?" if near else f"There are: {', '.join(spelled.values())}."
        )
        return (
            f"No tool that is not loaded yet fits {', '.join(map(repr, wanted))}.",
            f"{about} A tool that is loaded already can be called at once.",
        )


def with_search(tools: Sequence[AnyTool]) -> tuple[AnyTool, ...]:
    """The tools, and behind them the search where there is anything to search for. It comes last: its description
    names the deferred tools, so it is what differs from one session to the next."""
    deferred = deferred_of(tools)
    return (*tools, ToolSearch(deferred)) if deferred else tuple(tools)


def rank(query: str, tools: Iterable[AnyTool]) -> list[str]:
    """Names of the tools that the keywords fit, best first; among equals in the order of the tools."""
    terms = query.lower().split()
    required = [term[1:] for term in terms if len(term) > 1 and term.startswith("+")]
    keywords = [term.lstrip("+") for term in terms if term.strip("+")]
    scores = {
        tool.name: sum(_score(word, tool) for word in keywords)
        for tool in tools
        if all(term in tool.name.lower() for term in required)
    }
    return sorted((name for name, score in scores.items() if score), key=lambda name: -scores[name])


def words_of(name: str) -> list[str]:
    """``mcp__git_hub__createIssue`` is mcp, git, hub, create, issue."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _score(keyword: str, tool: AnyTool) -> int:
    parameters = " ".join(tool.schema.get("properties", {})).lower()
    return (
        (NAME_WORD if keyword in words_of(tool.name) or keyword == tool.name.lower() else 0)
        + (NAME_PART if keyword in tool.name.lower() else 0)
        + (PARAMETER if keyword in parameters else 0)
        + (DESCRIPTION if keyword in tool.description.lower() else 0)
    )
