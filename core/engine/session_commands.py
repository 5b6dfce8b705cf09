"""What the user asks of the conversation itself between two turns: compact it, undo that, hand it off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from core.context.revision import compacting, undoing
from core.context.tokens import estimate
from core.protocol.context_events import CompactionFinished, CompactionUndone, HandoffWritten
from core.protocol.errors import AgentError
from core.protocol.events import Notice
from core.protocol.messages import Message, TextBlock
from core.query.compaction import compact
from core.query.handoff import write_brief
from core.query.room import can_compact
from core.query.turn import Query, TurnOutcome
from core.sessions.conversation import Conversation
from core.sessions.entries import RecordBase
from core.sessions.writer import TranscriptWriter
from core.version import __version__

COMPACT, UNDO, HANDOFF = "/compact", "/uncompact", "/handoff"
COMMANDS = (COMPACT, UNDO, HANDOFF)
NOTHING_YET = "There is nothing to compact yet."
NOTHING_NEW = "There is nothing new to compact since the last time."


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command with what follows it."""

    name: str
    argument: str = ""


def read_command(line: str) -> CommandLine | None:
    """The command of a queued line; None for another line."""
    name, _, argument = line.partition(" ")
    return CommandLine(name, argument.strip()) if name in COMMANDS else None


async def run_command(command: CommandLine, query: Query) -> TurnOutcome:
    """Carry it out; what cannot be done is told. An interrupt leaves everything as it was."""
    try:
        match command.name:
            case "/compact":
                if not can_compact(query):
                    raise AgentError(NOTHING_NEW if query.conversation.can_undo else NOTHING_YET)
                await compact(query, "manual", command.argument)
            case "/uncompact":
                undo(query)
            case _:
                await hand_off(query, command.argument)
    except AgentError as error:
        query.publisher.emit(Notice(level="warning", text=error.user_message, hint=error.hint))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        return TurnOutcome("interrupted")
    return TurnOutcome("completed")


def undo(query: Query) -> None:
    """Take back the last compaction. Raises ``AgentError`` where there is none."""
    conversation = query.conversation
    if not conversation.can_undo:
        raise AgentError("There is no compaction to undo.", "Only the last one can be undone, once.")
    before, since = query.context_tokens(), conversation.since_compaction
    after = query.overhead + sum(estimate(message) for message in (*conversation.undoable, *since))
    event = CompactionUndone(before=before, after=after)
    conversation.change(undoing(since, event))
    query.watch.announce("the compaction was undone")
    query.rebase(query.state)
    query.publisher.emit(event)
    query.publish_usage(after)


async def hand_off(query: Query, goal: str) -> None:
    """Write a brief into a new session's transcript, linked both ways. Raises ``AgentError``."""
    if not query.conversation.said:
        raise AgentError("There is nothing to hand off yet.")
    transcript = query.conversation.transcript
    brief, texts = await write_brief(query, goal, str(transcript))
    host, publisher = query.host, query.publisher
    session_id = host.ids.uuid()
    before = query.context_tokens()
    base = RecordBase(session_id=session_id, cwd=str(query.calls.services.root), version=__version__)
    target = Conversation(
        TranscriptWriter(host.open_log(transcript.with_name(f"{session_id}.jsonl")), base, host, publisher)
    )
    head = tuple(
        Message(
            id=host.ids.uuid(), role="user", content=(TextBlock(text=text),), ts=host.clock.time(), is_meta=True,
            is_summary=number == 0,
        )
        for number, text in enumerate(texts)
    )  # fmt: skip
    event = CompactionFinished(
        compaction_id=session_id,
        trigger="manual",
        method="full",
        before=before,
        after=query.overhead + sum(estimate(message) for message in head),
        summary=brief,
        kept=(f"handed off from session {transcript.stem}",),
    )
    target.link("handed_from", transcript.stem)
    target.change(replace(compacting((), head, 0, event), said=query.conversation.said))
    target.close()
    query.conversation.link("handed_to", session_id)
    publisher.emit(HandoffWritten(session_id=session_id, brief=brief))
