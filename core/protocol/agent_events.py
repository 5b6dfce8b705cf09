"""Events of subagents and of what runs in the background.

Whatever a subagent does itself is told by the same events as for the main agent, under its ``agent_id`` and the
``parent_tool_use_id`` of the call that started it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.protocol.agent_views import AgentInfo, AgentKind
from core.protocol.views import TaskInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted:
    """An agent begins, or goes on with a further task; its own events follow under its id, then ``AgentEnded``."""

    agent: AgentInfo
    kind: Literal["agent_started"] = "agent_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProgressed:
    """What an agent is at; a newer one replaces it."""

    agent: AgentInfo
    kind: Literal["agent_progressed"] = "agent_progressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnded:
    """Last event of an agent's run: nothing of it runs any more. ``AgentStarted`` may follow if it is resumed."""

    agent: AgentInfo
    result: str = ""
    """Its last words."""
    kind: Literal["agent_ended"] = "agent_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecalled:
    """An agent of an earlier run of the program, or one whose events were let go of: what it said follows under its
    id, from the beginning. What was known of its conversation is to be forgotten."""

    agent: AgentInfo
    kind: Literal["agent_recalled"] = "agent_recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentKindsChanged:
    """The definitions that agents can be started from, at the start and after every change."""

    kinds: tuple[AgentKind, ...]
    problems: tuple[str, ...] = ()
    """What is wrong with files that are left out, with file and line."""
    kind: Literal["agent_kinds_changed"] = "agent_kinds_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNotified:
    """The model was told that a background task ended."""

    task: TaskInfo
    text: str
    kind: Literal["task_notified"] = "task_notified"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutputReported:
    """What a background task has given so far: the answer to ``ReadTask``."""

    task_id: str
    text: str
    """Its end, where it is long."""
    total_lines: int = 0
    path: str = ""
    """The file with all of it; empty where there is none."""
    kind: Literal["task_output_reported"] = "task_output_reported"
