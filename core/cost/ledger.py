"""The running account of a session: usage and cost per model, and per what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.cost.pricing import price
from core.protocol.usage import PriceList, Usage


@dataclass(slots=True)
class Account:
    """What one model, or one purpose, has taken."""

    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    """None once a request's price was unknown."""

    def add(self, usage: Usage, cost: float | None) -> None:
        """Count one request."""
        self.usage += usage
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost


class Ledger:
    """Adds up requests."""

    def __init__(self) -> None:
        self.by_model: dict[str, Account] = {}
        self.by_source: dict[str, Account] = {}
        """By the query source of the requests."""
        self.turn = Account()
        """Of the running turn, with all that was asked beside it."""

    def add(self, usage: Usage, model_id: str, prices: PriceList | None, source: str = "main") -> float | None:
        """Count one request and return its cost in USD; None where the price is unknown."""
        cost = price(usage, prices)
        self.by_model.setdefault(model_id, Account()).add(usage, cost)
        self.by_source.setdefault(source, Account()).add(usage, cost)
        self.turn.add(usage, cost)
        return cost

    def begin_turn(self) -> None:
        """Count the turn's part from nothing."""
        self.turn = Account()

    @property
    def usage(self) -> Usage:
        """Of all models."""
        return sum((account.usage for account in self.by_model.values()), Usage())

    @property
    def cost_usd(self) -> float | None:
        """Of all models; None where any price was unknown."""
        costs = [account.cost_usd for account in self.by_model.values()]
        return None if None in costs else sum(cost for cost in costs if cost is not None)
