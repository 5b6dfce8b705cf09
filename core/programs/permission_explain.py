"""The decision for a call in this folder, with everything that led to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from core.engine.rule_book import read_rules
from core.engine.start import read_start
from core.engine.tools import TOOLS
from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.decision import Decision
from core.permissions.policy import Policy
from core.programs.permission_calls import access_of, parse_call
from core.protocol.errors import AgentError
from core.protocol.views import CallPart, PermissionMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is decided and why. ``parts`` are those of a shell line."""

    tool: str
    input: dict[str, Any]
    decision: str
    reason: str
    rule: str
    source: str
    read_only: bool
    mode: str
    parts: tuple[CallPart, ...]
    problems: tuple[str, ...]
    """Rules in the settings that have no effect."""

    def record(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def explain_call(text: str, mode: str | None = None) -> Explanation:
    """Decide as a session here would. Raises ``AgentError`` for what is no call."""
    modes: dict[str, PermissionMode] = {name: name for name in get_args(PermissionMode)}
    if mode is not None and mode not in modes:
        raise AgentError(f"There is no mode {mode}.", f"There are: {', '.join(modes)}.")
    start = read_start({"mode": mode}, {}, is_attended=False)
    rules, unusable = read_rules(start.settings, [kind.name for kind in TOOLS])
    cwd = start.launch.cwd
    policy = Policy(mode=start.settings.mode, cwd=cwd, roots=(cwd,), rules=rules)
    tool, given = parse_call(text)
    try:
        access = access_of(tool, given, cwd)
        decision = decide(tool, access, policy)
    except AgentError as error:
        access, decision = Access(), Decision(behavior="deny", reason=str(error))
    return Explanation(
        tool=tool,
        input=given,
        decision=decision.behavior,
        reason=decision.reason,
        rule=str(decision.rule or ""),
        source=decision.rule.where if decision.rule else "",
        read_only=access.is_read_only,
        mode=policy.mode,
        parts=decision.parts,
        problems=tuple(f"{info.text}: {info.problem}" for info in unusable),
    )
