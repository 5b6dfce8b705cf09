"""BashOutput: what background shells have printed, or the list of them."""

from __future__ import annotations

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.confining import explain_refusal
from core.tools.context import ToolContext, ToolState
from core.tools.shells import Shell

MAX_BYTES = 30_000
MAX_CHARACTER_BYTES = 4
END_LINES = 50
"""Lines that are shown of an output that could not be kept."""


class BashOutputInput(ToolInput):
    shell_id: str = Field("", description="Empty: list the background shells")


class BashOutput(Tool[BashOutputInput]):
    """Gives what was printed since the last look."""

    name = "BashOutput"
    input_type = BashOutputInput
    max_result_size_chars = None

    def is_read_only(self, arguments: BashOutputInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: BashOutputInput, state: ToolState) -> Access:
        return Access(is_read_only=True, verdict="allow", reason="reads the program's own shells")

    async def run(self, arguments: BashOutputInput, context: ToolContext) -> ToolResult:
        shells = context.services.shells
        if not arguments.shell_id:
            lines = [f"{shell.id} {_state(shell)}: {shell.command}" for shell in shells.background]
            return ToolResult(content="\n".join(lines) or "[There are no background shells.]")
        shell = shells.get(arguments.shell_id)
        if shell is None:
            known = ", ".join(shell.id for shell in shells.background) or "none"
            raise ToolError(f"There is no background shell {arguments.shell_id}.", f"There are: {known}.")
        text, shell.read_offset = shell.spool.read_from(shell.read_offset, MAX_BYTES)
        if not text and not shell.spool.is_whole:
            text = f"[Not all of the output could be kept. Its end:]\n{shell.spool.last_lines(END_LINES)}"
        if shell.read_offset + MAX_CHARACTER_BYTES < shell.spool.stored_bytes:
            text += f"\n[{shell.spool.stored_bytes - shell.read_offset:,} more bytes wait: call BashOutput again.]"
        if text and shell.done.is_set():
            note = explain_refusal(shell, context.services.host.sandbox.kind, context.services.sandbox)
            text = f"{text.rstrip()}\n{note}" if note else text
        state = _state(shell)
        return ToolResult(
            content=f"[{shell.id} {state}]\n{text or '[Nothing new.]'}",
            display=ToolDisplay(summary=state),
        )


def _state(shell: Shell) -> str:
    return shell.status if shell.exit_code is None else f"{shell.status}, exit {shell.exit_code}"
