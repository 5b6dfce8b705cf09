"""The running account of a session: usage and cost per model, per agent and per kind of request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from core.cost.pricing import price
from core.protocol.context_views import CostLine
from core.protocol.ids import MAIN_AGENT
from core.protocol.usage import PriceList, Usage


class Purpose(NamedTuple):
    """What a request was sent for."""

    model: str
    agent: str
    source: str
    """The kind of request, as its query source calls it."""


@dataclass(slots=True)
class Account:
    """What one model, or one purpose, has taken."""

    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    """None once a request's price was unknown."""
    priced_usd: float = 0.0
    """Of the requests whose price was known."""
    requests: int = 0

    def add(self, other: Account) -> None:
        """Count what another one holds."""
        self.usage += other.usage
        is_known = self.cost_usd is not None and other.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if is_known else None
        self.priced_usd += other.priced_usd
        self.requests += other.requests


class Ledger:
    """Adds up requests."""

    def __init__(self) -> None:
        self.accounts: dict[Purpose, Account] = {}
        self.turn = Account()
        """Of the running turn, with all that was asked beside it."""

    def add(
        self, usage: Usage, model_id: str, prices: PriceList | None, source: str = "main", agent: str = MAIN_AGENT
    ) -> float | None:
        """Count one request and return its cost in USD; None where the price is unknown."""
        cost = price(usage, prices)
        request = Account(usage, cost, cost or 0.0, requests=1)
        self.accounts.setdefault(Purpose(model_id, agent, source), Account()).add(request)
        self.turn.add(request)
        return cost

    @property
    def session(self) -> Ledger:
        """The account of the whole session: this one, unless it is an agent's own."""
        return self

    def begin_turn(self) -> None:
        """Count the turn's part from nothing."""
        self.turn = Account()

    @property
    def by_model(self) -> dict[str, Account]:
        """What each model has taken."""
        return self._sums("model")

    @property
    def by_source(self) -> dict[str, Account]:
        """What each kind of request has taken."""
        return self._sums("source")

    def of_agent(self, agent: str) -> float | None:
        """What an agent has cost, USD; None where a price was unknown."""
        return _sum(account for purpose, account in self.accounts.items() if purpose.agent == agent).cost_usd

    @property
    def total(self) -> Account:
        """Of everything."""
        return _sum(self.accounts.values())

    @property
    def usage(self) -> Usage:
        """Of everything."""
        return self.total.usage

    @property
    def cost_usd(self) -> float | None:
        """Of everything; None where any price was unknown."""
        return self.total.cost_usd

    def lines(self) -> tuple[CostLine, ...]:
        """One for each purpose; the dearest first, and those without a price by their tokens behind."""
        found = [
            CostLine(**purpose._asdict(), requests=account.requests, usage=account.usage, cost_usd=account.cost_usd)
            for purpose, account in self.accounts.items()
        ]
        return tuple(sorted(found, key=lambda line: (line.cost_usd or 0.0, line.usage.context_tokens), reverse=True))

    def _sums(self, name: str) -> dict[str, Account]:
        part = attrgetter(name)
        names = dict.fromkeys(part(purpose) for purpose in self.accounts)
        return {
            name: _sum(account for purpose, account in self.accounts.items() if part(purpose) == name) for name in names
        }


def _sum(accounts: Iterable[Account]) -> Account:
    total = Account()
    for account in accounts:
        total.add(account)
    return total
