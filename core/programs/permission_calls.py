"""From the name and input of a call to what it would touch, without a session."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from core.engine.tools import TOOLS
from core.permissions.access import Access
from core.permissions.rules import ALIASES
from core.permissions.shell_access import shell_access
from core.protocol.errors import AgentError
from core.tools.context import ToolState

MAIN_FIELDS = {
    "Bash": "command",
    "NotebookEdit": "notebook_path",
    "Glob": "path",
    "Grep": "path",
    "LS": "path",
    "WebFetch": "url",
    "WebSearch": "query",
    "Agent": "subagent_type",
    "Skill": "skill",
}
"""The field that stands for the call when it is written as ``Tool(text)``; of every other file tool ``file_path``."""
CALL = re.compile(r"(?P<tool>[A-Z][A-Za-z]*|mcp__[\w-]+)(?:\((?P<text>.*)\))?", re.DOTALL)


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Tool and input of ``Tool(text)``, of ``Tool({…})``, or of a shell command."""
    match = CALL.fullmatch(text.strip())
    if match is None or (match["text"] is None and not match["tool"].startswith("mcp__")):
        return "Bash", {"command": text}
    tool, given = ALIASES.get(match["tool"], match["tool"]), match["text"] or ""
    if given.lstrip().startswith("{"):
        try:
            data = json.loads(given)
        except ValueError as error:
            raise AgentError(f"The input of {tool} is not valid JSON: {error}.") from error
        return tool, cast("dict[str, Any]", data)
    return tool, {MAIN_FIELDS.get(tool, "file_path"): given} if given else {}


def access_of(tool: str, given: Mapping[str, Any], cwd: Path, home: Path | None = None) -> Access:
    """What the call would touch. Raises ``AgentError`` where its input cannot be used."""
    tool = ALIASES.get(tool, tool)
    if tool == "Bash":
        shell = shell_access(str(given.get("command", "")), cwd, home)
        access = Access(shell=shell, is_read_only=shell.judged.is_read_only)
        if shell.script.refusal:
            access = replace(access, verdict="deny", reason=shell.script.refusal)
    elif tool == "Agent":
        # It touches nothing itself: what the agent does is decided call by call.
        access = Access(name=str(given.get("subagent_type", "")), is_read_only=True)
    elif tool == "Skill":
        access = Access(name=f"{given.get('skill', '')} {given.get('args', '')}".strip())
    else:
        kind = next((kind for kind in TOOLS if kind.name == tool), None)
        if kind is None:
            return Access(fields=given)
        built, main = kind(), MAIN_FIELDS.get(tool, "file_path")
        field = built.input_type.model_fields.get(main)
        if field is not None and field.is_required() and main not in given:
            raise AgentError(f"{tool} needs {main}.", f"Write {tool}(…), or give its input as JSON.")
        # Not validated: of most fields only the full call would need a value.
        access = built.touches(built.input_type.model_construct(**given), ToolState(cwd=cwd))
    return replace(access, fields=given)
