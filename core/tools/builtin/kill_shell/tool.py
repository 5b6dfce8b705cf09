"""KillShell: ends a background shell and all its children."""

from __future__ import annotations

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState


class KillShellInput(ToolInput):
    shell_id: str


class KillShell(Tool[KillShellInput]):
    """Only shells that this session started can be named."""

    name = "KillShell"
    input_type = KillShellInput

    def touches(self, arguments: KillShellInput, state: ToolState) -> Access:
        return Access(verdict="allow", reason="ends the program's own shell")

    async def run(self, arguments: KillShellInput, context: ToolContext) -> ToolResult:
        shell = context.services.shells.get(arguments.shell_id)
        if shell is None:
            raise ToolError(f"There is no background shell {arguments.shell_id}.")
        if shell.status != "running":
            return ToolResult(content=f"{shell.id} has already ended ({shell.status}).")
        await context.services.shells.kill(shell)
        return ToolResult(content=f"{shell.id} was killed.", display=ToolDisplay(summary="killed"))
