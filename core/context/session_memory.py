"""Running notes of a session, and what of a conversation stays behind them; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from core.context.tokens import estimate
from core.protocol.messages import Message, ToolResultBlock

START_TOKENS = 10_000
"""In the window, before the first notes are taken."""
STEP_TOKENS = 5_000
STEP_CALLS = 3
"""So much more, both, before they are taken again."""
MIN_TAIL_TEXTS = 5
"""Messages with text that stay at least."""
MIN_TAIL_TOKENS = 10_000
MAX_TAIL_TOKENS = 40_000

NoteKind = Literal["goal", "instruction", "decision", "file", "error", "failed", "pending", "next"]
TITLES: dict[NoteKind, str] = {
    "goal": "What the user wants",
    "instruction": "Standing instructions of the user, word for word",
    "decision": "Decisions, and why",
    "file": "Files and code",
    "error": "Errors and how they were fixed",
    "failed": "Tried, and did not work",
    "pending": "Still to do",
    "next": "Next step",
}
REPLACED: frozenset[NoteKind] = frozenset({"pending", "next"})
"""Of these only the newest count; the others add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What was noted, and how far into the conversation that reaches."""

    base: str = ""
    """The summary that they go on from, Markdown; empty where there was none yet."""
    lines: tuple[Note, ...] = ()
    covered: str = ""
    """Id of the newest message that they tell of; empty where there are none."""

    def with_lines(self, lines: tuple[Note, ...], covered: str) -> Notes:
        """The notes with newer ones."""
        kinds = {line.kind for line in lines} & REPLACED
        kept = [line for line in self.lines if line.kind not in kinds and line not in lines]
        return Notes(base=self.base, lines=(*kept, *lines), covered=covered)

    @property
    def text(self) -> str:
        """Markdown, by kind; empty where there are none."""
        sections: list[str] = [self.base] if self.base else []
        for kind in get_args(NoteKind):
            texts = [f"- {line.text}" for line in self.lines if line.kind == kind]
            if texts:
                sections.append("\n".join([f"## {TITLES[kind]}", *texts]))
        return "\n\n".join(sections)


class Notebook:
    """Holds the notes as they are now: written beside the conversation, read when it is compacted."""

    def __init__(self) -> None:
        self.notes = Notes()

    def begin_anew(self, base: str, messages: tuple[Message, ...]) -> None:
        """A compaction has left ``messages``; ``base`` is its summary, empty where it was made of the notes."""
        if base:
            self.notes = Notes(base=base, covered=messages[0].id)
        elif all(message.id != self.notes.covered for message in messages):
            self.notes = replace(self.notes, covered=messages[0].id)

    def since(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """What the notes do not tell of."""
        at = next((at for at, message in enumerate(messages) if message.id == self.notes.covered), -1)
        return tuple(message for message in messages[at + 1 :] if not message.is_summary)


def tail_start(messages: tuple[Message, ...], covered: str) -> int | None:
    """Where the messages begin that stay: all that the notes do not tell of, and more up to the least that stays.

    None where the notes do not reach far enough, or nothing would go.
    """
    at = next((at for at, message in enumerate(messages) if message.id == covered), None)
    if at is None:
        return None
    start = whole_from(messages, at + 1)
    tokens = sum(estimate(message) for message in messages[start:])
    if tokens > MAX_TAIL_TOKENS:
        return None
    texts = sum(bool(message.text.strip()) for message in messages[start:])
    while start > 0 and (tokens < MIN_TAIL_TOKENS or texts < MIN_TAIL_TEXTS):
        earlier = whole_from(messages, start - 1)
        more = sum(estimate(message) for message in messages[earlier:start])
        if tokens + more > MAX_TAIL_TOKENS:
            break
        tokens += more
        texts += sum(bool(message.text.strip()) for message in messages[earlier:start])
        start = earlier
    return start or None


def whole_from(messages: tuple[Message, ...], start: int) -> int:
    """The same place, or one before it at which no result is parted from its call."""
    while 0 < start < len(messages) and _needs_the_one_before(messages[start]):
        start -= 1
    return start


def _needs_the_one_before(message: Message) -> bool:
    return message.role == "system" or any(isinstance(block, ToolResultBlock) for block in message.content)
