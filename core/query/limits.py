"""The limits of a turn that the user has set: requests, tokens, dollars."""

from __future__ import annotations

from core.query.turn import Query, TurnOutcome


def exhausted_limit(query: Query) -> TurnOutcome | None:
    """The limit of the turn that is reached; None where another request may be sent."""
    settings, spent = query.turn.settings, query.ledger.session.turn.usage.fresh_tokens
    if settings.max_turns is not None and query.steps >= settings.max_turns:
        return TurnOutcome(
            "max_turns", f"The limit of {settings.max_turns} request{'s' * (settings.max_turns > 1)} is reached."
        )
    if settings.max_budget_tokens is not None and spent >= settings.max_budget_tokens:
        return TurnOutcome("max_budget", f"The budget of {settings.max_budget_tokens:,} tokens is spent ({spent:,}).")
    if settings.session_budget_usd is not None and (outcome := _session_budget(query, settings.session_budget_usd)):
        return outcome
    if settings.max_budget_usd is None:
        return None
    cost = query.ledger.session.turn.cost_usd
    if cost is None or query.turn.model.prices is None:
        return _unpriced(query, "Use --max-budget-tokens")
    if cost >= settings.max_budget_usd:
        return TurnOutcome("max_budget", f"The budget of ${settings.max_budget_usd:g} is spent (${cost:.4f}).")
    return None


def _session_budget(query: Query, limit: float) -> TurnOutcome | None:
    """Counts everything that has a price, also what was asked beside the conversation."""
    if query.turn.model.prices is None:
        return _unpriced(query, "Take budget.sessionUsd out of the settings")
    spent = query.ledger.session.total.priced_usd
    if spent < limit:
        return None
    return TurnOutcome(
        "max_budget",
        f"The session's budget of ${limit:g} is spent (${spent:.4f}).",
        "Raise budget.sessionUsd in the settings to go on; it counts from the next prompt.",
    )


def _unpriced(query: Query, way_out: str) -> TurnOutcome:
    name = query.turn.model.id
    return TurnOutcome(
        "max_budget",
        f"The price of {name} is not known: a budget in dollars cannot be kept.",
        f"{way_out}, or say the price as models.{name}.prices there.",
    )
