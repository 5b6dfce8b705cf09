"""What a session has cost, as lines: by model, below each what its requests were for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.protocol.context_views import CostLine
from core.protocol.events import CostsReported
from core.protocol.usage import Usage
from tui.rendering.amounts import dollars, tokens
from tui.rendering.line import Line, Span, pad, truncate, wrap
from tui.rendering.meter import EIGHTHS
from tui.rendering.sanitize import clean_line

SOURCES = {
    "main": "conversation",
    "agent": "agent",
    "compaction": "compaction",
    "handoff": "handoff",
    "session_memory": "session notes",
    "prewarm": "warming the cache",
    "web_search": "web search",
    "explain": "explaining a request",
}
"""What kinds of requests are called."""
COLUMNS = (("requests", 9), ("fresh", 7), ("cached", 8), ("written", 9), ("out", 8), ("cost", 10))
SPARED = ("written", "fresh", "out", "cached")
"""Columns that a narrow screen does without, the first of them first."""
MIN_NAME = 20
"""Columns of a name with which it is told from others."""
NEAR = 0.8
"""Share of the limit from which it is told as a caution."""
UNKNOWN = "The price of {} is not known: only tokens are counted."


@dataclass(frozen=True, slots=True)
class Sum:
    """What several lines come to."""

    requests: int
    usage: Usage
    cost: float
    """USD, as far as prices are known."""
    is_known: bool

    @property
    def price(self) -> str:
        """In words."""
        return dollars(self.cost) if self.is_known else f"> {dollars(self.cost)}" if self.cost else "?"


def sum_of(lines: Sequence[CostLine]) -> Sum:
    """All of them together."""
    known = [line.cost_usd for line in lines if line.cost_usd is not None]
    usage = sum((line.usage for line in lines), Usage())
    return Sum(sum(line.requests for line in lines), usage, sum(known), len(known) == len(lines))


def source_words(line: CostLine, label: Callable[[str], str] = str) -> str:
    """What its requests were for, and of which agent where that is not the main one; ``label`` names agents."""
    words = SOURCES.get(line.source, line.source.replace("_", " "))
    return clean_line(f"{words} · {label(line.agent)}" if line.agent not in ("", "main") else words)


def by_model(lines: Sequence[CostLine]) -> dict[str, list[CostLine]]:
    """The lines of each model, in their order."""
    models: dict[str, list[CostLine]] = {}
    for line in lines:
        models.setdefault(line.model, []).append(line)
    return models


def cost_lines(costs: CostsReported, width: int, label: Callable[[str], str] = str) -> list[Line]:
    """The whole report; ``label`` names agents."""
    if not costs.lines:
        return [(("Nothing was sent yet.", "muted"),)]
    shown = _columns(width)
    name = max(8, width - sum(shown.values()))
    head = "".join(f"{title:>{columns}}" for title, columns in shown.items())
    lines: list[Line] = [((" " * name + head, "muted"),)]
    unknown: list[str] = []
    for model, rows in by_model(costs.lines).items():
        whole = sum_of(rows)
        unknown += [] if whole.is_known else [model]
        lines.append(_row(clean_line(model), whole, name, shown, "strong"))
        lines += [_row(f"  {source_words(row, label)}", sum_of([row]), name, shown, "muted") for row in rows]
    together = sum_of(costs.lines)
    lines += [(), _row("Together", together, name, shown, "strong")]
    if costs.limit_usd:
        lines += [(), _limit_line(together.cost, costs.limit_usd, width)]
    if unknown:
        told = UNKNOWN.format(", ".join(map(clean_line, unknown)))
        lines += [(), *wrap([(told, "caution")], width)]
    return lines


def _limit_line(spent: float, limit: float, width: int) -> Line:
    """How much of the limit is used, as a thin bar and in words."""
    share = min(1.0, spent / limit)
    style = "bad" if share >= 1 else "caution" if share >= NEAR else "good"
    words: Line = (
        (f" {share * 100:.0f}% of the limit of {dollars(limit)}", "text"),
        (" · reached" if share >= 1 else "", style),
    )
    cells = max(4, min(40, width - 42))
    full, rest = divmod(round(share * cells * 8), 8)
    drawn = (EIGHTHS[8] * full + (EIGHTHS[rest] if rest else "")).ljust(cells)
    return truncate((("▕", style), (drawn, style), ("▏", style), *words), width)


def _columns(width: int) -> dict[str, int]:
    """The columns of figures for which there is room, with their widths."""
    shown = dict(COLUMNS)
    for spared in SPARED:
        if width - sum(shown.values()) < MIN_NAME:
            del shown[spared]
    return shown


def _row(name: str, whole: Sum, columns: int, shown: dict[str, int], style: str) -> Line:
    usage = whole.usage
    cells = {
        "requests": f"{whole.requests:,}",
        "fresh": tokens(usage.input_tokens),
        "cached": tokens(usage.cache_read_tokens),
        "written": tokens(usage.cache_write_5m_tokens + usage.cache_write_1h_tokens),
        "out": tokens(usage.output_tokens),
        "cost": whole.price,
    }
    numbers: list[Span] = [(f"{cells[title]:>{width}}", style) for title, width in shown.items()]
    return (*pad(truncate(((name, style if style == "strong" else "text"),), columns - 1), columns, "text"), *numbers)
