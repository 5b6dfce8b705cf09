"""BashOutput: what background shells have printed and agents have said, or the list of them."""

from __future__ import annotations

from pydantic import Field

from core.permissions.access import Access
from core.protocol.views import TaskInfo, ToolDisplay
from core.tools.base import Tool, ToolError, ToolInput, ToolResult
from core.tools.confining import explain_refusal
from core.tools.context import ToolContext, ToolState
from core.tools.shells import Shell
from core.tools.task_registry import ListedTask

MAX_BYTES = 30_000
MAX_CHARACTER_BYTES = 4
END_LINES = 50
"""Lines that are shown of an output that could not be kept."""


class BashOutputInput(ToolInput):
    shell_id: str = Field("", description="Of a shell or an agent; empty: list them")


class BashOutput(Tool[BashOutputInput]):
    """Gives what was printed since the last look; of an agent, what it has said so far."""

    name = "BashOutput"
    input_type = BashOutputInput
    max_result_size_chars = None

    def is_read_only(self, arguments: BashOutputInput, state: ToolState) -> bool:
        return True

    def touches(self, arguments: BashOutputInput, state: ToolState) -> Access:
        return Access(is_read_only=True, verdict="allow", reason="reads the program's own tasks")

    async def run(self, arguments: BashOutputInput, context: ToolContext) -> ToolResult:
        registry, agent = context.services.task_registry, context.publisher.agent_id
        tasks = registry.visible(agent)
        if not arguments.shell_id:
            lines = [f"{task.info.id} {_state(task.info)}: {_subject(task.info)}" for task in tasks]
            return ToolResult(content="\n".join(lines) or "[There are no background shells and no agents.]")
        task = registry.get(arguments.shell_id, agent)
        if task is None:
            known = ", ".join(task.info.id for task in tasks) or "none"
            raise ToolError(f"There is no background shell or agent {arguments.shell_id}.", f"There are: {known}.")
        text, is_all = _printed(task, context) if isinstance(task, Shell) else _said(task)
        state = _state(task.info)
        if is_all and task.info.is_over:
            registry.known(task.info.id)
        return ToolResult(
            content=f"[{task.info.id} {state}]\n{text or '[Nothing new.]'}",
            display=ToolDisplay(summary=state),
        )


def _printed(shell: Shell, context: ToolContext) -> tuple[str, bool]:
    """What is new of a shell's output, and whether that is all there will be."""
    is_over = shell.done.is_set()
    text, shell.read_offset = shell.spool.read_from(shell.read_offset, MAX_BYTES)
    if not text and not shell.spool.is_whole:
        text = f"[Not all of the output could be kept. Its end:]\n{shell.spool.last_lines(END_LINES)}"
    has_more = shell.read_offset + MAX_CHARACTER_BYTES < shell.spool.stored_bytes
    if has_more:
        text += f"\n[{shell.spool.stored_bytes - shell.read_offset:,} more bytes wait: call BashOutput again.]"
    if text and is_over:
        note = explain_refusal(shell, context.services.host.sandbox.kind, context.services.sandbox)
        text = f"{text.rstrip()}\n{note}" if note else text
    return text, is_over and not has_more


def _said(task: ListedTask) -> tuple[str, bool]:
    """What another task has given so far; its result where it is over."""
    if task.info.is_over:
        return task.told, True
    output = task.output()
    return output.text, False


def _state(info: TaskInfo) -> str:
    return info.status if info.exit_code is None else f"{info.status}, exit {info.exit_code}"


def _subject(info: TaskInfo) -> str:
    return info.command or info.description
