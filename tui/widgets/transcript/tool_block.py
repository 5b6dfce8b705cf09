"""A tool call in the conversation: one line while folded, its change, output or result below."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from core.protocol.views import TodoItem, ToolDisplay
from tui.keymap import key_text
from tui.rendering.amounts import duration
from tui.rendering.call_remarks import CLEARED, batch_state, kept_in, result_size, tool_title
from tui.rendering.inquiry_views import answer_lines, comment_lines
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span
from tui.rendering.markdown import render_markdown
from tui.rendering.sanitize import clean_copy, clean_line
from tui.rendering.tool_views import (
    argument,
    change_lines,
    code_of_call,
    command_lines,
    file_of_call,
    headline,
    output_lines,
    todo_lines,
)
from tui.widgets.transcript.blocks import PROSE_COLUMNS, Block

State = Literal["waiting", "asking", "running", "done", "failed"]
GroupPlace = Literal["", "first", "middle", "last"]

TASK_TOOL = "Task"
"""The tool whose calls start agents."""
SIGNS: dict[State, str] = {"waiting": "○", "asking": "?", "running": "◐", "done": "●", "failed": "✗"}
GROUP_SIGNS: dict[GroupPlace, str] = {"": "  ", "first": "│ ", "middle": "│ ", "last": "╰ "}
DIFF_PREVIEW = 14
OUTPUT_PREVIEW = 4
PLAN_PREVIEW = 8
LIVE_PREVIEW = 8
LIVE_PREVIEW_IN_GROUP = 2
"""Calls that run side by side share the screen."""


class ToolBlock(Block):
    """One call from the moment it is asked for to its result."""

    __slots__ = (
        "_content",
        "_cwd",
        "_display",
        "_duration_ms",
        "_input",
        "_input_chars",
        "_members",
        "_plan",
        "_progress",
        "_progress_lines",
        "_todos",
        "group",
        "has_fold_hint",
        "is_cleared",
        "name",
        "state",
    )

    def __init__(self, block_id: str, name: str, cwd: str) -> None:
        super().__init__(block_id)
        self.name = name
        self.state: State = "waiting"
        self.group: GroupPlace = ""
        self._members: Sequence[ToolBlock] = ()
        self._cwd = cwd
        self._input: dict[str, Any] = {}
        self._input_chars = 0
        self._progress = ""
        self._progress_lines = 0
        self._content = ""
        self._display = ToolDisplay()
        self._duration_ms = 0
        self._todos: tuple[TodoItem, ...] = ()
        self._plan = ""
        self.has_fold_hint = True
        self.is_cleared = False
        """Whether the model no longer reads the result; it is still shown here."""

    @property
    def is_foldable(self) -> bool:
        return True

    @property
    def source(self) -> str:
        command = self._input.get("command")
        if isinstance(command, str):
            return f"$ {command}\n{self._content}"
        return self._plan or self._content

    @property
    def searched(self) -> str:
        return self.source if "command" in self._input else f"{self.headline}\n{self.source}"

    @property
    def code(self) -> str:
        return clean_copy(code_of_call(self.name, self._input))

    @property
    def output(self) -> str:
        return clean_copy(self._content)

    @property
    def file(self) -> str:
        path = self._display.saved_to or file_of_call(self._input)
        return os.path.normpath(os.path.join(self._cwd, path)) if path else ""  # noqa: PTH118  lexical

    @property
    def is_complete(self) -> bool:
        return self.state in ("done", "failed")

    @property
    def headline(self) -> str:
        """Its name and the one argument that matters."""
        return f"{clean_line(self.name)} {argument(self.name, self._input, self._cwd)}".rstrip()

    def feed_input(self, count: int) -> None:
        """More characters of the input have come."""
        self._input_chars += count
        self.touch()

    def set_input(self, arguments: dict[str, Any]) -> None:
        """The input is complete."""
        self._input = arguments
        self.touch()

    def set_state(self, state: State) -> None:
        """Waiting, asking or running."""
        self.state = state
        self.touch()

    def show_plan(self, plan: str) -> None:
        """The plan that the call puts before the user."""
        self._plan = plan
        self.touch()

    @property
    def batch_head(self) -> ToolBlock:
        """The block that shows the state of the batch it runs in; itself where it runs alone."""
        return self._members[0] if self._members else self

    def touch(self) -> None:
        """Declare a change; the head of its batch changes too."""
        super().touch()
        if self._members and self._members[0] is not self:
            self._members[0].touch()

    def set_group(self, place: GroupPlace, members: Sequence[ToolBlock] = ()) -> None:
        """Its place in a batch that runs at once, and all calls of the batch."""
        self.group = place
        self._members = members
        self.margin = 0 if place in ("middle", "last") else 1
        self.touch()

    def progress(self, text: str, total_lines: int) -> None:
        """The tail of what it prints."""
        self._progress, self._progress_lines = text, total_lines
        self.touch()

    def finish(
        self, content: str, display: ToolDisplay, duration_ms: int, *, is_error: bool, todos: tuple[TodoItem, ...]
    ) -> None:
        """The result."""
        self.state = "failed" if is_error else "done"
        self._content, self._display, self._duration_ms = content, display, duration_ms
        self._todos = todos
        self._plan = str(display.details.get("plan", self._plan))
        self._progress = ""
        self.touch()

    def move_result(self, path: str, content: str | None = None) -> None:
        """The model gets only ``content`` of the result, or where that is None a mere marker; the whole is in a file,
        unless the path is empty."""
        if content is None:
            self.is_cleared = True
        else:
            self._content = content
        if path:
            self._display = replace(self._display, saved_to=path)
        self.touch()

    def lines(self, width: int) -> list[Line]:
        gutter: Span = (GROUP_SIGNS[self.group], f"tool.group {DECOR}")
        spans: list[Span] = [
            gutter,
            (f"{SIGNS[self.state]} ", f"state.{self.state} {DECOR}"),
            (tool_title(self.name), "tool.name"),
        ]
        about = argument(self.name, self._input, self._cwd) if self._input else ""
        if about:
            spans.append((f" {about}", "tool.argument"))
        head = headline(spans, self.remark, width)
        inner: Span = ("│ " if self.group in ("first", "middle") else "  ", f"tool.group {DECOR}")
        body = [(inner, ("  ", f"text {DECOR}"), *line) for line in self._body(width - 4)]
        return [*self._batch_line(width), head, *body]

    def _batch_line(self, width: int) -> list[Line]:
        """The line above a batch."""
        if self.group != "first" or len(self._members) < 2:
            return []
        what = "agents" if all(block.name == TASK_TOOL for block in self._members) else "calls"
        spans: list[Span] = [
            ("╭ ", f"tool.group {DECOR_ROW}"),
            (f"{len(self._members)} {what} at once", "muted"),
        ]
        return [headline(spans, batch_state([block.state for block in self._members]), width)]

    @property
    def remark(self) -> str:
        """How it is, or how it went."""
        match self.state:
            case "waiting":
                return f"{self._input_chars:,} characters…" if self._input_chars and not self._input else "waiting"
            case "asking":
                return "waiting for your answer"
            case "running":
                lines = self._progress_lines
                return f"running · {lines:,} line{'' if lines == 1 else 's'}" if lines else "running"
            case "done" | "failed":
                # What went wrong stands in full below: said twice, it would leave no room for what it is about.
                told = self.state == "failed" and self._content.startswith(self._display.summary)
                size = "" if told else result_size(self.name, self._content, self._display, self._todos)
                # There are many that were cleared, and a key opens each: the name of its file is for a closer look.
                is_told = not (self.is_cleared and self.folded)
                kept = kept_in(self._display.saved_to, self._cwd) if is_told else ""
                parts = [
                    size,
                    CLEARED if self.is_cleared else "",
                    f"kept in {kept}" if kept else "",
                    duration(self._duration_ms),
                ]
                return " · ".join(part for part in parts if part)

    def _body(self, width: int) -> list[Line]:
        if self._plan:
            told = output_lines(self._content, width, "bad") if self.state == "failed" else []
            told += comment_lines(self._display.details.get("comment"), width)
            plan = render_markdown(self._plan, min(width, PROSE_COLUMNS))
            return [*told, *(self._cut(plan, PLAN_PREVIEW) if self.is_complete else plan)]
        if self.state in ("waiting", "asking", "running"):
            live = output_lines(self._progress, width) if self._progress else []
            tail = LIVE_PREVIEW_IN_GROUP if self.group and self.folded else LIVE_PREVIEW
            return [*(self._command(width) if not self.folded else []), *live[-tail:]]
        if self.state == "failed":
            return self._cut(output_lines(self._content, width, "bad"), OUTPUT_PREVIEW)
        if "answers" in self._display.details:
            return answer_lines(self._display.details, width)
        if self._display.diff is not None:
            return change_lines(self._display.diff, width, DIFF_PREVIEW if self.folded else None)
        if self.name == "TodoWrite":
            return [] if self.folded else todo_lines(self._todos, width)
        if self.name == "Bash":
            output = output_lines(self._content, width)
            return self._cut(output, OUTPUT_PREVIEW) if self.folded else [*self._command(width), *output]
        return [] if self.folded else output_lines(self._content, width)

    def _command(self, width: int) -> list[Line]:
        command = self._input.get("command")
        return command_lines(command, width) if isinstance(command, str) else []

    def _cut(self, lines: list[Line], limit: int) -> list[Line]:
        """The first lines while folded, and how many there are beside them."""
        if not self.folded or len(lines) <= limit + 1:
            return lines
        key = [text] if (text := key_text("view.transcript")) else []
        hint = f" ({' or '.join(('click', *key))})" if self.has_fold_hint else ""
        return [*lines[:limit], ((f"… {len(lines) - limit} more lines{hint}", f"faint {DECOR_ROW}"),)]
