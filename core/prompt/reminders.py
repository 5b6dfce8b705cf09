"""News for the model that is appended to the conversation, never written into what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from core.prompt.agent_news import agent_list, agent_news
from core.prompt.instruction_news import instruction_news
from core.prompt.sections import template
from core.protocol.views import PermissionMode, TodoItem

TODO_STALE_STEPS = 10
"""Requests without a look at an unfinished todo list after which the model is reminded."""
TODO_NONE_STEP = 8
"""The request of a turn with which the model is told, once, that a list may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the model has been told so far, or what it should know by now."""

    date: str
    branch: str | None = None
    """Empty on a detached head; None: nothing is known of one."""
    instructions: Mapping[Path, str] = field(default_factory=lambda: MappingProxyType({}))
    """The texts of the instruction files that hold, by file."""
    agents: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What is said of each kind of agent that can be started, by name."""
    mode: PermissionMode = "default"
    plan_file: str = ""


def news(known: Known, now: Known) -> list[str]:
    """One text for each thing that is no longer as the model was told."""
    texts: list[str] = []
    if now.date != known.date:
        texts.append(template("news_date").format(date=now.date))
    if now.branch is not None and now.branch != known.branch:
        texts.append(template("news_branch" if now.branch else "news_detached").format(branch=now.branch))
    if now.instructions != known.instructions:
        texts.append(instruction_news(known.instructions, now.instructions))
    if now.agents != known.agents:
        texts.append(agent_news(known.agents, now.agents))
    if now.mode == "plan" != known.mode:
        texts.append(template("mode_plan").format(plan_file=now.plan_file))
    elif known.mode == "plan" != now.mode:
        texts.append(template("mode_left_plan"))
    return texts


def user_context(instructions: str, agents: Mapping[str, str]) -> str:
    """The reminders at the start of the first user message; empty where there is nothing to say."""
    texts = [agent_list(agents), template("context").format(instructions=instructions) if instructions else ""]
    return "\n\n".join(text for text in texts if text)


def changed_todos(items: tuple[TodoItem, ...]) -> str:
    """What is told when somebody else has edited the list."""
    return template("todo_changed").format(todos=_lines(items) or "(nothing)")


def stale_todos(items: tuple[TodoItem, ...], steps_since_update: int) -> str:
    """A reminder at every ``TODO_STALE_STEPS``-th request without an update of an unfinished list; else empty."""
    if steps_since_update == 0 or steps_since_update % TODO_STALE_STEPS:
        return ""
    if all(item.status == "completed" for item in items):
        return ""
    return template("todo_stale").format(todos=_lines(items), steps=steps_since_update)


def _lines(items: tuple[TodoItem, ...]) -> str:
    return "\n".join(f"{item.id}. [{item.status}] {item.content}" for item in items)
