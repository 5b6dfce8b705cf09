"""Turns that end without an answer: the model declined, or nothing more fits. What was not answered is taken back."""

from __future__ import annotations

from itertools import dropwhile

from core.context.budget import window_of
from core.protocol.messages import Message, ToolResultBlock
from core.query.room import full_hint
from core.query.turn import Query, TurnOutcome


def refused(query: Query, why: str) -> TurnOutcome:
    """The model would decline what follows as well while it reads what it has declined."""
    if not _take_back(query):
        return TurnOutcome("refusal", why, "Say it differently; if it declines again, start a new session.")
    query.watch.announce("a prompt was taken back")
    return TurnOutcome("refusal", why, "The prompt is taken out of the conversation: say it differently (↑).")


def full(query: Query) -> TurnOutcome:
    """Nothing more fits. A prompt that was not answered would only be in the way of making room."""
    used, window = query.context_tokens(), window_of(query.turn.model, query.turn.settings)
    return too_long(query, f"The context window is full: {used:,} of {window:,} tokens.")


def too_long(query: Query, why: str) -> TurnOutcome:
    """The same, as the API has said it."""
    hint = full_hint(query)
    if _take_back(query):
        query.publish_usage(query.context_tokens())
        hint += " Your prompt was not sent; ↑ brings it back."
    return TurnOutcome("context_full", why, hint)


def _take_back(query: Query) -> bool:
    """Take back what the user said in this turn and the model has not begun to work on, with the files that were
    attached to it; False where there is nothing."""
    declined: list[Message] = []
    for message in reversed(query.conversation.messages):
        if message.role == "assistant":
            break
        if message.role == "user" and not any(isinstance(block, ToolResultBlock) for block in message.content):
            declined.append(message)
        if message.id == query.first_prompt:
            break
    # What stands before the user's own words is no part of them: a summary, where the turn was compacted.
    said = tuple(dropwhile(lambda message: message.is_meta, reversed(declined)))
    if not said:
        return False
    query.withdraw(tuple(message.id for message in said))
    return True
