"""What fills the window and what the session has cost, as lines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from core.protocol.context_views import ContextReport
from core.protocol.events import CostsReported
from tui.plain.paper import WIDE, Paper
from tui.presenter.reports import Reports
from tui.rendering.amounts import dollars, tokens
from tui.rendering.context_views import facts, limits_line, share_of
from tui.rendering.cost_views import Sum, by_model, source_words, sum_of
from tui.rendering.line import plain
from tui.rendering.meter import zone

PATIENCE_S = 10
"""How long a pipe waits for a report."""


class PlainReports:
    """Prints each report as it comes. The same one counted exactly is one line more."""

    def __init__(self, reports: Reports, paper: Paper, wall: Callable[[], float], label: Callable[[str], str]) -> None:
        """``label`` names an agent by its id."""
        self._reports = reports
        self._label = label
        self._paper = paper
        self._wall = wall
        self._context: ContextReport | None = None
        self._costs: CostsReported | None = None
        self._printed = asyncio.Event()
        reports.watch(self._print)

    def expect(self) -> None:
        """A report is about to be asked for."""
        self._printed.clear()

    async def wait(self) -> None:
        """Returns once it is printed, or does not come."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._printed.wait(), PATIENCE_S)

    def _print(self) -> None:
        before, self._context = self._context, self._reports.context
        if self._context is not None and self._context is not before:
            exact = self._context.exact
            if exact is not None and before is not None and before == replace(self._context, exact=None):
                self._paper.line(f"Counted by the API: {exact:,} tokens")
            else:
                print_context(self._context, self._wall(), self._paper)
        costs, self._costs = self._costs, self._reports.costs
        if self._costs is not None and self._costs is not costs:
            print_costs(self._costs, self._paper, self._label)
        if (self._context, self._costs) != (before, costs):
            self._printed.set()


def print_context(report: ContextReport, now: float, paper: Paper) -> None:
    """All of it. ``now``: seconds since the epoch."""
    share = report.used / report.window * 100 if report.window else 0.0
    words = zone(report.used, report.limits).words[2:]
    how = f"{report.exact:,} counted by the API" if report.exact is not None else "estimated"
    told = ", ".join(part for part in (f"{share:.0f}%", words, how) if part)
    paper.line(f"Context of {report.model}: {tokens(report.used)} of {tokens(report.window)} tokens ({told})")
    paper.lines([limits_line(report, WIDE)], "  ")
    for label, spans in facts(report, now):
        paper.line(f"  {label}: {plain(spans)}")
    if report.can_undo:
        paper.line("  The last compaction can be undone: /uncompact")
    parts = [part for part in report.parts if part.tokens]
    total = sum(part.tokens for part in parts)
    paper.line("What it holds:")
    for part in parts:
        count = f", {part.count:,} of them" if part.count else ""
        paper.line(f"  {part.name}: {tokens(part.tokens)}, {share_of(part, total)}{count}")
    if report.biggest:
        paper.line("The biggest:")
    for item in report.biggest:
        paper.line(f"  {tokens(item.tokens)}: {item.name}" + (f" ({item.remedy})" if item.remedy else ""))


def print_costs(costs: CostsReported, paper: Paper, label: Callable[[str], str] = str) -> None:
    """By model, below each what its requests were for."""
    together = sum_of(costs.lines)
    limit = f" of {dollars(costs.limit_usd)}" if costs.limit_usd else ""
    paper.line(f"Costs: {together.price}{limit}, {_amounts(together)}")
    for model, lines in by_model(costs.lines).items():
        whole = sum_of(lines)
        price = whole.price if whole.is_known else "no price is known"
        paper.line(f"  {model}: {price}, {_amounts(whole)}")
        for line in lines:
            paper.line(f"    {source_words(line, label)}: {sum_of([line]).price}, {_amounts(sum_of([line]))}")


def _amounts(whole: Sum) -> str:
    usage = whole.usage
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return (
        f"{whole.requests:,} request{'' if whole.requests == 1 else 's'}, {tokens(usage.input_tokens)} tokens fresh, "
        f"{tokens(usage.cache_read_tokens)} cached, {tokens(written)} written, {tokens(usage.output_tokens)} out"
    )
