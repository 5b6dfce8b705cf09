"""A subagent in the conversation that started it: one line with its last words below it, unfolded all that it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from core.protocol.agent_views import AgentInfo
from core.protocol.views import QueuedMessage, TodoItem, ToolDisplay
from tui.keymap import key_text
from tui.rendering.agent_views import (
    AgentNow,
    agent_details,
    agent_head,
    agent_remarks,
    agent_style,
    agent_words,
    is_moving,
    standing,
)
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, truncate
from tui.rendering.markdown import render_markdown
from tui.rendering.sanitize import clean_line
from tui.rendering.todo_list import fitted_todos
from tui.rendering.tool_views import argument, output_lines
from tui.widgets.transcript.agent_lines import NewestLines, above_line, last_lines
from tui.widgets.transcript.blocks import PROSE_COLUMNS, Block
from tui.widgets.transcript.tool_block import GROUP_SIGNS, OUTPUT_PREVIEW, TASK_TOOL, State, ToolBlock

LIVE_LINES = 3
"""Of an agent that runs alone."""
TODO_ROOM = 6
RECALLING = "What it said is being read…"
FOR_THE_MODEL = "\nagentId: "
"""Behind this the result of a call has what is shown of the agent anyway."""
GONE = "What it said then was let go of; once it is over it can be read again."
_STATES: dict[str, State] = {"○": "waiting", "?": "asking", "✓": "done", "✗": "failed", "■": "done"}


class Source(Protocol):
    """Where the blocks of an agent come from: its ``Feed``."""

    @property
    def newest(self) -> Iterable[Block]: ...
    def attach(self, view: NewestLines) -> None: ...
    def detach(self, view: NewestLines) -> None: ...


class Followed(Protocol):
    """An agent as the presenter knows it: a ``Sidechain``."""

    info: AgentInfo
    activity: str
    item: str
    todos: tuple[TodoItem, ...]
    queued: tuple[QueuedMessage, ...]
    is_asking: bool
    heard: float | None
    is_let_go: bool

    @property
    def feed(self) -> Source: ...


class AgentBlock(ToolBlock):
    """The call of a Task, or an agent that the user has started: follows the agent until this run of it is over.

    It has a view of the agent's conversation while it is unfolded and looked at. ``redraw`` has it drawn."""

    __slots__ = ("_chain", "_ended", "_lines", "_now", "_redraw", "_result")

    def __init__(self, block_id: str, cwd: str, redraw: Callable[[Block], None], now: Callable[[], float]) -> None:
        super().__init__(block_id, TASK_TOOL, cwd)
        self._redraw = redraw
        self._now = now
        self._chain: Followed | None = None
        self._ended: AgentInfo | None = None
        """How this run ended; the agent may go on in another."""
        self._result = ""
        self._lines: NewestLines | None = None

    # What it follows

    def follow(self, chain: Followed) -> None:
        """This is the agent."""
        self._chain = chain
        self.refresh()

    def refresh(self) -> None:
        """The agent is at something else."""
        info = self.info
        if info is not None:
            self.state = _STATES.get(standing(info, self._at).sign, "running")
        self.touch()

    def end(self, result: str) -> None:
        """This run is over."""
        self._result = result
        self.refresh()
        self._ended = self.info
        self.touch()

    @property
    def info(self) -> AgentInfo | None:
        """What is known of the agent; None before it has started, and where it was another run of the program."""
        return self._ended or (self._chain.info if self._chain is not None else None)

    @property
    def has_ended(self) -> bool:
        """Whether the run that it shows is over."""
        return self._ended is not None

    @property
    def at_work(self) -> str:
        """Which agent it is and what it is at."""
        activity = self._chain.activity if self._chain is not None else ""
        return f"{self.headline}: {activity}" if activity else self.headline

    @property
    def _at(self) -> AgentNow:
        chain = self._chain
        if chain is None or self._ended:
            return AgentNow(now=self._now())
        return AgentNow(now=self._now(), activity=chain.activity, is_asking=chain.is_asking, heard=chain.heard)

    # What a block is

    @property
    def is_moving(self) -> bool:
        return self.info is not None and is_moving(self.info, self._at)

    @property
    def is_at_hand(self) -> bool:
        return self._chain is None or not self._chain.is_let_go

    @property
    def is_complete(self) -> bool:
        return super().is_complete and (self.info is None or self.info.is_over)

    @property
    def headline(self) -> str:
        if self.info is not None:
            return clean_line(self.info.label)
        return argument(TASK_TOOL, self._input, self._cwd) or TASK_TOOL

    @property
    def source(self) -> str:
        return self._result or super().source

    @property
    def remark(self) -> str:
        if self.info is None:
            return super().remark
        return agent_words(self.info, self._at)

    def toggle(self) -> bool:
        self.release()
        return super().toggle()

    def release(self) -> None:
        if self._lines is not None and self._chain is not None:
            self._chain.feed.detach(self._lines)
            self._lines = None

    def set_state(self, state: State) -> None:
        super().set_state(state)
        self.refresh()

    def finish(
        self, content: str, display: ToolDisplay, duration_ms: int, *, is_error: bool, todos: tuple[TodoItem, ...]
    ) -> None:
        """The result of the call; the agent may go on in the background."""
        super().finish(content, display, duration_ms, is_error=is_error, todos=todos)
        self.refresh()

    # Drawing

    def lines(self, width: int) -> list[Line]:
        gutter: Span = (GROUP_SIGNS[self.group], f"tool.group {DECOR}")
        inner: Span = ("│ " if self.group in ("first", "middle") else "  ", f"tool.group {DECOR}")
        if self.info is None:
            head = super().lines(width)[len(self._batch_line(width))]
            body = self._result_lines(width - 4)
            return [*self._batch_line(width), head, *((inner, ("  ", f"text {DECOR}"), *line) for line in body)]
        head = agent_head(self.info, self._at, width, (gutter,))
        remarks = [truncate(((text, style),), width - 4) for text, style in agent_remarks(self.info, self._at)]
        if self.folded:
            rows = [*remarks, *(self._result_lines(width - 4) if self.info.is_over else self._live(width - 4))]
            bar: Span = ("  ", f"text {DECOR}")
        else:
            rows = [*remarks, *self._conversation(width - 4)]
            bar = ("▎ ", f"{agent_style(self.info)} {DECOR}")
        return [*self._batch_line(width), head, *((inner, bar, *row) for row in rows)]

    def _said(self) -> None:
        """Its conversation, which is shown, has changed."""
        self.touch()
        self._redraw(self)

    def _live(self, width: int) -> list[Line]:
        """The last of what it does while it runs."""
        chain = self._chain
        if chain is None:
            return []
        room = LIVE_LINES if not self.group else 2 if len(self._members) <= 4 else 1
        lines = last_lines(chain.feed.newest, room, width)
        if not lines and chain.activity:
            lines = [((f"{chain.activity}…", "muted"),)]
        if chain.item and room > 1:
            lines = [((f"◐ {chain.item}", "accent"),), *lines[1 - room :]]
        return [truncate(line, width) for line in lines]

    def _result_lines(self, width: int) -> list[Line]:
        """Its last words, or what went wrong."""
        # The result of a call that is not waited for only says that the agent has started, that of one that was stopped
        # says it to the model, as its head does here; else what follows its words is for the model.
        is_told = self.info is not None and (self.info.in_background or self.info.status == "killed")
        content = "" if is_told else self._content.partition(FOR_THE_MODEL)[0]
        if self.state == "failed":
            return self._cut(output_lines(content or self._result, width, "bad"), OUTPUT_PREVIEW)
        text = self._result or content
        return self._cut(render_markdown(text, min(width, PROSE_COLUMNS)), OUTPUT_PREVIEW) if text else []

    def _conversation(self, width: int) -> list[Line]:
        """Its figures, its todo list, the newest of what was said."""
        assert self._chain is not None and self.info is not None
        if self._lines is None:
            self._lines = NewestLines(width, self._said)
            self._chain.feed.attach(self._lines)
        rows: list[Line] = [truncate(((agent_details(self.info), f"muted {DECOR_ROW}"),), width)]
        rows += fitted_todos(self._chain.todos, width, TODO_ROOM)
        if self._chain.is_let_go:
            words = RECALLING if self._chain.info.is_over else GONE
            rows.append(((words, f"muted {DECOR_ROW}"),))
        newest, above = self._lines.lines(width)
        if above:
            rows.append(above_line(above, key_text("session.agents"), width))
        waiting: list[Line] = [
            truncate((("❯ ", f"prompt.mark {DECOR}"), (clean_line(item.text), "text"), ("  waits", "muted")), width)
            for item in self._chain.queued
        ]
        return [*rows, (), *newest, *([(), *waiting] if waiting else [])]
