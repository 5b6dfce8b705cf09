"""Events of what the user is asked: permissions, questions, plans; and the rules that spare them questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocol.inquiries import InquiryOutcome, PlanRequest, QuestionRequest
from core.protocol.views import Answer, Behavior, CallPart, PermissionRequest, RuleInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequested:
    """The user is asked. Always followed by ``PermissionResolved`` of the same id."""

    request: PermissionRequest
    kind: Literal["permission_requested"] = "permission_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionResolved:
    """The question is closed. ``answer`` is None where the turn was interrupted."""

    request_id: str
    tool_use_id: str
    answer: Answer | None
    comment: str = ""
    kind: Literal["permission_resolved"] = "permission_resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionDecided:
    """What was decided for a call, and by which rule or check, before anyone was asked."""

    tool_use_id: str
    behavior: Behavior
    reason: str
    tool_name: str = ""
    subject: str = ""
    """What the call is about, on one line: the command, the path, the address."""
    rule: str = ""
    """The rule that decided; empty where it was a check or the mode."""
    source: str = ""
    """Where the rule stands."""
    parts: tuple[CallPart, ...] = ()
    kind: Literal["permission_decided"] = "permission_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionExplained:
    """What the small model says of an open request, once it was asked to; ``text`` says so where it could not."""

    request_id: str
    text: str
    risk: Literal["low", "medium", "high", ""] = ""
    kind: Literal["permission_explained"] = "permission_explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged:
    """The permission rules that are in force now, all of them: at the start, and after every change."""

    rules: tuple[RuleInfo, ...]
    kind: Literal["rules_changed"] = "rules_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    """A tool asks the user. Always followed by ``QuestionResolved`` of the same id."""

    request: QuestionRequest
    kind: Literal["question_asked"] = "question_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProposed:
    """A plan waits for the user's approval. Always followed by ``QuestionResolved`` of the same id."""

    request: PlanRequest
    kind: Literal["plan_proposed"] = "plan_proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionResolved:
    """A question or a proposed plan is closed; the call's ``ToolFinished`` tells what was answered."""

    request_id: str
    tool_use_id: str
    outcome: InquiryOutcome
    kind: Literal["question_resolved"] = "question_resolved"
