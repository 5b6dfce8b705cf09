"""A command of the user's own: run like one of the model's, unasked, and told to the model with the next request."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from core.orchestration.call import CallEnvironment
from core.protocol.events import ShellFinished, ShellStarted, ToolProgress
from core.query.queue import append_text
from core.sessions.conversation import Conversation
from core.tools.base import CallInterrupted, ToolError
from core.tools.builtin.bash.tool import Bash, BashInput
from core.tools.context import ToolContext, ToolState

SHELL_SIGN = "!"
INTERRUPTED = "[Interrupted by the user.]"
FORM = re.compile(
    r"The user ran this in the shell:\n<shell-command>\n(?P<command>.*?)\n</shell-command>\n"
    r"<shell-output(?: exit-code=\"(?P<code>-?\d+)\")?>\n(?P<output>.*)\n</shell-output>",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ShellLine:
    """A command that was run. ``exit_code`` is None where it did not come to its own end."""

    command: str
    output: str
    exit_code: int | None = None

    def text(self) -> str:
        """What the model reads, and what stands in the transcript."""
        code = "" if self.exit_code is None else f' exit-code="{self.exit_code}"'
        return (
            f"The user ran this in the shell:\n<shell-command>\n{self.command}\n</shell-command>\n"
            f"<shell-output{code}>\n{self.output}\n</shell-output>"
        )


def read_shell_line(text: str) -> ShellLine | None:
    """What ``ShellLine.text`` wrote; None for any other text."""
    match = FORM.fullmatch(text)
    if match is None:
        return None
    code = match["code"]
    return ShellLine(match["command"], match["output"], None if code is None else int(code))


async def run_shell_line(
    command: str, conversation: Conversation, calls: CallEnvironment, state: ToolState
) -> ToolState:
    """Run it, show it, append it to the conversation. Cancelling ends the command; it does not come out."""
    publisher, host = calls.publisher, calls.services.host
    shell_id = host.ids.uuid()
    publisher.emit(ShellStarted(shell_id=shell_id, command=command))

    def report(text: str, total_lines: int) -> None:
        publisher.emit(ToolProgress(tool_use_id=shell_id, text=text, total_lines=total_lines))

    context = ToolContext(
        state=state, services=calls.services, tool_use_id=shell_id, report=report, publisher=calls.publisher
    )
    code: int | None = None
    try:
        result = await Bash().run(BashInput.model_validate({"command": command}), context)
        output = result.content if isinstance(result.content, str) else ""
        code = result.display.details.get("exit_code")
        state = result.modify(state) if result.modify is not None else state
    except (CallInterrupted, asyncio.CancelledError) as interrupt:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        shown = interrupt.partial if isinstance(interrupt, CallInterrupted) else ""
        output = f"{shown}\n{INTERRUPTED}".lstrip("\n")
    except ToolError as error:
        output = str(error)
    line = ShellLine(command, output, code)
    append_text(conversation, host, "user", line.text(), message_id=shell_id, is_meta=True)
    conversation.sync()
    publisher.emit(ShellFinished(shell_id=shell_id, command=command, output=output, exit_code=code))
    return state
