"""From events to the screen: one method for each event. The only place that knows both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from core.protocol import events as ev
from core.protocol.envelope import Envelope
from core.protocol.messages import TextBlock as TextContent
from core.protocol.messages import ThinkingBlock as ThinkingContent
from core.protocol.messages import ToolUseBlock
from core.protocol.views import TodoItem
from tui.presenter.surfaces import Surfaces
from tui.rendering.amounts import dollars, duration, tokens
from tui.rendering.tool_views import short_path
from tui.widgets.transcript.blocks import (
    Block,
    NoticeBlock,
    PromptBlock,
    RuleBlock,
    TextBlock,
    ThinkingBlock,
    WelcomeBlock,
)
from tui.widgets.transcript.tool_block import ToolBlock

B = TypeVar("B", bound=Block)

END_WORDS: dict[str, tuple[str, str]] = {
    "interrupted": ("■ Interrupted. What was done stands; say how to go on.", "caution"),
    "denied": ("■ Stopped at your no. Say what to do instead.", "caution"),
    "max_turns": ("■", "caution"),
    "max_tokens": ("■", "caution"),
    "refusal": ("■ The model declined:", "caution"),
    "context_full": ("■", "caution"),
    "error": ("✗", "notice.error"),
}


class Presenter:
    """Keeps only what it needs to find a block again."""

    def __init__(self, surfaces: Surfaces) -> None:
        self._on = surfaces
        self._cwd = ""
        self._mode = "default"
        self._blocks: dict[str, Block] = {}
        self._tools: dict[str, ToolBlock] = {}
        self._batch: tuple[str, int] = ("", -1)
        self._batch_tools: list[ToolBlock] = []
        self._running: dict[str, str] = {}
        self._asking: set[str] = set()
        self._cost_before = 0.0
        self._cost: float | None = 0.0
        self._up = self._down = 0
        self._todos: tuple[TodoItem, ...] = ()
        self._count = 0

    @property
    def mode(self) -> str:
        """The permission mode as last told."""
        return self._mode

    def apply(self, batch: Sequence[Envelope]) -> None:
        """Show a batch, then lay out once."""
        for envelope in batch:
            self.show(envelope)
        self.flush()

    def show(self, envelope: Envelope) -> None:
        """Show one event; laid out at the next ``flush``."""
        getattr(self, f"on_{envelope.event.kind}")(envelope.event)

    def flush(self) -> None:
        """Lay out what has changed."""
        self._on.transcript.flush()

    def on_session_started(self, event: ev.SessionStarted) -> None:
        """Fill the header, the mode and the gauge."""
        self._cwd = event.cwd
        self._on.header.show_session(event.cwd, event.model, is_demo=event.is_demo)
        self._on.footer.show_window(event.context_window)
        self._set_mode(event.mode)
        if event.is_resumed:
            self._add(NoticeBlock(self._next_id(), "info", "Taken up where it was left."))
        else:
            self._add(WelcomeBlock(self._next_id(), event.version, is_demo=event.is_demo))

    def on_workspace_read(self, event: ev.WorkspaceRead) -> None:
        """The branch, and the files that speak to the model."""
        self._on.header.show_branch(event.branch)
        if event.instruction_files:
            names = ", ".join(short_path(path, self._cwd) for path in event.instruction_files)
            self._add(NoticeBlock(self._next_id(), "info", f"Instructions read: {names}"))

    def on_model_changed(self, event: ev.ModelChanged) -> None:
        """Another model, another window."""
        self._on.header.show_model(event.model)
        self._on.footer.show_window(event.context_window)

    def on_mode_changed(self, event: ev.ModeChanged) -> None:
        """Another mode."""
        self._set_mode(event.mode)

    def on_notice(self, event: ev.Notice) -> None:
        """A line in the conversation."""
        self._add(NoticeBlock(self._next_id(), event.level, event.text, event.hint))

    def on_fault_occurred(self, event: ev.FaultOccurred) -> None:
        """An error of ours, with where to read more."""
        self._add(NoticeBlock(self._next_id(), "error", event.text, f"Details are in {event.log_path}."))

    def on_queue_changed(self, event: ev.QueueChanged) -> None:
        """What waits above the composer."""
        self._on.queue.show(event.items)
        self._on.composer.has_queue = bool(event.items)

    def on_prompt_submitted(self, event: ev.PromptSubmitted) -> None:
        """The user's words."""
        self._add(PromptBlock(event.message_id, event.text))

    def on_turn_started(self, event: ev.TurnStarted) -> None:
        """The status line begins to move."""
        self._running.clear()
        self._asking.clear()
        self._up = self._down = 0
        self._cost_before = self._cost or 0.0
        self._on.status.begin()

    def on_turn_ended(self, event: ev.TurnEnded) -> None:
        """The status line comes to rest; a quiet line sums up."""
        self._on.status.end()
        if event.reason == "completed":
            cost = dollars(self._cost - self._cost_before) if self._cost is not None else ""
            requests = f"{event.steps} request{'' if event.steps == 1 else 's'}"
            parts = [duration(event.duration_ms), requests, cost]
            self._add(RuleBlock(self._next_id(), "─ " + " · ".join(part for part in parts if part)))
        else:
            words, style = END_WORDS[event.reason]
            self._add(RuleBlock(self._next_id(), f"{words} {event.detail}".strip(), style))

    def on_request_started(self, event: ev.RequestStarted) -> None:
        """The model has the word."""
        self._on.status.show_activity("Waiting for the model")

    def on_request_finished(self, event: ev.RequestFinished) -> None:
        """Count what went up and came down."""
        self._up += event.usage.prompt_tokens
        self._down += event.usage.output_tokens
        self._on.status.show_tokens(f"↑ {tokens(self._up)} ↓ {tokens(self._down)}")

    def on_request_failed(self, event: ev.RequestFailed) -> None:
        """A countdown, or nothing more than the end of the turn will say."""
        if event.retry_in_s is not None:
            seconds = f"in {event.retry_in_s:.0f} s" if event.retry_in_s >= 1 else "now"
            text = f"{event.reason} Attempt {event.attempt}; trying again {seconds}."
            self._add(NoticeBlock(self._next_id(), "warning", text))
            self._on.status.show_retry(event.reason, event.retry_in_s)

    def on_block_started(self, event: ev.BlockStarted) -> None:
        """A block begins to show."""
        match event.block_kind:
            case "text":
                self._open(event.block_id, TextBlock(event.block_id))
                self._on.status.show_activity("Answering")
            case "thinking":
                self._open(event.block_id, ThinkingBlock(event.block_id))
                self._on.status.show_activity("Thinking")
            case "tool_use":
                self._open(event.block_id, ToolBlock(event.block_id, event.tool_name, self._cwd))
                self._on.status.show_activity(f"Preparing {event.tool_name}")
            case "other":
                pass

    def on_block_delta(self, event: ev.BlockDelta) -> None:
        """More of a block."""
        block = self._blocks.get(event.block_id)
        match block:
            case TextBlock() | ThinkingBlock():
                block.feed(event.text)
            case ToolBlock():
                block.feed_input(len(event.text))
            case _:
                return
        self._on.transcript.changed(block)

    def on_block_finished(self, event: ev.BlockFinished) -> None:
        """The whole block; it may be the first that is heard of it."""
        content = event.block
        block = self._blocks.pop(event.block_id, None)
        match content:
            case TextContent():
                shown = block if isinstance(block, TextBlock) else self._add(TextBlock(event.block_id))
                shown.finish(content.text, interrupted=event.interrupted)
            case ThinkingContent():
                shown = block if isinstance(block, ThinkingBlock) else self._add(ThinkingBlock(event.block_id))
                shown.finish(content.thinking)
                if not content.thinking.strip():
                    self._on.transcript.drop(shown)
                    return
            case ToolUseBlock():
                shown = block
                if not isinstance(shown, ToolBlock):
                    shown = self._add(ToolBlock(event.block_id, content.name, self._cwd))
                shown.set_input(content.input)
                self._tools[content.id] = shown
            case _:
                return
        self._on.transcript.changed(shown)
        self._show_work()

    def on_block_discarded(self, event: ev.BlockDiscarded) -> None:
        """It did not survive."""
        block = self._blocks.pop(event.block_id, None)
        if block is None:
            block = next((b for b in self._on.transcript.blocks if b.id == event.block_id), None)
        if block is not None:
            self._on.transcript.drop(block)

    def on_tool_started(self, event: ev.ToolStarted) -> None:
        """A call runs; calls of one batch are drawn as a group."""
        block = self._tools.get(event.tool_use_id)
        if block is None:
            return
        block.set_state("running")
        self._running[event.tool_use_id] = event.name
        self._show_work()
        # Block ids begin with the response they are of: calls of two responses are never one group.
        key = (block.id.rpartition(":")[0], event.batch)
        if key != self._batch:
            self._batch, self._batch_tools = key, []
        if block not in self._batch_tools:
            self._batch_tools.append(block)
        self._group()
        self._on.transcript.changed(block)

    def on_tool_progress(self, event: ev.ToolProgress) -> None:
        """The tail of what it prints."""
        block = self._tools.get(event.tool_use_id)
        if block is not None:
            block.progress(event.text, event.total_lines)
            self._on.transcript.changed(block)

    def on_tool_finished(self, event: ev.ToolFinished) -> None:
        """The result."""
        block = self._tools.pop(event.tool_use_id, None)
        if block is None:
            return
        block.finish(event.content, event.display, event.duration_ms, is_error=event.is_error, todos=self._todos)
        self._running.pop(event.tool_use_id, None)
        self._show_work()
        self._on.transcript.changed(block)

    def on_permission_requested(self, event: ev.PermissionRequested) -> None:
        """The question opens above the composer."""
        block = self._tools.get(event.request.tool_use_id)
        if block is not None:
            block.set_state("asking")
            self._on.transcript.changed(block)
        self._asking.add(event.request.id)
        self._show_work()
        self._on.ask(event.request, self._cwd)

    def on_permission_resolved(self, event: ev.PermissionResolved) -> None:
        """The question closes."""
        self._on.withdraw(event.request_id)
        self._asking.discard(event.request_id)
        self._show_work()
        block = self._tools.get(event.tool_use_id)
        if block is not None and event.answer in ("once", "session"):
            block.set_state("running")
            self._on.transcript.changed(block)

    def on_permission_decided(self, event: ev.PermissionDecided) -> None:
        """Kept in the event log; the question shows the reason where there is one."""

    def on_todos_changed(self, event: ev.TodosChanged) -> None:
        """The list, wherever it is shown."""
        self._todos = event.items
        self._on.todos.show(event.items)
        current = next((item for item in event.items if item.status == "in_progress"), None)
        self._on.status.show_item((current.active_form or current.content) if current else "")

    def on_tasks_changed(self, event: ev.TasksChanged) -> None:
        """How many run in the background."""
        self._on.footer.show_tasks(sum(task.status == "running" for task in event.tasks))

    def on_usage_updated(self, event: ev.UsageUpdated) -> None:
        """The gauge."""
        self._cost = event.cost_usd
        prompt = event.last.prompt_tokens
        cache = f"cache {event.last.cache_read_tokens / prompt * 100:.0f}%" if prompt else ""
        self._on.footer.show_usage(event.context_tokens, event.context_window, cache, dollars(event.cost_usd))

    def on_unknown(self, event: ev.UnknownEvent) -> None:
        """From a newer version: nothing that this one could show."""

    def _set_mode(self, mode: str) -> None:
        self._mode = mode
        self._on.footer.show_mode(mode)

    def _show_work(self) -> None:
        """What the calls are at: a question to the user comes before what runs."""
        names = list(self._running.values())
        if self._asking:
            self._on.status.show_activity("Waiting for you")
        elif names:
            self._on.status.show_activity(f"Running {names[0]}" if len(names) == 1 else f"Running {len(names)} tools")

    def _group(self) -> None:
        """Mark the members of the running batch as one group."""
        members = self._batch_tools
        if len(members) < 2:
            return
        for place, block in enumerate(members):
            block.set_group("first" if place == 0 else "last" if place == len(members) - 1 else "middle")
            self._on.transcript.changed(block)

    def _open(self, block_id: str, block: Block) -> None:
        self._blocks[block_id] = block
        self._add(block)

    def _add(self, block: B) -> B:
        self._on.transcript.append(block)
        return block

    def _next_id(self) -> str:
        self._count += 1
        return f"note-{self._count}"
