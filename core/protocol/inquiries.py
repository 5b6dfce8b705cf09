"""Plain data of what a tool asks the user: questions with options, and a plan to approve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocol.views import PermissionRequest

PlanAnswer = Literal["accept_edits", "ask_edits", "keep_planning"]
"""Approved with edits accepted, approved with each edit asked about, or not approved."""
InquiryOutcome = Literal["answered", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOption:
    """One answer that is offered."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuestion:
    """One question. An answer in the user's own words is always possible beside the options."""

    question: str
    header: str
    """The question in a word, where there is little room."""
    options: tuple[QuestionOption, ...]
    multi_select: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswer:
    """Labels of the chosen options, and the user's own words beside them or instead."""

    chosen: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRequest:
    """Questions that are answered together."""

    id: str
    tool_use_id: str
    questions: tuple[UserQuestion, ...]
    agent: str = ""
    """The subagent that it is about; empty for the main agent."""
    agent_label: str = ""
    """How people are told which one that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A plan to approve."""

    id: str
    tool_use_id: str
    plan: str
    """Markdown."""
    path: str
    """The file that holds it."""


Asked = PermissionRequest | QuestionRequest | PlanRequest
"""Whatever waits for the user."""
