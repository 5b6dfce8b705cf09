"""What was decided for a call, and why."""

from __future__ import annotations

from dataclasses import dataclass

from core.permissions.rules import Rule
from core.protocol.views import Behavior, CallPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and the rule or check that decided it."""

    behavior: Behavior
    reason: str
    rule: Rule | None = None
    """The rule that decided; None where it was a check or the mode."""
    parts: tuple[CallPart, ...] = ()
    """What a shell line consists of, each judged; empty for another call."""
    is_harmless: bool = False
    """Whether it is allowed for no other reason than that it only reads."""


def allowed_by(rule: Rule, parts: tuple[CallPart, ...] = ()) -> Decision:
    """Allowed, by this rule."""
    reason = f"the rule {rule} ({rule.where}) allows it"
    return Decision(behavior="allow", reason=reason, rule=rule, parts=parts)
