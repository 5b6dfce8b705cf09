"""Compaction of a conversation: a summary, and what must not be lost, take the place of what was said.

Nothing changes before everything is there: an attempt that fails or is interrupted leaves the history as it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.context.budget import context_limits, window_of
from core.context.revision import compacting
from core.context.session_memory import tail_start, whole_from
from core.context.tokens import estimate
from core.host.files import write_atomic
from core.llm.errors import ModelError
from core.llm.retry import retry_delay
from core.prompt.sections import template
from core.protocol.context_events import CompactionFailed, CompactionFinished, CompactionStarted
from core.protocol.context_views import CompactionMethod, CompactionTrigger
from core.protocol.events import Notice
from core.protocol.messages import Message
from core.query.restoring import restore
from core.query.said import as_file, quoted
from core.query.summary import instructed, program_message, summarize
from core.sessions.conversation import is_said

if TYPE_CHECKING:
    from core.query.turn import Query

MAX_KEPT_ROUND = 8_000
"""Tokens of the newest calls and their results, which stay as they are where they are not more."""
MAX_TRIES = 3
"""In one go, of a compaction by hand."""
BY_HAND = "Use /compact to try again by hand, or /handoff to go on in a fresh session with a brief of this one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is to take the place of the messages before ``kept_from``."""

    text: str
    method: CompactionMethod
    kept_from: int


async def compact(query: Query, trigger: CompactionTrigger, instructions: str = "") -> bool:
    """Make room; whether that was done. What a failure means is told. Cancelling it changes nothing."""
    tries = 0
    while True:
        tries += 1
        attempt = _Attempt(query, trigger)
        try:
            await attempt.run(instructions)
        except ModelError as error:
            delay = attempt.failed(error, tries)
            if delay is None:
                return False
            await query.host.clock.sleep(delay)
        except asyncio.CancelledError:
            attempt.interrupted()
            raise
        else:
            return True


