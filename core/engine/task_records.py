"""What a stream of JSON lines says of tasks: that one began, how far it is, that it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.protocol.agent_events import AgentEnded, AgentProgressed, AgentStarted
from core.protocol.agent_views import AgentInfo
from core.protocol.events import Event, TasksChanged
from core.protocol.views import TaskInfo, TaskStatus

Record = dict[str, Any]

STATES: dict[TaskStatus, str] = {"completed": "completed", "failed": "failed", "killed": "stopped"}
"""How the stream calls the ends of tasks."""


class TaskRecords:
    """Makes records of events. Agents tell of themselves; of all else the list tells."""

    def __init__(self) -> None:
        self._known: dict[str, TaskInfo] = {}
        self._told: dict[str, tuple[int, int]] = {}
        """Tokens and calls of each agent, as they were told last."""
        self._begun: dict[str, float] = {}
        """When the present run of each agent began."""

    def of(self, event: Event) -> Iterator[Record]:
        """The records of an event, mostly none."""
        match event:
            case AgentStarted():
                self._begun[event.agent.id] = event.agent.heard_at
                kind = {"task_type": "local_agent", "subagent_type": event.agent.agent_type}
                yield {"subtype": "task_started", **_agent(event.agent), **kind, "prompt": event.agent.prompt}
            case AgentProgressed(agent=agent):
                done = agent.usage.context_tokens, agent.tool_uses
                if done != self._told.get(agent.id, (0, 0)):
                    self._told[agent.id] = done
                    yield {"subtype": "task_progress", **_agent(agent), "usage": self._used(agent)}
            case AgentEnded(agent=agent):
                end = {"status": STATES.get(agent.status, agent.status), "summary": event.result or agent.ending}
                yield {"subtype": "task_notification", **_agent(agent), **end, "usage": self._used(agent)}
            case TasksChanged():
                for task in event.tasks:
                    if task.kind != "agent":
                        yield from self._listed(task)
            case _:
                pass

    def _used(self, agent: AgentInfo) -> Record:
        runs_ms = 0 if agent.is_over else round((agent.heard_at - self._begun.get(agent.id, agent.heard_at)) * 1000)
        return {
            "total_tokens": agent.usage.context_tokens,
            "tool_uses": agent.tool_uses,
            "duration_ms": agent.duration_ms + runs_ms,
        }

    def _listed(self, task: TaskInfo) -> Iterator[Record]:
        before = self._known.get(task.id)
        self._known[task.id] = task
        named = {"task_id": task.id, "description": task.description}
        if before is None:
            kind = "local_bash" if task.kind == "shell" else task.kind
            yield {"subtype": "task_started", **named, "task_type": kind}
        if task.is_over and (before is None or not before.is_over):
            summary = task.detail if task.exit_code is None else f"exit {task.exit_code}"
            yield {"subtype": "task_notification", **named, "status": STATES[task.status], "summary": summary}


def _agent(agent: AgentInfo) -> Record:
    return {"task_id": agent.id, "tool_use_id": agent.tool_use_id or None, "description": agent.description}
