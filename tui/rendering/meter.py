"""The context gauge as spans: a bar with marks at its thresholds, and a word for the zone it is in."""

from __future__ import annotations

from dataclasses import dataclass

from core.protocol.views import ContextLimits
from tui.rendering.line import Span

EIGHTHS = " ▏▎▍▌▋▊▉█"
MARKS = (("warning", "┊"), ("autocompact", "╎"), ("blocking", "┃"))
"""The thresholds from the lowest to the highest; where two fall into one cell the higher one is drawn."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the window; ``words`` say what its colour says."""

    style: str
    words: str = ""


FREE = Zone("good")
NEAR = Zone("caution", "▲ near full")
DUE = Zone("bad", "▲ compaction due")
FULL = Zone("bad", "■ full")


def zone(used: int, limits: ContextLimits) -> Zone:
    """Where the window stands; limits that are not known are never reached."""
    for limit, found in ((limits.blocking, FULL), (limits.autocompact, DUE), (limits.warning, NEAR)):
        if limit and used >= limit:
            return found
    return FREE


def bar(used: int, window: int, limits: ContextLimits, cells: int) -> list[Span]:
    """The bar. A mark in the filled part is drawn in reverse, so that it is seen without colours too."""
    style = zone(used, limits).style
    share = min(1.0, used / window) if window else 0.0
    full, rest = divmod(round(share * cells * 8), 8)
    texts = [EIGHTHS[8]] * full + ([EIGHTHS[rest]] if rest else [])
    drawn: list[Span] = [(text, style) for text in texts] + [(" ", style)] * (cells - len(texts))
    for name, sign in MARKS:
        limit: int = getattr(limits, name)
        if window and 0 < limit < window:
            at = min(cells - 1, int(limit / window * cells))
            drawn[at] = (sign, f"{style} cursor") if at < full else (sign, "muted")
    return [("▕", style), *drawn, ("▏", style)]
