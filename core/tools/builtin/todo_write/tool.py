"""TodoWrite: replaces the todo list that the user watches."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import TodoItem, ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.todo_store import todo_problem


class Todo(ToolInput):
    id: str
    content: str = Field(min_length=1)
    activeForm: str = Field("", description="How it reads while being done: Running tests")  # noqa: N815
    status: Literal["pending", "in_progress", "completed"] = "pending"
    priority: Literal["high", "medium", "low"] = "medium"


class TodoWriteInput(ToolInput):
    todos: list[Todo] = Field(description="The whole list")


class TodoWrite(Tool[TodoWriteInput]):
    """The list belongs to the agent that writes it."""

    name = "TodoWrite"
    input_type = TodoWriteInput

    def touches(self, arguments: TodoWriteInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="changes only the todo list")

    async def run(self, arguments: TodoWriteInput, context: ToolContext) -> ToolResult:
        items = tuple(
            TodoItem(
                id=todo.id,
                content=todo.content,
                active_form=todo.activeForm,
                status=todo.status,
                priority=todo.priority,
            )
            for todo in arguments.todos
        )
        problem = todo_problem(items)
        if problem:
            raise ToolError(problem)
        before = {item.id: item.status for item in context.services.todos.items}
        context.services.todos.replace(items)
        done = sum(item.status == "completed" for item in items)
        changed = [item.id for item in items if before.get(item.id) != item.status]
        return ToolResult(
            content=f"The list is saved: {done} of {len(items)} done.",
            display=ToolDisplay(summary=f"{done}/{len(items)} done", details={"changed": changed}),
        )