class _Attempt:
    """One try, told from its start to its end."""

    def __init__(self, query: Query, trigger: CompactionTrigger) -> None:
        self._query = query
        self._trigger: CompactionTrigger = trigger
        self._id = query.host.ids.uuid()
        self._started = query.host.clock.monotonic()
        self._before = query.context_tokens()
        query.publisher.emit(CompactionStarted(compaction_id=self._id, trigger=trigger, context_tokens=self._before))

    async def run(self, instructions: str) -> None:
        """Raises ``ModelError``."""
        summary = self._from_notes() if self._trigger != "manual" else None
        if summary is None or not await self._install(summary):
            messages, start = self._query.conversation.messages, kept_from(self._query)
            # What the user has just asked is no part of what is summed up.
            summed_up = messages if _is_round(messages, start) else messages[:start]
            text = await summarize(self._query, summed_up, instructed(instructions), "compaction")
            await self._install(Summary(text=text, method="full", kept_from=start), must=True)

    def _from_notes(self) -> Summary | None:
        """The running notes as a summary, where they reach far enough."""
        notes, messages = self._query.notebook.notes, self._query.conversation.messages
        start = tail_start(messages, notes.covered) if notes.text else None
        if not start or all(message.role != "assistant" for message in messages[:start]):
            # Nothing would go but what an earlier compaction has left.
            return None
        return Summary(text=notes.text, method="session_memory", kept_from=start)

    async def _install(self, summary: Summary, *, must: bool = False) -> bool:
        """Put the summary in place; False, and nothing is changed, where that would not be room enough."""
        query = self._query
        messages, conversation = query.conversation.messages, query.conversation
        tail = messages[summary.kept_from :]
        window = window_of(query.turn.model, query.turn.settings)
        restored = await restore(query.calls, query.state, tail, window)
        in_tail = {message.id for message in tail}
        said = [message for message in conversation.said if message.id not in in_tail]
        prompts = await user_messages(query, tuple(said), window)
        text = template("summary").format(summary=summary.text, prompts=prompts)
        context = query.reminders.context()
        head = [program_message(query, context)] if context else []
        head.append(program_message(query, text, is_summary=True))
        head += [program_message(query, one) for one in restored.texts]
        after = query.overhead + sum(estimate(message) for message in (*head, *tail))
        limit = context_limits(query.turn.model, query.turn.settings).autocompact
        if not must and (after >= self._before or (limit and after >= limit)):
            return False
        if after >= self._before:
            raise ModelError("invalid", "The summary is no shorter than what it stands for.")
        kept = [f"{len(said)} of your messages"] if said else []
        event = CompactionFinished(
            compaction_id=self._id,
            trigger=self._trigger,
            method=summary.method,
            before=self._before,
            after=after,
            summary=summary.text,
            kept=(*kept, *restored.kept, *([f"the newest {len(tail)} messages"] if tail else [])),
            duration_ms=round((query.host.clock.monotonic() - self._started) * 1000),
        )
        is_vain = bool(limit) and (after >= limit or self._is_too_soon(limit))
        conversation.change(compacting(messages, tuple(head), summary.kept_from, event))
        query.notebook.begin_anew(summary.text if summary.method == "full" else "", conversation.messages)
        query.watch.announce("the conversation was compacted")
        query.rebase(restored.state)
        if is_vain:
            # Too full again at once: were that to go on, each request would cost a summary.
            query.breaker.failed()
        else:
            query.breaker.succeeded()
        query.publisher.emit(event)
        if query.breaker.is_open:
            text = "Compaction makes too little room here: it is not tried any more on its own."
            query.publisher.emit(Notice(level="warning", text=text, hint=BY_HAND))
        query.publish_usage(after)
        return True

    def _is_too_soon(self, limit: int) -> bool:
        """Whether the first answer after the last compaction has shown that it was not enough."""
        conversation = self._query.conversation
        answers = sum(message.role == "assistant" for message in conversation.since_compaction)
        return conversation.can_undo and answers == 1 and conversation.known_tokens >= limit

    def failed(self, error: ModelError, tries: int) -> float | None:
        """Tell the failure; seconds until it is tried again, None where it is not."""
        breaker = self._query.breaker
        if self._trigger != "manual":
            breaker.failed()
        may_retry = tries < MAX_TRIES if self._trigger == "manual" else not breaker.is_open
        delay = retry_delay(error, tries, self._query.host.chance()) if may_retry else None
        is_full = self._trigger == "too_long" or self._before >= self._query.limits.blocking
        is_stuck = self._trigger != "manual" and may_retry and is_full
        hint = "It is tried again." if delay is not None or is_stuck else ""
        if not hint:
            hint = (
                BY_HAND
                if breaker.is_open or self._trigger == "manual"
                else "It is tried again before the next request."
            )
        self._query.publisher.emit(
            CompactionFailed(
                compaction_id=self._id,
                trigger=self._trigger,
                reason=error.user_message,
                failures=breaker.failures,
                breaker=breaker.state,
                hint=hint,
            )
        )
        self._query.publish_usage(self._before)
        return 0.0 if is_stuck and delay is None else delay

    def interrupted(self) -> None:
        """Tell that the user has stopped it."""
        self._query.publisher.emit(
            CompactionFailed(
                compaction_id=self._id,
                trigger=self._trigger,
                reason="interrupted",
                failures=self._query.breaker.failures,
                breaker=self._query.breaker.state,
                is_interrupted=True,
            )
        )


def kept_from(query: Query) -> int:
    """Where the messages begin that a full compaction leaves as they are: a prompt that is not answered yet; else the
    newest round of calls, where it is small; else what the user has said since."""
    messages = query.conversation.messages
    answered = next((at for at in range(len(messages) - 1, -1, -1) if messages[at].role == "assistant"), -1)
    prompt = next((at for at in range(answered + 1, len(messages)) if messages[at].id == query.first_prompt), None)
    if prompt is not None:
        return prompt
    start = whole_from(messages, answered)
    tokens = sum(estimate(message) for message in messages[start:])
    has_results = 0 <= answered < len(messages) - 1
    if has_results and start > 0 and tokens <= MAX_KEPT_ROUND:
        return start
    return next((at for at in range(answered + 1, len(messages)) if is_said(messages[at])), len(messages))


def _is_round(messages: tuple[Message, ...], start: int) -> bool:
    return start == len(messages) or messages[start].role == "assistant"


async def user_messages(query: Query, said: tuple[Message, ...], window: int) -> str:
    """The user's messages as the summary carries them on, with a file of all of them beside it."""
    if not said:
        return ""
    path: Path = query.calls.services.output_dir / "user_messages.md"
    try:
        await asyncio.to_thread(write_atomic, path, as_file(said).encode("utf-8", "replace"), 0o600)
    except OSError:
        path = Path("the transcript")
    return template("summary_prompts").format(prompts=quoted(said, window, str(path)))
