"""The shared task list as data: making and changing tasks, pure. Each refusal says what to do instead.

Only who is blocked is kept; what a task blocks follows from that, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from core.protocol.codec import from_json, to_json
from core.protocol.errors import AgentError
from core.protocol.views import SharedTask, TodoStatus


class TaskListError(AgentError):
    """A change of the list that cannot be made; the model should read why."""


@dataclass(frozen=True, slots=True)
class SharedTasks:
    """All tasks, oldest first. Numbers are never given twice: a deleted task's may still stand in a conversation."""

    tasks: tuple[SharedTask, ...] = ()
    next_id: int = 1

    def find(self, task_id: str) -> SharedTask:
        """Raises ``TaskListError`` where there is none."""
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise TaskListError(f"There is no task {task_id!r}.", self._existing())

    def blocked_by(self, task_id: str) -> tuple[str, ...]:
        """The tasks that wait for this one."""
        return tuple(task.id for task in self.tasks if task_id in task.blocked_by)

    def open_blockers(self, task: SharedTask) -> tuple[str, ...]:
        """What must be completed before it."""
        done = {other.id for other in self.tasks if other.status == "completed"}
        return tuple(task_id for task_id in task.blocked_by if task_id not in done)

    def _existing(self) -> str:
        if not self.tasks:
            return "The list is empty: make one with TaskCreate."
        return f"There are: {', '.join(task.id for task in self.tasks)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """What to change of a task; None leaves it as it is. A key of ``metadata`` that is None goes away."""

    status: TodoStatus | None = None
    subject: str | None = None
    description: str | None = None
    active_form: str | None = None
    owner: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    add_blocks: tuple[str, ...] = ()
    """Tasks that wait for this one."""
    add_blocked_by: tuple[str, ...] = ()
    """Tasks that this one waits for."""


def create(tasks: SharedTasks, subject: str, change: TaskChange) -> SharedTasks:
    """The list with one more task at its end, open and without blockers."""
    task = _with_texts(SharedTask(id=str(tasks.next_id), subject=subject), change)
    return SharedTasks((*tasks.tasks, task), tasks.next_id + 1)


def delete(tasks: SharedTasks, task_id: str) -> SharedTasks:
    """The list without the task; nobody waits for it any more."""
    tasks.find(task_id)
    left = tuple(
        replace(task, blocked_by=tuple(other for other in task.blocked_by if other != task_id))
        for task in tasks.tasks
        if task.id != task_id
    )
    return replace(tasks, tasks=left)


def update(tasks: SharedTasks, task_id: str, change: TaskChange) -> SharedTasks:
    """The list with the task changed. Raises ``TaskListError`` for what cannot be; then nothing is changed."""
    before = tasks.find(task_id)
    edges = [(other, task_id) for other in change.add_blocked_by] + [(task_id, other) for other in change.add_blocks]
    for blocker, blocked in edges:
        tasks = _with_edge(tasks, blocker, blocked)
    task = _with_texts(tasks.find(task_id), change)
    if change.owner is not None:
        task = replace(task, owner=change.owner)
    if change.status is not None:
        _check_start(tasks, before, task, change.status)
        task = replace(task, status=change.status)
    return _with_task(tasks, task)


def _check_start(tasks: SharedTasks, before: SharedTask, task: SharedTask, status: TodoStatus) -> None:
    """A task that is begun has no open blockers, and nobody else is at it."""
    if status != "in_progress":
        return
    blockers = tasks.open_blockers(task)
    if blockers:
        raise TaskListError(
            f"Task {task.id} cannot be begun: it waits for {', '.join(blockers)}.",
            "Complete or delete those first, or take another task.",
        )
    if before.status == "in_progress" and before.owner and task.owner != before.owner:
        raise TaskListError(
            f"Task {task.id} is being done by {before.owner}.",
            "Take another task; to hand it over, set only the owner.",
        )


def _with_texts(task: SharedTask, change: TaskChange) -> SharedTask:
    """The task with new words and metadata."""
    texts = {
        name: value
        for name in ("subject", "description", "active_form")
        if (value := getattr(change, name)) is not None
    }
    metadata = {key: value for key, value in {**task.metadata, **change.metadata}.items() if value is not None}
    return replace(task, **texts, metadata=metadata)


def _with_edge(tasks: SharedTasks, blocker: str, blocked: str) -> SharedTasks:
    """The list in which ``blocked`` waits for ``blocker``."""
    tasks.find(blocker)
    task = tasks.find(blocked)
    if blocker in task.blocked_by:
        return tasks
    path = _path(tasks, blocker, blocked)
    if path:
        waits = " waits for ".join([*path, blocker])
        raise TaskListError(f"Task {blocked} cannot wait for {blocker}: {waits} would never be done.")
    return _with_task(tasks, replace(task, blocked_by=(*task.blocked_by, blocker)))


def _path(tasks: SharedTasks, start: str, end: str) -> list[str]:
    """From a task along what it waits for to another, both included; empty where there is no way."""
    came_from: dict[str, str] = {start: ""}
    for current in (ahead := [start]):
        if current == end:
            path = [current]
            while came_from[path[0]]:
                path.insert(0, came_from[path[0]])
            return path
        for blocker in tasks.find(current).blocked_by:
            if blocker not in came_from:
                came_from[blocker] = current
                ahead.append(blocker)
    return []


def _with_task(tasks: SharedTasks, changed: SharedTask) -> SharedTasks:
    return replace(tasks, tasks=tuple(changed if task.id == changed.id else task for task in tasks.tasks))


def tasks_to_json(tasks: SharedTasks) -> dict[str, Any]:
    """The content of the file."""
    return {"next": tasks.next_id, "tasks": [to_json(task) for task in tasks.tasks]}


def tasks_from_json(data: Any) -> SharedTasks:
    """The list that the file describes. Raises ``ValueError`` for what is none, or could never be done."""
    read: tuple[SharedTask, ...] = tuple(from_json(SharedTask, item) for item in data["tasks"])
    ids = {task.id for task in read}
    if len(ids) < len(read) or any(task.status not in get_args(TodoStatus) for task in read):
        raise ValueError("an id stands twice, or a status is none")
    bare = tuple(replace(task, blocked_by=()) for task in read)
    tasks = SharedTasks(bare, max(int(data["next"]), 1 + _highest(ids)))
    try:
        for task in read:
            for blocker in task.blocked_by:
                # A blocker that was taken out by hand blocks nothing.
                tasks = _with_edge(tasks, blocker, task.id) if blocker in ids else tasks
    except TaskListError as error:
        raise ValueError(error.user_message) from error
    return tasks


def _highest(ids: Iterable[str]) -> int:
    return max((int(task_id) for task_id in ids if task_id.isdecimal()), default=0)
