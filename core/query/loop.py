"""THE loop: send, run the tools, send the results, until the model ends its turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.llm.errors import ModelError
from core.prompt.sections import template
from core.query.step import StepResult, run_step
from core.query.turn import Query, TurnOutcome

MAX_CONTINUES = 3
"""How often a response that hit its length limit, or broke off, is asked to go on."""


BROKEN = TurnOutcome("error", "The response broke off again and again.", "Check the network, then say: go on.")


@dataclass(slots=True)
class _Limits:
    """What has been tried against length limits and empty or broken answers in this turn."""

    max_tokens: int
    max_output: int
    continues: int = 0
    breaks: int = 0
    """Responses in a row that broke off."""
    nudged: bool = False

    def raise_limit(self) -> bool:
        """Go to the model's own limit; False where that is reached already."""
        if self.max_tokens >= self.max_output:
            return False
        self.max_tokens = self.max_output
        return True

    def count_break(self, is_broken: bool) -> None:
        """A response broke off, or one came through."""
        self.breaks = self.breaks + 1 if is_broken else 0

    def may_continue(self) -> bool:
        """Count one more request to go on; False once there were enough."""
        self.continues += 1
        return self.continues <= MAX_CONTINUES


async def run_query(query: Query) -> TurnOutcome:
    """Run a turn whose prompt is in the conversation. Never raises ``ModelError`` or ``CancelledError``."""
    try:
        return await _steps(query)
    except ModelError as error:
        return TurnOutcome("error", error.user_message, error.hint)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        query.append("user", template("interrupted"))
        return TurnOutcome("interrupted")


async def _steps(query: Query) -> TurnOutcome:
    settings, model = query.turn.settings, query.turn.model
    limits = _Limits(min(settings.max_output_tokens, model.max_output), model.max_output)
    while True:
        exhausted = _exhausted(query)
        if exhausted is not None:
            return exhausted
        for text in query.reminders.due():
            query.append("system", text)
        query.steps += 1
        result = await run_step(query, limits.max_tokens)
        if result.ends_turn:
            return TurnOutcome("denied")
        took_messages = await query.take_queued()
        limits.count_break(result.is_broken)
        if limits.breaks > MAX_CONTINUES:
            return BROKEN
        if result.has_calls or took_messages:
            if result.stop_reason == "max_tokens":
                limits.raise_limit()
            continue
        outcome = _ending(query, result, limits)
        if outcome is not None:
            return outcome


def _exhausted(query: Query) -> TurnOutcome | None:
    """The limit of the turn that is reached; None where another request may be sent."""
    settings, spent = query.turn.settings, query.ledger.turn.usage.fresh_tokens
    if settings.max_turns is not None and query.steps >= settings.max_turns:
        return TurnOutcome(
            "max_turns", f"The limit of {settings.max_turns} request{'s' * (settings.max_turns > 1)} is reached."
        )
    if settings.max_budget_tokens is not None and spent >= settings.max_budget_tokens:
        return TurnOutcome("max_budget", f"The budget of {settings.max_budget_tokens:,} tokens is spent ({spent:,}).")
    if settings.max_budget_usd is None:
        return None
    cost = query.ledger.turn.cost_usd
    if cost is None or query.turn.model.prices is None:
        return TurnOutcome(
            "max_budget",
            f"The price of {query.turn.model.id} is not known: a budget in dollars cannot be kept.",
            "Use --max-budget-tokens.",
        )
    if cost >= settings.max_budget_usd:
        return TurnOutcome("max_budget", f"The budget of ${settings.max_budget_usd:g} is spent (${cost:.4f}).")
    return None


def _ending(query: Query, result: StepResult, limits: _Limits) -> TurnOutcome | None:
    """What a response without calls means; None where the loop goes on."""
    if result.is_broken:
        return _go_on(query, limits, BROKEN)
    match result.stop_reason:
        case "max_tokens":
            limits.raise_limit()
            return _go_on(query, limits, TurnOutcome("max_tokens", "The answer is longer than the model may write."))
        case "pause_turn":
            return None
        case "refusal":
            return TurnOutcome("refusal", result.stop_detail or "The model declined to answer.")
        case "model_context_window_exceeded":
            return TurnOutcome("context_full", "The context window is full.", "Start a new session to go on.")
        case _ if result.is_empty and not limits.nudged:
            # An empty answer after tool results: sending the same again does not help, a new message does.
            limits.nudged = True
            query.append("user", template("please_continue"))
            return None
        case _:
            return TurnOutcome("completed")


def _go_on(query: Query, limits: _Limits, otherwise: TurnOutcome) -> TurnOutcome | None:
    """Ask the model to go on where it stopped; ``otherwise`` once that was done often enough."""
    if not limits.may_continue():
        return otherwise
    query.append("user", template("go_on"))
    return None
