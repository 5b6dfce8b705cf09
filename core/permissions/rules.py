"""Permission rules: ``Tool`` or ``Tool(specifier)``, with the place where each was written.

``Bash(git commit:*)`` matches a command by prefix, ``Bash(make test)`` by its whole text, ``Edit(src/**)`` and
``Read(//etc/**)`` paths in gitignore form, ``WebFetch(domain:example.com)`` a host, ``Agent(Explore)`` a name,
``Agent(model:opus)`` a field. What matches what is in ``core.permissions.matching``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.permissions.hosts import DOMAIN, check_domain
from core.protocol.views import Behavior, RuleInfo, RuleLayer

RULE = re.compile(r"(?P<tool>[A-Za-z0-9_*-]+)(?:\((?P<spec>.*)\))?", re.DOTALL)
ALIASES = {"Task": "Agent"}
"""Other names that tools are known by; rules are held under the second, whichever was written."""
RULED_BY_PATH = frozenset("Write MultiEdit NotebookEdit Glob Grep LS".split())
"""File tools whose paths ``Edit(...)`` and ``Read(...)`` speak for; their own would be looked for in vain."""
MCP_GLOB = re.compile(r"mcp__[A-Za-z0-9_-]*[A-Za-z0-9-]__[A-Za-z0-9_*-]+")
"""In a rule that allows the server must be spelled out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule that can be used."""

    behavior: Behavior = "allow"
    tool: str
    spec: str = ""
    """What stands in the parentheses; empty for every call of the tool."""
    layer: RuleLayer = "session"
    source: str = ""
    """``file:line``, or an option of the command line; empty for this session."""
    file: Path | None = None
    """The settings file it stands in."""
    base: Path | None = None
    """What a path with one leading slash is relative to; None: the folder in which the session began."""
    written: str = ""
    """The rule letter for letter, as it stands in its file."""

    def __str__(self) -> str:
        return f"{self.tool}({self.spec})" if self.spec else self.tool

    @property
    def where(self) -> str:
        """Where it stands, in words."""
        return self.source or "this session"

    def info(self) -> RuleInfo:
        """The rule as the window sees it."""
        return RuleInfo(
            behavior=self.behavior,
            text=str(self),
            layer=self.layer,
            source=self.source,
            can_delete=self.layer in ("user", "project", "local", "session"),
        )


def parse_rule(
    text: str,
    behavior: Behavior = "allow",
    *,
    layer: RuleLayer = "session",
    source: str = "",
    file: Path | None = None,
    base: Path | None = None,
) -> Rule:
    """Raises ``ValueError`` for what is not a rule, or could never match: a malformed one must never allow."""
    match = RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rule: write Tool or Tool(specifier)")
    tool, spec = ALIASES.get(match["tool"], match["tool"]), (match["spec"] or "").strip()
    spec = "" if spec in ("*", f"{DOMAIN}*") else spec
    if behavior == "allow" and "*" in tool and not MCP_GLOB.fullmatch(tool):
        raise ValueError(f"{text!r} would allow tools that nobody named: write mcp__SERVER__* at the widest")
    if spec.startswith(DOMAIN) or (tool == "WebFetch" and spec and not (behavior != "allow" and ":" in spec)):
        check_domain(spec)
    if tool in RULED_BY_PATH and spec and not (behavior != "allow" and ":" in spec):
        verb = "Edit" if tool in ("Write", "MultiEdit", "NotebookEdit") else "Read"
        raise ValueError(f"{text!r} is never looked at: paths are ruled by {verb}({spec})")
    return Rule(behavior=behavior, tool=tool, spec=spec, layer=layer, source=source, file=file, base=base, written=text)


def unknown_tool(rule: Rule, names: Iterable[str]) -> str:
    """What is wrong with the name of its tool; empty where there is such a tool, or may be one later."""
    if "*" in rule.tool or rule.tool.startswith("mcp__"):
        return ""
    near = [name for name in names if name.casefold() == rule.tool.casefold() and name != rule.tool]
    return f"there is no tool {rule.tool}: it is called {near[0]}" if near else ""
