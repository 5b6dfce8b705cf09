"""Events of a response's blocks: prose, thinking, calls that are still being written."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.messages import TextBlock as TextContent
from core.protocol.messages import ThinkingBlock as ThinkingContent
from core.protocol.messages import ToolUseBlock
from tui.presenter.base import PresenterBase
from tui.widgets.transcript.blocks import Block, TextBlock, ThinkingBlock
from tui.widgets.transcript.tool_block import TASK_TOOL, ToolBlock


class BlockEvents(PresenterBase):
    """Opens, feeds and finishes blocks of the conversation."""

    def on_block_started(self, event: ev.BlockStarted) -> None:
        """A block begins to show."""
        match event.block_kind:
            case "text":
                self._open(event.block_id, TextBlock(event.block_id))
                self._on.status.show_activity("Answering", is_awaited=True)
            case "thinking":
                self._open(event.block_id, ThinkingBlock(event.block_id))
                self._on.status.show_activity("Thinking", is_awaited=True)
            case "tool_use":
                self._open(event.block_id, self._call_block(event.block_id, event.tool_name))
                self._on.status.show_activity(f"Preparing {event.tool_name}", is_awaited=True)
            case "other":
                pass

    def on_block_delta(self, event: ev.BlockDelta) -> None:
        """More of a block."""
        self._on.status.hear()
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
                    shown = self._add(self._call_block(event.block_id, content.name))
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

    def _open(self, block_id: str, block: Block) -> None:
        self._blocks[block_id] = block
        self._add(block)

    def _call_block(self, block_id: str, tool: str) -> ToolBlock:
        if tool == TASK_TOOL:
            return self._agent_block(block_id)
        return ToolBlock(block_id, tool, self._cwd)
