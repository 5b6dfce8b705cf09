"""Names of tools as agents' files write them: those there are, those that come later, those that others have."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

OTHER_NAMES = {
    "Agent": "Task",
    "NotebookRead": "Read",
    "KillBash": "KillShell",
    "TaskStop": "KillShell",
    "TaskOutput": "BashOutput",
    "AgentOutputTool": "BashOutput",
    "TodoRead": "TodoWrite",
    "SlashCommand": "Skill",
    "ListMcpResourcesTool": "ListMcpResources",
    "ReadMcpResourceTool": "ReadMcpResource",
}
"""What Claude Code calls, or has called, a tool of ours."""
MAY_COME = frozenset("Task ToolSearch Skill ListMcpResources ReadMcpResource SendMessage".split())
"""Names that mean something even where there is no such tool at the moment."""
MCP = re.compile(r"mcp__[\w.-]+(?:\*|__[\w.*-]+)?")
ENTRY = re.compile(r"(?P<name>[^()]*)(?:\((?P<rest>.*)\))?", re.DOTALL)
COMMA = re.compile(r",(?![^()]*\))")
STARTER = "Task"


def split_names(text: str) -> tuple[str, ...]:
    """The entries of a list in one line; commas in parentheses do not count."""
    return tuple(entry for part in COMMA.split(text) if (entry := part.strip()))


def tool_name(entry: str, tools: Collection[str] | None) -> str:
    """What we call the tool of an entry. ``tools``: those there are; None: any. Raises ``ValueError`` for what is none,
    and for a part of one: which commands a tool may run is said by rules."""
    match = ENTRY.fullmatch(entry)
    written = match["name"].strip() if match else entry
    name = OTHER_NAMES.get(written, written)
    if tools is not None and not (name in tools or name in MAY_COME or MCP.fullmatch(name)):
        known = sorted({*tools, *MAY_COME, *OTHER_NAMES})
        spelled = {one.casefold(): one for one in known}
        near = difflib.get_close_matches(written.casefold(), spelled, 1, 0.75)
        meant = f"is {spelled[near[0]]} meant?" if near else f"there are {', '.join(sorted(tools))}"
        raise ValueError(f"there is no tool {written[:80]!r}: {meant}")
    # Whom an agent may start need not be said: no agent starts others.
    if match and match["rest"] is not None and name != STARTER:
        raise ValueError(
            f"{entry[:80]!r} names a part of a tool: write {name}, and say what it may do by the permission rules of "
            "the settings"
        )
    return name
