"""TaskList: the shared list, a line a task."""

from __future__ import annotations

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.shared_tasks import SharedTasks


class TaskListInput(ToolInput):
    pass


class TaskList(Tool[TaskListInput]):
    """Reads the file, not what was last seen of it: another program may have changed it just now."""

    name = "TaskList"
    input_type = TaskListInput
    should_defer = True

    def is_read_only(self, arguments: TaskListInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: TaskListInput, state: ToolState) -> Access:
        return Access(is_read_only=True, verdict="allow", reason="reads only the task list")

    async def run(self, arguments: TaskListInput, context: ToolContext) -> ToolResult:
        tasks = await context.services.tasks.read()
        done = sum(task.status == "completed" for task in tasks.tasks)
        return ToolResult(
            content="\n".join(_lines(tasks)) or "The task list is empty.",
            display=ToolDisplay(summary=f"{done}/{len(tasks.tasks)} done"),
        )


def _lines(tasks: SharedTasks) -> list[str]:
    lines: list[str] = []
    for task in tasks.tasks:
        owner = f" ({task.owner})" if task.owner else ""
        blockers = () if task.status == "completed" else tasks.open_blockers(task)
        waits = f" — waits for {', '.join(blockers)}" if blockers else ""
        lines.append(f"{task.id} [{task.status}] {' '.join(task.subject.split())}{owner}{waits}")
    return lines
