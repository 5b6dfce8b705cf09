"""What fills the window as lines: a bar of its parts, a table of them, what will become of it, the biggest items."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from core.protocol.context_views import ContextItem, ContextPart, ContextReport, PartKind, SendPrice
from tui.rendering.amounts import dollars, tokens
from tui.rendering.line import Line, Span, cell_len, line_width, pad, truncate, wrap
from tui.rendering.meter import EIGHTHS, MARKS, bar, zone
from tui.rendering.sanitize import clean_line

LETTERS: dict[PartKind, str] = {
    "system": "S",
    "tools": "T",
    "mcp_tools": "X",
    "instructions": "I",
    "agents": "A",
    "skills": "K",
    "messages": "M",
    "results": "R",
}
"""One for each kind of part: what its colour says, said in a letter."""
MARK_WORDS = {"warning": "warning", "autocompact": "compacts itself", "blocking": "blocked"}
FAR = 500
"""Turns beyond which nobody plans."""
LABEL = 12
NUMBER = 9
"""Columns of a number in the table."""
WIDE = 84
"""Columns from which the table has bars too."""
NAME_MAX = 34


def context_lines(report: ContextReport, width: int, now: float) -> list[Line]:
    """The whole report. ``now``: seconds since the epoch."""
    sections = (
        _window_lines(report, width),
        [line for label, spans in facts(report, now) for line in _fact(label, spans, width)],
        _part_lines(report, width),
        _biggest_lines(report.biggest, width),
    )
    lines: list[Line] = []
    for section in sections:
        if section:
            lines += [(), *section] if lines else section
    return lines


def _window_lines(report: ContextReport, width: int) -> list[Line]:
    found = zone(report.used, report.limits)
    share = min(1.0, report.used / report.window) if report.window else 0.0
    said: list[Span] = [
        (f"{tokens(report.used)} of {tokens(report.window)} tokens", "strong"),
        (f" · {share * 100:.0f}%", found.style),
        (f" {found.words}" if found.words else "", found.style),
        (f" · {report.exact:,} counted by the API" if report.exact is not None else " · estimated", "muted"),
    ]
    return [
        tuple(bar(report.used, report.window, report.limits, max(1, width - 2))),
        truncate(tuple(said), width),
        limits_line(report, width),
    ]


def limits_line(report: ContextReport, width: int) -> Line:
    """Where the window is told of, compacted, and no longer added to."""
    spans: list[Span] = []
    for name, sign in MARKS:
        limit: int = getattr(report.limits, name)
        if limit:
            spans += [(f"{'   ' if spans else ''}{sign} ", "caution"), (f"{MARK_WORDS[name]} {tokens(limit)}", "muted")]
    return truncate(tuple(spans), width)


# What becomes of it


def facts(report: ContextReport, now: float) -> Iterable[tuple[str, list[Span]]]:
    """What will become of it: labels, and what there is to say."""
    yield "Compaction", _compaction(report)
    free = tokens(max(0, report.window - report.used))
    kept = f", {tokens(report.reserve)} of it kept for the answer and a summary" if report.reserve else ""
    yield "Free", [(free, "text"), (kept, "muted")]
    yield "Cache", _cache(report, now)
    if report.next_send is not None:
        yield "Next send", _send(report.next_send)


def _compaction(report: ContextReport) -> list[Span]:
    spans: list[Span] = []
    times = "once" if report.failures == 1 else f"{report.failures} times in a row"
    if report.breaker == "open":
        spans.append((f"⊘ not on its own any more: it failed {times}; c tries it by hand", "bad"))
    elif not report.limits.autocompact:
        spans.append(("only when you ask for it", "text"))
    elif report.turns_left is None:
        spans.append((f"at {tokens(report.limits.autocompact)} tokens", "text"))
    elif report.turns_left > FAR:
        spans.append(("not in sight", "text"))
    elif report.turns_left == 0:
        spans.append(("due with the next turn", "caution"))
    else:
        turns = "turn" if report.turns_left == 1 else "turns"
        spans.append((f"in about {report.turns_left:,} {turns}", "text"))
    if report.tokens_per_turn and report.breaker == "closed":
        spans.append((f", at {tokens(report.tokens_per_turn)} tokens a turn", "muted"))
    if report.failures and report.breaker == "closed":
        spans.append((f" · ⚠ it failed {times}", "caution"))
    return spans


def _cache(report: ContextReport, now: float) -> list[Span]:
    if report.warm_until is None:
        return [("nothing is cached", "text")]
    prompt = report.last.prompt_tokens
    share = f"{report.last.cache_read_tokens / prompt * 100:.0f}% of the last request" if prompt else ""
    if report.warm_until <= now:
        return [("cold", "text"), (f" · it gave {share}" if share else "", "muted")]
    until = f"{datetime.datetime.fromtimestamp(report.warm_until).astimezone():%H:%M}"
    return [(f"warm until {until}", "text"), (f" · it gave {share}" if share else "", "muted")]


def _send(price: SendPrice) -> list[Span]:
    cost = f"≈ {dollars(price.cost_usd)}: " if price.cost_usd is not None else ""
    cached = f"{tokens(price.cached_tokens)} from the cache, " if price.cached_tokens else ""
    why = f" · {clean_line(price.why_cold)}" if price.why_cold else ""
    return [(f"{cost}{cached}{tokens(price.fresh_tokens)} anew", "text"), (why, "muted")]


def _fact(label: str, spans: list[Span], width: int) -> list[Line]:
    return wrap(
        [span for span in spans if span[0]],
        width,
        first_prefix=((f"{label:<{LABEL}}", "muted"),),
        rest_prefix=((" " * LABEL, "text"),),
    )


# What it holds


def _part_lines(report: ContextReport, width: int) -> list[Line]:
    parts = [part for part in report.parts if part.tokens > 0]
    total = sum(part.tokens for part in parts)
    if not total:
        return []
    cells = width - 2 - NAME_MAX - 3 * NUMBER if width >= WIDE else 0
    name = width - 2 - 3 * NUMBER - cells
    head = f"{'  What it holds':<{name + 2}}{'tokens':>{NUMBER}}{'share':>{NUMBER}}{'count':>{NUMBER}}"
    most = max(part.tokens for part in parts)
    return [
        _stack(parts, total, width),
        ((head, "muted"),),
        *(_part_row(part, total, most, name, cells) for part in parts),
    ]


def _stack(parts: list[ContextPart], total: int, width: int) -> Line:
    """One bar of all kinds, each with its letter at its beginning; rounded so that it is always as wide."""
    sums: dict[PartKind, int] = {}
    for part in parts:
        sums[part.kind] = sums.get(part.kind, 0) + part.tokens
    spans: list[Span] = []
    done = 0
    for kind in sorted(sums, key=lambda kind: -sums[kind]):
        start = round(done / total * width)
        done += sums[kind]
        cells = round(done / total * width) - start
        if cells:
            spans.append((f"{LETTERS[kind]:<{cells}}", f"part.{kind} cursor"))
    return tuple(spans)


def _part_row(part: ContextPart, total: int, most: int, name: int, cells: int) -> Line:
    style = f"part.{part.kind}"
    count = f"{part.count:,}" if part.count else ""
    spans: list[Span] = [
        (LETTERS[part.kind], f"{style} cursor"),
        (" ", "text"),
        *pad(truncate(((clean_line(part.name), "text"),), name - 1), name, "text"),
        (f"{tokens(part.tokens):>{NUMBER}}", "strong"),
        (f"{share_of(part, total):>{NUMBER}}", "text"),
        (f"{count:>{NUMBER}}", "muted"),
    ]
    if cells > 3:
        full, rest = divmod(round(part.tokens / most * (cells - 2) * 8), 8)
        spans.append((f"  {EIGHTHS[8] * full}{EIGHTHS[rest] if rest else ''}", style))
    return tuple(spans)


def share_of(part: ContextPart, total: int) -> str:
    """Of all that there is."""
    return f"{part.tokens / total * 100:.0f}%" if part.tokens * 200 >= total else "<1%"


def _biggest_lines(items: Iterable[ContextItem], width: int) -> list[Line]:
    rows = list(items)
    if not rows:
        return []
    names = [clean_line(item.name) for item in rows]
    column = min(max(map(cell_len, names)), max(NAME_MAX, width // 2) - NUMBER)
    lines: list[Line] = [(("The biggest", "muted"),)]
    for item, name in zip(rows, names, strict=True):
        head = pad(
            ((f"{tokens(item.tokens):>{NUMBER - 2}}  ", "strong"), *truncate(((name, "text"),), column)),
            NUMBER + column,
            "text",
        )
        remedy: Line = ((f"  {clean_line(item.remedy)}", "muted"),) if item.remedy else ()
        lines.append((*head, *truncate(remedy, width - line_width(head))))
    return lines
