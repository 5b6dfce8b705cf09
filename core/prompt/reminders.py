"""News for the model that is appended to the conversation, never written into what was sent."""

from __future__ import annotations

from dataclasses import dataclass

from core.prompt.sections import template
from core.protocol.views import PermissionMode, TodoItem

TODO_STALE_STEPS = 10
"""Requests without a look at an unfinished todo list after which the model is reminded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the model has been told so far."""

    date: str
    instructions: str
    mode: PermissionMode = "default"
    plan_file: str = ""


def news(known: Known, now: Known) -> list[str]:
    """One text for each thing that is no longer as the model was told."""
    texts: list[str] = []
    if now.date != known.date:
        texts.append(template("news_date").format(date=now.date))
    if now.instructions != known.instructions:
        texts.append(template("news_instructions").format(instructions=now.instructions or "(no instructions)"))
    if now.mode == "plan" != known.mode:
        texts.append(template("mode_plan").format(plan_file=now.plan_file))
    elif known.mode == "plan" != now.mode:
        texts.append(template("mode_left_plan"))
    return texts


def user_context(instructions: str) -> str:
    """The reminder at the start of the first user message; empty where there is nothing to say."""
    return template("context").format(instructions=instructions) if instructions else ""


def stale_todos(items: tuple[TodoItem, ...], steps_since_update: int) -> str:
    """A reminder at every ``TODO_STALE_STEPS``-th request without an update of an unfinished list; else empty."""
    if steps_since_update == 0 or steps_since_update % TODO_STALE_STEPS:
        return ""
    if all(item.status == "completed" for item in items):
        return ""
    lines = "\n".join(f"{item.id}. [{item.status}] {item.content}" for item in items)
    return template("todo_stale").format(todos=lines)
