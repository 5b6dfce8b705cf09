"""The short remark at the end of a call's line: how much came back, what changed, where a large result is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.protocol.views import TodoItem, ToolDisplay
from tui.rendering.sanitize import clean_line
from tui.rendering.tool_views import short_path

CLEARED = "cleared from the context"
"""Said of a result that the model no longer reads."""
_MCP = re.compile(r"mcp__(.+?)__(.+)", re.DOTALL)
_CHANGES = {"completed": "done", "in_progress": "started", "pending": "to do"}


def tool_title(name: str) -> str:
    """The name of a tool as it is shown; a tool of an MCP server with its server."""
    match = _MCP.fullmatch(name)
    return clean_line(f"{match[1]} · {match[2]}" if match else name)


def result_size(name: str, content: str, display: ToolDisplay, todos: Sequence[TodoItem]) -> str:
    """How much came back, in a few words."""
    summary = clean_line(display.summary)
    if name == "TodoWrite":
        changes = todo_changes(display, todos)
        return f"{changes} · {summary}" if changes else summary
    if name == "Bash" and display.details.get("exit_code"):
        lines = content.count("\n")  # The last line is the remark on the exit code.
        return f"{summary} · {lines:,} line{'' if lines == 1 else 's'}" if lines else summary
    return summary


def todo_changes(display: ToolDisplay, todos: Sequence[TodoItem]) -> str:
    """What an update of the todo list changed: ``3 done, 1 started``."""
    changed: object = display.details.get("changed")
    if not isinstance(changed, list | tuple):
        return ""
    states = [item.status for item in todos if item.id in changed]
    return ", ".join(f"{states.count(state)} {word}" for state, word in _CHANGES.items() if state in states)


def handed_off(session_id: str) -> str:
    """How to go back to the session that was left."""
    return f"Handed off. To go back: agent-tui --resume {session_id}"


def kept_in(path: str, cwd: str) -> str:
    """The file with the whole of a result, in a few words: its path where that is in the working directory."""
    shown = short_path(clean_line(path), cwd)
    return f"…/{shown.rpartition('/')[2]}" if shown.startswith(("/", "~")) else shown if path else ""


def batch_state(states: Sequence[str]) -> str:
    """What the members of a batch are at, as far as it is worth a word."""
    running = sum(state in ("waiting", "running") for state in states)
    counts = ((running, "running"), (states.count("asking"), "asking"), (states.count("failed"), "failed"))
    done = states.count("done")
    parts = [f"{count} {word}" for count, word in counts if count]
    if parts and done:
        parts.insert(len(parts) - bool(states.count("failed")), f"{done} done")
    return " · ".join(parts)
