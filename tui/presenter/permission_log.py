"""The rules in force and what was decided lately: kept by the presenter, read by whatever shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.protocol.events import PermissionDecided
from core.protocol.views import Answer, PermissionRequest, RuleInfo
from tui.presenter.watched import Watched

KEPT = 200
"""Decisions that are remembered."""
ORDER = ("deny", "ask", "allow")
"""As rules are looked at; the first that fits decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided for one call, and what the user said where they were asked."""

    decided: PermissionDecided
    at: float
    """Seconds since the epoch."""
    agent: str = ""
    """The label of the subagent whose call it is; empty for the main agent."""
    is_open: bool = False
    """Whether the user is still asked."""
    answer: Answer | None = None
    comment: str = ""


class PermissionLog(Watched):
    """Rules by what they say, decisions from the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.rules: tuple[RuleInfo, ...] = ()
        self.decisions: tuple[Decision, ...] = ()

    def set_rules(self, rules: tuple[RuleInfo, ...]) -> None:
        """These are in force now."""
        self.rules = tuple(sorted(rules, key=lambda rule: ORDER.index(rule.behavior)))
        self._changed()

    def decide(self, decided: PermissionDecided, at: float, agent: str = "") -> None:
        """One more decision, where ``agent`` says so for a subagent of that label; of one that is decided anew (a rule
        was added meanwhile) only the newest is kept."""
        older = tuple(one for one in self.decisions if one.decided.tool_use_id != decided.tool_use_id)
        self.decisions = (Decision(decided=decided, at=at, agent=agent), *older)[:KEPT]
        self._changed()

    def ask(self, request: PermissionRequest) -> None:
        """The user is asked about a call."""
        agent = request.agent_label or request.agent
        self._change(request.tool_use_id, is_open=True, **({"agent": agent} if agent else {}))

    def resolve(self, tool_use_id: str, answer: Answer | None, comment: str) -> None:
        """The question was answered, or withdrawn where there is no answer."""
        self._change(tool_use_id, is_open=False, answer=answer, comment=comment)

    def _change(self, tool_use_id: str, **changes: object) -> None:
        self.decisions = tuple(
            replace(one, **changes) if one.decided.tool_use_id == tool_use_id else one  # pyright: ignore[reportArgumentType]
            for one in self.decisions
        )
        self._changed()
