"""Which tools an agent gets: pure, in the order of the registry, so that agents of one type share what is cached."""

from __future__ import annotations

from collections.abc import Iterable

from core.agents.definition import AgentDefinition
from core.tools.registry import SEARCH_TOOL

NO_AGENT = frozenset({"Task", "AskUserQuestion", "EnterPlanMode", "ExitPlanMode", SEARCH_TOOL})
"""Agents start no others and ask nobody. The search is added to whatever tools there are to be searched for."""
CHANGING = frozenset("Write Edit MultiEdit NotebookEdit KillShell TodoWrite TaskCreate TaskUpdate".split())
"""What an agent that only reads cannot use at all."""
MCP = "mcp__"


def allowed_tools(definition: AgentDefinition, names: Iterable[str]) -> tuple[str, ...]:
    """Of the names of tools those that the agent gets."""
    denied = NO_AGENT | CHANGING if definition.is_read_only else NO_AGENT
    return tuple(
        name
        for name in names
        if name not in denied
        and (definition.tools is None or _is_named(name, definition.tools))
        and not _is_named(name, definition.disallowed)
    )


def _is_named(name: str, entries: Iterable[str]) -> bool:
    return any(name == entry or (entry.startswith(MCP) and _is_of(name, entry)) for entry in entries)


def _is_of(name: str, entry: str) -> bool:
    """Whether the tool is one of a server's: ``mcp__git``, ``mcp__git__*``, ``mcp__git__get_*``."""
    if entry.endswith("*"):
        return name.startswith(entry[:-1])
    return "__" not in entry[len(MCP) :] and name.startswith(f"{entry}__")
