"""A brief of a session for a fresh one: written by the model, or where it cannot, put together from what is known."""

from __future__ import annotations

from core.llm.errors import ModelError
from core.prompt.sections import template
from core.protocol.events import Notice
from core.query.compaction import user_messages
from core.query.restoring import restore
from core.query.summary import summarize
from core.query.turn import Query

GOAL = "What the user wants, the way it stands now."
GIVEN_GOAL = "The user gives the goal of the new session in these words; quote them and say what they mean here: {goal}"
MAX_LAST_WORDS = 4_000
"""Characters of the newest answer in a brief without the model."""


async def write_brief(query: Query, goal: str, transcript: str) -> tuple[str, list[str]]:
    """The brief, and the texts with which the new session begins. Never raises ``ModelError``."""
    messages = query.conversation.messages
    try:
        ask = template("handoff").format(goal=GIVEN_GOAL.format(goal=goal) if goal.strip() else GOAL)
        brief = await summarize(query, messages, ask, "handoff")
    except ModelError as error:
        brief = _known(query, goal)
        text = f"The model could not write the brief: {error.user_message}"
        hint = "It is put together from the notes, your messages and the last answer instead."
        query.publisher.emit(Notice(level="warning", text=text, hint=hint))
    prompts = await user_messages(query, query.conversation.said, query.limits.blocking)
    restored = await restore(query.calls, query.state, (), 0)
    first = template("handoff_brief").format(brief=brief, transcript=transcript, prompts=prompts)
    return brief, [first, *restored.texts]


def _known(query: Query, goal: str) -> str:
    """What can be said without the model."""
    parts = [f"## Goal\n{goal}"] if goal.strip() else []
    if query.notebook.notes.text:
        parts.append(query.notebook.notes.text)
    answers = [message.text for message in query.conversation.messages if message.role == "assistant" and message.text]
    if answers:
        parts.append(f"## The newest answer\n{answers[-1][:MAX_LAST_WORDS]}")
    return "\n\n".join(parts) or "Nothing is known beside the user's messages."
