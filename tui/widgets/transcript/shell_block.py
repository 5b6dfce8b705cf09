"""A shell command of the user's own in the conversation, with more of its output than a tool call shows."""

from __future__ import annotations

from core.protocol.views import ToolDisplay
from tui.rendering.line import Line
from tui.rendering.sanitize import clean_line
from tui.rendering.tool_views import headline, output_lines
from tui.widgets.transcript.tool_block import ToolBlock

PREVIEW = 20


class ShellBlock(ToolBlock):
    """Runs from the first moment: nothing is asked."""

    def __init__(self, block_id: str, command: str, cwd: str) -> None:
        super().__init__(block_id, "Bash", cwd)
        self._command_line = command
        self.set_input({"command": command})
        self.set_state("running")

    def end(self, output: str, exit_code: int | None) -> None:
        """It is over; None: not by itself."""
        summary = f"exit {exit_code}" if exit_code else ""
        self.finish(output, ToolDisplay(summary=summary), 0, is_error=exit_code != 0, todos=())

    def lines(self, width: int) -> list[Line]:
        style = "state.failed" if self.state == "failed" else "shell"
        spans = [("! ", style), (clean_line(self._command_line), "strong")]
        inner: Line = (("  ", "text"),)
        return [headline(spans, self.remark, width), *((*inner, *line) for line in self._body(width - 2))]

    def _command(self, width: int) -> list[Line]:
        """The line in full, where the head does not hold it."""
        is_cut = "\n" in self._command_line or len(self._command_line) > width
        return super()._command(width) if is_cut else []

    def _body(self, width: int) -> list[Line]:
        if self.state == "running":
            return super()._body(width)
        output = self._cut(output_lines(self._content, width), PREVIEW)
        return output if self.folded else [*self._command(width), *output]
