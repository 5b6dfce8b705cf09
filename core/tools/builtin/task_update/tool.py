"""TaskUpdate: changes a task of the shared list, or takes it away."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.shared_tasks import SharedTasks, TaskChange, delete, update


class TaskUpdateInput(ToolInput):
    taskId: str  # noqa: N815
    status: Literal["pending", "in_progress", "completed", "deleted"] | None = None
    subject: str | None = Field(None, min_length=1)
    description: str | None = None
    activeForm: str | None = None  # noqa: N815
    owner: str | None = None
    addBlocks: list[str] = Field(default_factory=list)  # noqa: N815
    addBlockedBy: list[str] = Field(default_factory=list)  # noqa: N815
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskUpdate(Tool[TaskUpdateInput]):
    """All of a call is done, or nothing of it."""

    name = "TaskUpdate"
    input_type = TaskUpdateInput
    should_defer = True

    def touches(self, arguments: TaskUpdateInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="changes only the task list")

    async def run(self, arguments: TaskUpdateInput, context: ToolContext) -> ToolResult:
        task_id, status = arguments.taskId, arguments.status
        if arguments.model_fields_set <= {"taskId"}:
            raise ToolError("Nothing to change was given.", "Set at least one field beside taskId.")
        if status == "deleted":
            await context.services.tasks.change(lambda tasks: delete(tasks, task_id))
            return ToolResult(content=f"Task {task_id} is deleted.", display=ToolDisplay(summary="deleted"))
        change = TaskChange(
            status=status,
            subject=arguments.subject,
            description=arguments.description,
            active_form=arguments.activeForm,
            owner=arguments.owner,
            metadata=arguments.metadata,
            add_blocks=tuple(arguments.addBlocks),
            add_blocked_by=tuple(arguments.addBlockedBy),
        )
        after = await context.services.tasks.change(lambda tasks: update(tasks, task_id, change))
        task = after.find(task_id)
        freed = _freed(after, task_id) if status == "completed" else ()
        owner = f"by {task.owner}" if task.owner else ""
        may_begin = f"may begin now: {', '.join(freed)}" if freed else ""
        # The window shows a status that was asked for beside the call.
        summary = ("" if status else task.status, owner, may_begin)
        return ToolResult(
            content=f"Task {task_id} is now: " + _joined((task.status, owner, may_begin), "; "),
            display=ToolDisplay(summary=_joined(summary, " · ")),
        )


def _joined(parts: tuple[str, ...], between: str) -> str:
    return between.join(part for part in parts if part)


def _freed(tasks: SharedTasks, task_id: str) -> tuple[str, ...]:
    """The open tasks that waited for this one last."""
    waiting = [task for task in tasks.tasks if task_id in task.blocked_by and task.status == "pending"]
    return tuple(task.id for task in waiting if not tasks.open_blockers(task))
