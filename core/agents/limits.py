"""What an agent may take: requests, tokens, dollars, minutes; and which of it is used up. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.agents.definition import AgentDefinition
from core.protocol.events import TurnEndReason
from core.settings.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What an agent has taken since its task was given."""

    turns: int = 0
    """Requests."""
    tokens: int = 0
    """Written and read anew; what the cache gave does not count."""
    usd: float | None = 0.0
    """None where a price is unknown."""
    minutes: float = 0.0
    """Without the time in which it waited for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """The most of each; None: as much as it takes."""

    turns: int | None = None
    tokens: int | None = None
    usd: float | None = None
    minutes: float | None = None
    repeats: int = 0
    """The same call so many times in a row is minded; 0: never."""
    silent_s: float = 0.0
    """Seconds without a sign of life that are minded; 0: never."""

    def reached(self, spent: Spent) -> str:
        """What is used up, in words that go on from the agent's name; empty where nothing is."""
        if self.turns is not None and spent.turns >= self.turns:
            return f"has sent {spent.turns} request{'s' * (spent.turns != 1)}, as many as it may"
        if self.tokens is not None and spent.tokens >= self.tokens:
            return f"has taken {spent.tokens:,} tokens of the {self.tokens:,} that it may"
        if self.usd is not None and spent.usd is None:
            return f"may cost ${self.usd:g}, but the price of its model is not known"
        if self.usd is not None and spent.usd is not None and spent.usd >= self.usd:
            return f"has cost ${spent.usd:.4f} of the ${self.usd:g} that it may"
        if self.minutes is not None and spent.minutes >= self.minutes:
            return f"has worked for {spent.minutes:.1f} of the {self.minutes:g} minutes that it may"
        return ""

    def reason(self, spent: Spent) -> TurnEndReason:
        """What a turn ends with that such a limit ends."""
        return "max_turns" if self.turns is not None and spent.turns >= self.turns else "max_budget"

    def raised(self, spent: Spent, by: AgentLimits) -> AgentLimits:
        """What is used up may be taken once more, as much as ``by`` says. A price that is not known is no limit then:
        nobody could keep it."""
        limits = self
        if limits.turns is not None and by.turns is not None and spent.turns >= limits.turns:
            limits = replace(limits, turns=spent.turns + by.turns)
        if limits.tokens is not None and by.tokens is not None and spent.tokens >= limits.tokens:
            limits = replace(limits, tokens=spent.tokens + by.tokens)
        if limits.usd is not None and by.usd is not None and (spent.usd is None or spent.usd >= limits.usd):
            limits = replace(limits, usd=None if spent.usd is None else spent.usd + by.usd)
        if limits.minutes is not None and by.minutes is not None and spent.minutes >= limits.minutes:
            limits = replace(limits, minutes=spent.minutes + by.minutes)
        return limits


def limits_of(definition: AgentDefinition, settings: Settings) -> AgentLimits:
    """For agents of this kind. Of requests the smaller number counts where both say one."""
    turns = [count for count in (definition.max_turns, settings.agent_max_turns) if count is not None]
    return AgentLimits(
        turns=min(turns, default=None),
        tokens=settings.agent_max_tokens,
        usd=settings.agent_max_usd,
        minutes=settings.agent_max_minutes,
        repeats=settings.agent_repeats,
        silent_s=settings.agent_silent_s,
    )
