"""What is known of the tasks of the session: kept by the presenter, read by the tasks screen."""

from __future__ import annotations

from core.protocol.events import TaskOutputReported
from core.protocol.views import TaskInfo
from tui.presenter.watched import Watched


class TaskBook(Watched):
    """All tasks, oldest first, and what was told of the output of those that somebody looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: tuple[TaskInfo, ...] = ()
        self.outputs: dict[str, TaskOutputReported] = {}
        """The newest report of each, by the id of the task."""
        self._dismissed: set[str] = set()

    def show(self, tasks: tuple[TaskInfo, ...]) -> None:
        """These there are now, without those that were dismissed; outputs of others are forgotten."""
        self.tasks = tuple(task for task in tasks if not (task.is_over and task.id in self._dismissed))
        known = {task.id for task in tasks}
        self.outputs = {task_id: output for task_id, output in self.outputs.items() if task_id in known}
        self._changed()

    def report(self, output: TaskOutputReported) -> None:
        """What a task has given so far."""
        self.outputs[output.task_id] = output
        self._changed()

    def dismiss(self, task_id: str) -> None:
        """List one that is over no more."""
        self._dismissed |= {task.id for task in self.tasks if task.id == task_id and task.is_over}
        self.tasks = tuple(task for task in self.tasks if task.id not in self._dismissed)
        self._changed()
