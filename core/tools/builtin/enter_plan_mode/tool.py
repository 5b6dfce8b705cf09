"""EnterPlanMode: with the user's consent nothing may be changed until they approve a plan."""

from __future__ import annotations

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext


class EnterPlanModeInput(ToolInput):
    pass


class EnterPlanMode(Tool[EnterPlanModeInput]):
    """The consent is that of any call: asked for in every mode, since nobody else may decide how work is done."""

    name = "EnterPlanMode"
    input_type = EnterPlanModeInput
    should_defer = True

    def check_permissions(self, arguments: EnterPlanModeInput, context: ToolContext) -> Access:
        if context.mode == "plan":
            return Access(verdict="allow", reason="it changes nothing")
        if context.asker is None:
            return Access(verdict="deny", reason="in this run nobody could approve a plan")
        return Access(verdict="ask", reason="until you approve its plan it may change nothing")

    async def run(self, arguments: EnterPlanModeInput, context: ToolContext) -> ToolResult:
        if context.mode == "plan":
            raise ToolError("Plan mode is on already.", "When the plan is complete call ExitPlanMode.")
        return ToolResult(
            content="The user agrees: plan mode is on.", mode="plan", display=ToolDisplay(summary="plan mode is on")
        )
