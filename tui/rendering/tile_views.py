"""Subagents as lines: the head of a tile, the strip of all of them, the kinds that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.protocol.agent_views import AgentInfo, AgentKind
from tui.rendering.agent_views import AgentNow, agent_style, run_time, silence, standing
from tui.rendering.amounts import dollars, elapsed, tokens
from tui.rendering.line import Line, Span, cell_len, line_width, truncate, wrap
from tui.rendering.sanitize import clean_line

QUIET_S = 5
"""So many seconds without a word of its model are told."""
NAME_CELLS = (24, 16, 10)
"""Columns of a name in the strip: as many as there is room for with all agents."""
NEAR_FULL, FULL = 75, 90
"""Per cent of its window from which an agent is told to be near its end."""


def name_spans(info: AgentInfo) -> list[Span]:
    """What it is and what it does."""
    what = clean_line(info.description)
    return [(clean_line(info.agent_type), agent_style(info)), (f" {what}" if what else "", "tool.argument")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above a tile."""

    number: int
    info: AgentInfo
    at: AgentNow
    is_focused: bool = False
    is_pinned: bool = False

    def lines(self, width: int) -> list[Line]:
        """Two lines: who it is and how long it has run, what it is at and what it has taken."""
        state = standing(self.info, self.at)
        number: Span = (f"{self.number}", "strong accent" if self.is_focused else "muted")
        who: list[Span] = [("▶" if self.is_focused else " ", "accent"), number, (f" {state.sign} ", state.style)]
        trouble = "" if self.info.is_over else clean_line(self.info.trouble)
        doing: list[Span] = [("   ", "text"), (trouble or state.words, state.style)]
        if not self.info.is_over and self.at.activity and self.at.activity not in state.words:
            doing.append((f" · {clean_line(self.at.activity)}", "muted"))
        # Why it is in trouble, or has failed, comes before what it has taken.
        least = line_width(doing[:2]) + 2 if trouble or self.info.ending else min(line_width(doing), width // 2)
        return [
            _apart([*who, *name_spans(self.info)], self._right(), width, width // 2),
            _apart(doing, self._taken(), width, least),
        ]

    def _right(self) -> list[Span]:
        """What is given up last stands first."""
        silent = silence(self.at)
        return [
            ("pinned" if self.is_pinned else "", "accent"),
            (run_time(self.info, self.at), "text"),
            (f"silent {elapsed(silent)}" if silent >= QUIET_S and not self.info.is_over else "", "caution"),
            (clean_line(self.info.model), "muted"),
        ]

    def _taken(self) -> list[Span]:
        info = self.info
        usage, share = info.usage, info.cache_share
        full = round(min(1.0, info.context_tokens / info.context_window) * 100) if info.context_window else 0
        zone = "bad" if full >= FULL else "caution" if full >= NEAR_FULL else "muted"
        took = usage.prompt_tokens or usage.output_tokens
        cost = "no price" if info.cost_usd is None else dollars(info.cost_usd) if took else ""
        return [
            (cost, "text"),
            (f"↑{tokens(usage.prompt_tokens)} ↓{tokens(usage.output_tokens)}" if took else "", "muted"),
            (f"window {full}%" if info.context_tokens and info.context_window else "", zone),
            (f"{info.tool_uses} call{'' if info.tool_uses == 1 else 's'}" if info.tool_uses else "", "muted"),
            (f"cache {share * 100:.0f}%" if share is not None else "", "muted"),
        ]


def _apart(left: Sequence[Span], right: Sequence[Span], width: int, least: int) -> Line:
    """One part at the left, which may be cut down to so many columns; of the others as many at the right as there is
    room for."""
    shown = [part for part in right if part[0]]
    while shown:
        tail = [span for at, part in enumerate(shown) for span in (((" · ", "faint"), part) if at else (part,))]
        room = width - line_width(tail) - 3
        if room >= min(line_width(left), least):
            cut = truncate(tuple(left), room)
            return (*cut, (" " * (width - line_width(cut) - line_width(tail) - 1), "text"), *tail, (" ", "text"))
        shown.pop()
    return truncate(tuple(left), width)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripItem:
    """One agent in the strip."""

    number: int
    info: AgentInfo
    at: AgentNow
    is_shown: bool
    is_focused: bool


def strip_line(items: Sequence[StripItem], head: Sequence[Span], width: int) -> tuple[Line, list[tuple[int, int, str]]]:
    """The agents behind a head, and from which column to which each stands with its id. What has no room is counted;
    the one that is looked at is always there."""
    room = width - line_width(head)
    sizes = ([_strip_item(item, cells) for item in items] for cells in NAME_CELLS)
    names = next((names for names in sizes if sum(map(line_width, names)) <= room), None)
    names = names or [_strip_item(item, NAME_CELLS[-1]) for item in items]
    focused = next((at for at, item in enumerate(items) if item.is_focused), 0)
    first = 0
    while True:
        taken = _fitting(names[first:], room - (5 if first else 0))
        if focused < first + taken or first >= focused:
            break
        first += 1
    spans: list[Span] = list(head)
    if first:
        spans.append((f" +{first} ", "muted"))
    places: list[tuple[int, int, str]] = []
    for item, name in zip(items[first : first + taken], names[first : first + taken], strict=True):
        start = line_width(spans)
        spans += name
        places.append((start, line_width(spans), item.info.id))
    left = len(items) - first - taken
    if left:
        spans.append((f" +{left}", "muted"))
    return truncate(tuple(spans), width), places


def _fitting(names: Sequence[list[Span]], room: int) -> int:
    """How many names from the first on have room, with the count of those that have none; at least one."""
    used = 0
    for at, name in enumerate(names):
        used += line_width(name)
        rest = len(names) - at - 1
        if used + (cell_len(f" +{rest}") if rest else 0) > room:
            return max(1, at)
    return len(names)


def _strip_item(item: StripItem, cells: int) -> list[Span]:
    state = standing(item.info, item.at)
    name = truncate(tuple(name_spans(item.info)), cells)
    number = "key" if item.is_shown else "muted"
    ends: tuple[Span, Span] = (("[", "accent"), ("]", "accent")) if item.is_focused else ((" ", "text"), (" ", "text"))
    return [ends[0], (f"{item.number}", number), (f"{state.sign} ", state.style), *name, ends[1]]


def kind_lines(kinds: Sequence[AgentKind], problems: Sequence[str], width: int) -> list[Line]:
    """What can be started: each kind with where it is from, its model and its tools; then what is wrong with files."""
    lines: list[Line] = []
    for kind in kinds:
        model = clean_line(kind.model) or "model of the conversation"
        facts = [kind.layer, model, *(["read-only"] if kind.is_read_only else [])]
        lines.append(truncate(((clean_line(kind.name), agent_style(kind)), (f"  {' · '.join(facts)}", "muted")), width))
        lines += _indented(clean_line(kind.description), "text", width)
        lines += _indented(f"tools: {clean_line(', '.join(kind.tools)) or 'none'}", "faint", width)
        if kind.source:
            lines += _indented(clean_line(kind.source), "faint", width)
        if kind.overrides:
            lines += _indented(f"in place of {clean_line(kind.overrides)}", "caution", width)
        lines.append(())
    if problems:
        lines.append((("Left out", "heading"),))
        for problem in problems:
            lines += _indented(f"⚠ {clean_line(problem)}", "caution", width)
    return lines or [(("No kinds are known yet.", "muted"),)]


def _indented(text: str, style: str, width: int) -> list[Line]:
    if not text:
        return []
    margin: Line = (("  ", "text"),)
    return wrap([(text, style)], width, first_prefix=margin, rest_prefix=margin)
