"""KillShell: ends a background shell and all its children, or an agent."""

from __future__ import annotations

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class KillShellInput(ToolInput):
    shell_id: str = Field(description="Of a shell or an agent")


class KillShell(Tool[KillShellInput]):
    """Only what this session started can be named; by an agent, only what it has started itself."""

    name = "KillShell"
    input_type = KillShellInput

    def touches(self, arguments: KillShellInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="ends the program's own task")

    async def run(self, arguments: KillShellInput, context: ToolContext) -> ToolResult:
        registry = context.services.task_registry
        task = registry.get(arguments.shell_id, context.publisher.agent_id)
        if task is None:
            raise ToolError(f"There is no background shell or agent {arguments.shell_id}.")
        if task.info.is_over:
            return ToolResult(content=f"{task.info.id} has already ended ({task.info.status}).")
        await task.stop()
        if task.info.status != "killed":
            return ToolResult(content=f"{task.info.id} ended by itself just before ({task.info.status}).")
        registry.known(task.info.id)
        return ToolResult(content=f"{task.info.id} was killed.", display=ToolDisplay(summary="killed"))
