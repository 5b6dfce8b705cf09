"""The messages of one agent, and their transcript. What the model saw, in order, never changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.protocol.agent_views import AgentInfo
from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import Block, Message, ToolResultBlock
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.sessions.changes import Change, Held, applied, change_record, unthought, withdrawn
from core.sessions.entries import (
    THINKING_DROPPED_RECORD,
    CallRecord,
    agent_record,
    block_record,
    link_record,
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

    def __init__(self, writer: TranscriptWriter, held: Held | None = None, said: tuple[Message, ...] = ()) -> None:
        self._writer = writer
        self._held = held or Held()
        self.said = said
        """Every prompt of the user, also those that the model no longer reads as messages."""
        self.last_usage = Usage()
        """Of the newest response."""
        self.handed_to = ""
        """The session that this one was handed off to while it ran."""

    @property
    def transcript(self) -> Path:
        """Where it is written down."""
        return self._writer.path

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the model reads."""
        return self._held.messages

    @property
    def known_tokens(self) -> int:
        """In the window behind the newest response, as the API counted it; 0 where it has not since a change."""
        return self._held.known_tokens

    @property
    def summary(self) -> str:
        """What the last compaction has put in place of what was said; empty where there was none."""
        return self._held.summary

    @property
    def can_undo(self) -> bool:
        """Whether the last compaction can be undone."""
        return bool(self._held.undoable)

    @property
    def since_compaction(self) -> tuple[Message, ...]:
        """What was added behind the last compaction that can be undone."""
        return self._held.messages[self._held.compacted :]

    @property
    def undoable(self) -> tuple[Message, ...]:
        """The messages before that compaction."""
        return self._held.undoable or ()

    def append(self, message: Message) -> None:
        """Add a message and write it down."""
        self._add(message)
        if is_said(message):
            self.said = (*self.said, message)
        self._writer.write(message_record(message), message.id if message.role != "assistant" else None)

    def record_block(self, message_id: str, block: Block, model: str) -> None:
        """Write down a block of a response before the response is complete."""
        self._writer.write(block_record(message_id, block, model))

    def record_result(self, block: ToolResultBlock, call: CallRecord) -> str:
        """Write down the result of a call as it comes; the id of its record."""
        return self._writer.write(result_record(block, call))

    def append_recorded(self, message: Message) -> None:
        """Add a message whose parts are written already."""
        self._add(message)

    def change(self, change: Change) -> None:
        """Change what the model reads, and write that down."""
        self._held = applied(self._held, change)
        self._writer.write(change_record(change))
        self._writer.sync()

    def record_agent(self, agent: AgentInfo) -> None:
        """Write down what the agent is at whose sidechain this is."""
        self._writer.write(agent_record(agent))
        self._writer.sync()

    def link(self, relation: str, session_id: str) -> None:
        """Write down what another session is to this one."""
        self.handed_to = session_id if relation == "handed_to" else self.handed_to
        self._writer.write(link_record(relation, session_id))

    def withdraw(self, message_ids: tuple[str, ...]) -> None:
        """Take messages at the end out again: the model is not to read them any more."""
        self._held = withdrawn(self._held, message_ids)
        self.said = tuple(message for message in self.said if message.id not in message_ids)
        self._writer.write(withdrawn_record(message_ids))

    def drop_thinking(self) -> bool:
        """Take every thought out of what was said so far; False where there was none."""
        without = unthought(self._held)
        if without.messages == self._held.messages:
            return False
        self._held = without
        self._writer.write(THINKING_DROPPED_RECORD)
        return True

    def record_usage(
        self, message_id: str, model: str, usage: Usage, stop_reason: str, *, is_kept: bool = True
    ) -> None:
        """Write down what a response took. What the window holds is counted from it, unless nothing of it is kept."""
        if is_kept:
            self.last_usage = usage
            self._held = replace(self._held, known_tokens=usage.context_tokens)
        self._writer.write(usage_record(message_id, model, usage, stop_reason, is_kept=is_kept))

    def record_side_usage(self, source: str, model: str, usage: Usage, agent: str = MAIN_AGENT) -> None:
        """Write down what a request beside the conversation took."""
        self._writer.write(side_usage_record(source, model, usage, agent))

    def record_system(self, system: SystemPrompt, tools_digest: str, deferred_tools: Mapping[str, str]) -> None:
        """Write down the system prompt: a resumed session must send the same one."""
        self._writer.write(system_record(system, tools_digest, deferred_tools))

    def _add(self, message: Message) -> None:
        self._held = replace(self._held, messages=(*self._held.messages, message))

    def sync(self) -> None:
        """Make what was written safe on disk."""
        self._writer.sync()

    def close(self) -> None:
        """Let go of the transcript."""
        self._writer.close()


def is_said(message: Message) -> bool:
    """Whether it is a prompt of the user's own."""
    return message.role == "user" and not message.is_meta and bool(message.text.strip())
