"""Keeps running notes of the session, so that it can be compacted without a summary being written."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import cast, get_args

from core.bus.bus import Publisher
from core.bus.subscription import Subscription
from core.context.session_memory import START_TOKENS, STEP_CALLS, STEP_TOKENS, Note, Notebook, NoteKind, Notes
from core.host.files import write_atomic
from core.host.log import LOGGER
from core.llm.errors import ModelError
from core.llm.side import SideQuestion, SideRequests
from core.prompt.sections import template
from core.protocol.codec import from_json, to_json
from core.protocol.events import CompactionFinished, CompactionUndone, Event, ToolFinished, UsageUpdated
from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import Message, TextBlock, ToolResultBlock, ToolUseBlock
from core.sessions.conversation import Conversation

MAX_OUTPUT_TOKENS = 512
MAX_CHARS = 60_000
"""Of what was said and done since: what is beyond it is for the next time."""
MAX_TEXT_CHARS = 4_000
MAX_RESULT_CHARS = 600
MAX_INPUT_CHARS = 400
LINE = re.compile(rf"\s*[-*]?\s*({'|'.join(get_args(NoteKind))})\s*:\s*(\S.*)", re.IGNORECASE)
NOTHING = "none"


class SessionNotes:
    """Watches the session's events and takes notes when there is enough that is new; one request at a time."""

    def __init__(
        self, conversation: Conversation, notebook: Notebook, side: SideRequests, publisher: Publisher, path: Path
    ) -> None:
        self._conversation = conversation
        self._notebook = notebook
        self._side = side
        self._publisher = publisher
        self._path = path
        self._tokens = 0
        """In the window when notes were last taken."""
        self._calls = 0
        """Since then."""
        self._writing: asyncio.Task[None] | None = None

    async def run(self, events: Subscription) -> None:
        """Until it is cancelled."""
        await asyncio.to_thread(self._load)
        try:
            while batch := await events.read():
                for envelope in batch:
                    if envelope.agent_id == MAIN_AGENT:
                        self._see(envelope.event)
        finally:
            events.close()
            if self._writing is not None:
                self._writing.cancel()

    def _see(self, event: Event) -> None:
        match event:
            case ToolFinished():
                self._calls += 1
            case CompactionFinished() | CompactionUndone():
                self._tokens, self._calls = event.after, 0
            case UsageUpdated() if self._is_due(event.context_tokens):
                self._tokens, self._calls = event.context_tokens, 0
                self._writing = asyncio.create_task(self._write(), name="take-notes")
            case _:
                pass

    def _is_due(self, tokens: int) -> bool:
        if self._writing is not None and not self._writing.done():
            return False
        if not self._notebook.notes.covered:
            return tokens >= START_TOKENS
        return tokens - self._tokens >= STEP_TOKENS and self._calls >= STEP_CALLS

    async def _write(self) -> None:
        """Take notes of what is new. A failure is for the debug log only."""
        before = self._notebook.notes
        new = fitting(self._notebook.since(self._conversation.messages))
        if not new:
            return
        text = f"<notes>\n{before.text or '(none yet)'}\n</notes>\n\n<since>\n{as_text(new)}\n</since>"
        question = SideQuestion(
            source="session_memory",
            system=template("session_notes"),
            messages=[{"role": "user", "content": [{"type": "text", "text": text}]}],
            tools=[],
            max_tokens=MAX_OUTPUT_TOKENS,
        )
        try:
            answer = await self._side.ask(question, self._publisher)
        except ModelError as error:
            LOGGER.info("session notes failed: %s", error)
            return
        said = "\n".join(block.text for block in answer.blocks if isinstance(block, TextBlock))
        lines = parse_notes(said)
        if not lines and said.strip().lower().rstrip(".") != NOTHING:
            LOGGER.info("session notes have no line that can be read: %r", said[:200])
            return
        if self._notebook.notes is not before:
            # The conversation was compacted meanwhile: these lines tell of what its summary tells of.
            return
        self._notebook.notes = before.with_lines(lines, new[-1].id)
        await asyncio.to_thread(self._save, self._notebook.notes)

    def _save(self, notes: Notes) -> None:
        try:
            write_atomic(self._path, json.dumps(to_json(notes), ensure_ascii=False, indent=1).encode(), 0o600)
        except OSError as error:
            LOGGER.info("session notes cannot be saved: %s", error)

    def _load(self) -> None:
        """Take up the notes of an earlier run, where they are about this conversation; else they go on from the
        summary that it begins with."""
        messages, notes = self._conversation.messages, Notes()
        with contextlib.suppress(OSError, ValueError):
            notes = from_json(Notes, json.loads(self._path.read_text("utf-8")))
        if any(message.id == notes.covered for message in messages):
            self._notebook.notes = notes
        elif self._conversation.summary and messages:
            self._notebook.begin_anew(self._conversation.summary, messages)


def parse_notes(text: str) -> tuple[Note, ...]:
    """The lines that are notes."""
    found = (LINE.fullmatch(line) for line in text.splitlines())
    return tuple(Note(kind=cast("NoteKind", match[1].lower()), text=match[2].strip()) for match in found if match)


def fitting(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The oldest of the messages, as many as notes are taken of at once; one at least."""
    chars, end = 0, 0
    for message in messages:
        chars += len(as_text((message,)))
        if end and chars > MAX_CHARS:
            break
        end += 1
    return messages[:end]


def as_text(messages: tuple[Message, ...]) -> str:
    """What was said and done, short."""
    text = "\n".join(piece for message in messages for piece in _pieces(message))
    return text if len(text) <= MAX_CHARS else f"[…]\n{text[-MAX_CHARS:]}"


def _pieces(message: Message) -> list[str]:
    who = {"user": "program" if message.is_meta else "engineer", "assistant": "agent", "system": "program"}
    pieces: list[str] = []
    for block in message.content:
        match block:
            case TextBlock():
                pieces.append(f"{who[message.role]}: {_cut(block.text, MAX_TEXT_CHARS)}")
            case ToolUseBlock():
                given = json.dumps(block.input, ensure_ascii=False)
                pieces.append(f"call {block.name} {_cut(given, MAX_INPUT_CHARS)}")
            case ToolResultBlock():
                pieces.append(f"result: {_cut(block.shown, MAX_RESULT_CHARS)}")
            case _:
                pass
    return pieces


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} […] {text[-most // 2 :]}"
