"""THE loop: send, run the tools, send the results, until the model ends its turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.llm.errors import ModelError
from core.prompt.sections import template
from core.protocol.events import Notice
from core.query.endings import full, refused, too_long
from core.query.limits import exhausted_limit
from core.query.room import full_hint, make_room, make_room_after_all
from core.query.step import StepResult, run_step
from core.query.summary import FULL
from core.query.turn import Query, TurnOutcome

MAX_CONTINUES = 3
"""How often in a row a response that hit its length limit is asked to go on."""
MAX_PAUSES = 10
"""How often in a row the API may pause a response that it works on itself."""
KNOWN_REASONS = frozenset({"", "end_turn", "tool_use", "stop_sequence"})
"""After which a turn without calls is over."""
TOO_LONG = TurnOutcome("max_tokens", "The answer is longer than the model may write.", "Ask for it in parts.")
PAUSED = TurnOutcome("error", f"The server paused {MAX_PAUSES} times without coming to an end.", "Say: go on.")
GO_ON_HINT = "Your prompt is kept. Say: go on."


@dataclass(slots=True)
class _Limits:
    """What has been tried against length limits, pauses and empty answers in this turn."""

    max_tokens: int
    continues: int = 0
    pauses: int = 0
    nudged: bool = False
    has_made_room: bool = False
    """Since the window was last found full in the middle of a response."""

    def allow(self, result: StepResult, max_output: int) -> bool:
        """Count how a response ended, and let the next one be longer where this was cut off; False once that has
        been done too often in a row."""
        self.continues = self.continues + 1 if result.stop_reason == "max_tokens" else 0
        self.pauses = self.pauses + 1 if result.stop_reason == "pause_turn" else 0
        self.has_made_room = self.has_made_room and result.stop_reason == FULL
        if self.continues:
            self.max_tokens = max_output
        return self.continues <= MAX_CONTINUES and self.pauses <= MAX_PAUSES


async def run_query(query: Query) -> TurnOutcome:
    """Run a turn whose prompt is in the conversation. Never raises ``ModelError`` or ``CancelledError``."""
    try:
        return await _steps(query)
    except ModelError as error:
        if error.kind == "too_long":
            return too_long(query, error.user_message)
        return TurnOutcome("error", error.user_message, error.hint or (GO_ON_HINT if error.is_retryable else ""))
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        query.append("user", template("interrupted"))
        return TurnOutcome("interrupted")


async def _steps(query: Query) -> TurnOutcome:
    settings = query.turn.settings
    limits = _Limits(settings.max_output_tokens)
    while True:
        exhausted = exhausted_limit(query) or (query.hold and await query.hold(query))
        if exhausted:
            return exhausted
        if not await make_room(query):
            return full(query)
        await query.remind()
        query.steps += 1
        result = await run_step(query, limits.max_tokens)
        if result.ends_turn:
            return TurnOutcome("denied")
        if result.stop_reason == "refusal":
            return refused(query, result.stop_detail or "The model declined to answer.")
        took_messages = await query.take_queued()
        if not limits.allow(result, query.turn.model.max_output):
            return PAUSED if limits.pauses else TOO_LONG
        if result.has_calls or took_messages:
            continue
        if result.stop_reason == FULL and not limits.has_made_room:
            limits.has_made_room = await make_room_after_all(query, is_body=False)
            if limits.has_made_room:
                query.append("user", template("go_on"))
                continue
        outcome = _ending(query, result, limits)
        if outcome is not None and outcome.reason == "completed" and await query.wait_for_tasks():
            continue
        if outcome is not None:
            return outcome


def _ending(query: Query, result: StepResult, limits: _Limits) -> TurnOutcome | None:
    """What a response without calls means; None where the loop goes on."""
    if result.is_broken:
        query.append("user", template("broke_off"))
        return None
    match result.stop_reason:
        case "max_tokens":
            query.append("user", template("go_on"))
            return None
        case "pause_turn":
            if not result.ends_at_server:
                query.append("user", template("please_continue"))
            return None
        case "model_context_window_exceeded":
            return TurnOutcome("context_full", "The context window is full.", full_hint(query))
        case reason if not limits.nudged and (result.is_empty or reason == "tool_use"):
            # An empty answer after tool results, or calls announced that never came: sending the same again does
            # not help, a new message does.
            limits.nudged = True
            query.append("user", template("please_continue"))
            return None
        case reason:
            if reason not in KNOWN_REASONS:
                text = f"The model stopped for a reason that this version does not know: {reason}."
                query.publisher.emit(Notice(level="info", text=text))
            return TurnOutcome("completed")
