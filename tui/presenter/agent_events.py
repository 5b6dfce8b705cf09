"""Events of subagents and background tasks: panes, lists, notices of their end."""

from __future__ import annotations

from core.protocol import events as ev
from tui.presenter.base import PresenterBase


class AgentEvents(PresenterBase):
    """Keeps what is known of each agent."""

    def on_agent_started(self, event: ev.AgentStarted) -> None:
        """An agent begins, or goes on."""
        self.sidechains.update(event.agent)

    def on_agent_progressed(self, event: ev.AgentProgressed) -> None:
        """What it is at."""
        self.sidechains.update(event.agent)

    def on_agent_ended(self, event: ev.AgentEnded) -> None:
        """Its run is over."""
        self.sidechains.update(event.agent)

    def on_agent_recalled(self, event: ev.AgentRecalled) -> None:
        """What it said follows anew."""
        self.sidechains.update(event.agent)

    def on_agent_kinds_changed(self, event: ev.AgentKindsChanged) -> None:
        """Kept until they are looked at."""
        self.sidechains.kinds, self.sidechains.problems = event.kinds, event.problems

    def on_task_notified(self, event: ev.TaskNotified) -> None:
        """The model was told of the end of a task."""

    def on_task_output_reported(self, event: ev.TaskOutputReported) -> None:
        """What a task has given so far."""
        self.tasks.report(event)
