"""TaskCreate: adds a task to the list that the agents share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.shared_tasks import TaskChange, create


class TaskCreateInput(ToolInput):
    subject: str = Field(min_length=1)
    description: str
    activeForm: str = Field("", description="How it reads while being done: Running tests")  # noqa: N815
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskCreate(Tool[TaskCreateInput]):
    """Gives back the id, by which everything else names the task."""

    name = "TaskCreate"
    input_type = TaskCreateInput
    should_defer = True

    def touches(self, arguments: TaskCreateInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="changes only the task list")

    async def run(self, arguments: TaskCreateInput, context: ToolContext) -> ToolResult:
        change = TaskChange(
            description=arguments.description, active_form=arguments.activeForm, metadata=arguments.metadata
        )
        after = await context.services.tasks.change(lambda tasks: create(tasks, arguments.subject, change))
        added = after.tasks[-1]
        return ToolResult(
            content=f"Task {added.id} is on the list: {added.subject}", display=ToolDisplay(summary=f"task {added.id}")
        )
