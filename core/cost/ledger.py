"""The running account of a session: usage and cost per model."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.cost.pricing import price
from core.protocol.usage import PriceList, Usage


@dataclass(slots=True)
class Account:
    """What one model was used for."""

    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    """None once a request's price was unknown."""


class Ledger:
    """Adds up requests."""

    def __init__(self) -> None:
        self.by_model: dict[str, Account] = {}

    def add(self, usage: Usage, model_id: str, prices: PriceList | None) -> float | None:
        """Count one request and return its cost in USD; None where the price is unknown."""
        account = self.by_model.setdefault(model_id, Account())
        account.usage += usage
        cost = price(usage, prices)
        account.cost_usd = None if cost is None or account.cost_usd is None else account.cost_usd + cost
        return cost

    @property
    def usage(self) -> Usage:
        """Of all models."""
        return sum((account.usage for account in self.by_model.values()), Usage())

    @property
    def cost_usd(self) -> float | None:
        """Of all models; None where any price was unknown."""
        costs = [account.cost_usd for account in self.by_model.values()]
        return None if None in costs else sum(cost for cost in costs if cost is not None)
