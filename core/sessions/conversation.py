"""The messages of one agent, and their transcript. What the model saw, in order, never changed in place."""

from __future__ import annotations

from collections.abc import Mapping

from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import Block, Message, ToolResultBlock, without_thinking
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.sessions.entries import (
    THINKING_DROPPED_RECORD,
    CallRecord,
    block_record,
    message_record,
    result_record,
    side_usage_record,
    system_record,
    usage_record,
    withdrawn_record,
)
from core.sessions.writer import TranscriptWriter


class Conversation:
    """An immutable tuple of messages that grows by being replaced."""

    def __init__(self, writer: TranscriptWriter, messages: tuple[Message, ...] = ()) -> None:
        self._writer = writer
        self.messages = messages
        self.last_usage = Usage()
        """Of the newest response; what the window holds is counted from it."""

    def append(self, message: Message) -> None:
        """Add a message and write it down."""
        self.messages = (*self.messages, message)
        self._writer.write(message_record(message), message.id if message.role != "assistant" else None)

    def record_block(self, message_id: str, block: Block, model: str) -> None:
        """Write down a block of a response before the response is complete."""
        self._writer.write(block_record(message_id, block, model))

    def record_result(self, block: ToolResultBlock, call: CallRecord) -> None:
        """Write down the result of a call as it comes."""
        self._writer.write(result_record(block, call))

    def append_recorded(self, message: Message) -> None:
        """Add a message whose parts are written already."""
        self.messages = (*self.messages, message)

    def withdraw(self, message_ids: tuple[str, ...]) -> None:
        """Take messages at the end out again: the model is not to read them any more."""
        self.messages = tuple(message for message in self.messages if message.id not in message_ids)
        self._writer.write(withdrawn_record(message_ids))

    def drop_thinking(self) -> bool:
        """Take every thought out of what was said so far; False where there was none."""
        kept = tuple(without_thinking(message) for message in self.messages)
        if kept == self.messages:
            return False
        self.messages = kept
        self._writer.write(THINKING_DROPPED_RECORD)
        return True

    def record_usage(
        self, message_id: str, model: str, usage: Usage, stop_reason: str, *, is_kept: bool = True
    ) -> None:
        """Write down what a response took. What the window holds is counted from it, unless nothing of it is kept."""
        if is_kept:
            self.last_usage = usage
        self._writer.write(usage_record(message_id, model, usage, stop_reason))

    def record_side_usage(self, source: str, model: str, usage: Usage, agent: str = MAIN_AGENT) -> None:
        """Write down what a request beside the conversation took."""
        self._writer.write(side_usage_record(source, model, usage, agent))

    def record_system(self, system: SystemPrompt, tools_digest: str, deferred_tools: Mapping[str, str]) -> None:
        """Write down the system prompt: a resumed session must send the same one."""
        self._writer.write(system_record(system, tools_digest, deferred_tools))

    def sync(self) -> None:
        """Make what was written safe on disk."""
        self._writer.sync()

    def close(self) -> None:
        """Let go of the transcript."""
        self._writer.close()
