"""TaskGet: one task of the shared list, whole."""

from __future__ import annotations

import json

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class TaskGetInput(ToolInput):
    taskId: str  # noqa: N815


class TaskGet(Tool[TaskGetInput]):
    """Reads the file, not what was last seen of it: another program may have changed it just now."""

    name = "TaskGet"
    input_type = TaskGetInput
    should_defer = True

    def is_read_only(self, arguments: TaskGetInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: TaskGetInput, state: ToolState) -> Access:
        return Access(is_read_only=True, verdict="allow", reason="reads only the task list")

    async def run(self, arguments: TaskGetInput, context: ToolContext) -> ToolResult:
        tasks = await context.services.tasks.read()
        task = tasks.find(arguments.taskId)
        facts = {
            "status": task.status,
            "owner": task.owner,
            "activeForm": task.active_form,
            "blockedBy": ", ".join(task.blocked_by),
            "still open of these": ", ".join(tasks.open_blockers(task)),
            "blocks": ", ".join(tasks.blocked_by(task.id)),
            "metadata": json.dumps(task.metadata, ensure_ascii=False) if task.metadata else "",
        }
        lines = [f"Task {task.id}: {task.subject}", *(f"{name}: {value}" for name, value in facts.items() if value)]
        return ToolResult(
            content="\n".join([*lines, "", task.description]).rstrip(),
            display=ToolDisplay(summary=f"{task.status} · {task.subject}"),
        )
