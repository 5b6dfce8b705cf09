"""Subagents as lines: the head of a tile, the strip of all of them, the kinds that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.protocol.agent_views import AgentInfo, AgentKind
from tui.rendering.amounts import dollars, elapsed, tokens
from tui.rendering.line import Line, Span, cell_len, line_width, truncate, wrap
from tui.rendering.sanitize import clean_line

STATES: dict[str, tuple[str, str, str]] = {
    "pending": ("◌", "waits", "state.waiting"),
    "running": ("●", "runs", "state.running"),
    "completed": ("✓", "done", "state.done"),
    "failed": ("✗", "failed", "state.failed"),
    "killed": ("■", "stopped", "caution"),
}
"""Sign, word and style of each status: told apart without colours too."""
ASKS = ("?", "waits for you", "state.asking")
SILENT_S = 5
"""So many seconds without a sign of life are told."""
NAME_CELLS = 24
"""Columns of a name in the strip."""


def state_of(info: AgentInfo) -> tuple[str, str, str]:
    """Sign, word and style of what an agent is at."""
    return ASKS if info.waits_for == "your answer" else STATES[info.status]


def agent_style(info: AgentInfo | AgentKind) -> str:
    """The style of its name, in its own colour where it has one."""
    return f"agent.{info.color}" if info.color else "agent"


def name_spans(info: AgentInfo, *, is_strong: bool = True) -> list[Span]:
    """What it is and what it does."""
    what = clean_line(info.description)
    return [(clean_line(info.agent_type), agent_style(info)), (f" · {what}" if what else "", "text" if is_strong else "muted")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above a tile. Times are seconds since the epoch."""

    number: int
    info: AgentInfo
    activity: str
    now: float
    is_focused: bool = False
    is_pinned: bool = False

    def lines(self, width: int) -> list[Line]:
        """Two lines: who it is and how it stands, what it is at and what it has taken."""
        sign, word, style = state_of(self.info)
        mark: Span = ("▶" if self.is_focused else " ", "accent")
        who = [mark, (f"{self.number} ", "key" if self.is_focused else "muted"), (f"{sign} {word}  ", style)]
        doing: list[Span] = [("   ", "text"), *self._doing()]
        return [
            _apart([*who, *name_spans(self.info)], self._clocks(), width),
            _apart(doing, self._taken(), width),
        ]

    def _doing(self) -> list[Span]:
        info = self.info
        if info.trouble:
            return [(f"⚠ {clean_line(info.trouble)}", "caution")]
        if info.is_over:
            return [(clean_line(info.ending), "muted" if info.status == "completed" else "caution")]
        if info.waits_for:
            return [(f"waits for {clean_line(info.waits_for)}", "caution")]
        return [(clean_line(self.activity), "muted")]

    def _clocks(self) -> list[list[Span]]:
        """From what is given up last to what is given up first."""
        info = self.info
        ran = info.duration_ms / 1000
        if info.started_at and info.status == "running":
            ran += max(0.0, self.now - info.started_at)
        silent = self.now - info.heard_at if info.status == "running" and info.heard_at else 0.0
        quiet = silent >= SILENT_S and not info.waits_for
        return [
            [("pinned", "accent")] if self.is_pinned else [],
            [(elapsed(ran), "text")] if ran >= 1 else [],
            [(f"silent {elapsed(silent)}", "caution")] if quiet else [],
            [(clean_line(info.model), "muted")] if info.model else [],
            [("background", "muted")] if info.in_background and not info.is_over else [],
        ]

    def _taken(self) -> list[list[Span]]:
        info = self.info
        cost = "? $" if info.cost_usd is None else dollars(info.cost_usd) if info.cost_usd else ""
        sent, written = info.usage.prompt_tokens, info.usage.output_tokens
        share = info.cache_share
        return [
            [(cost, "text")] if cost else [],
            [(f"↑{tokens(sent)} ↓{tokens(written)}", "muted")] if sent or written else [],
            [(f"window {window_share(info)}%", _window_style(info))] if info.context_window and info.context_tokens else [],
            [(f"{info.tool_uses} call{'' if info.tool_uses == 1 else 's'}", "muted")] if info.tool_uses else [],
            [(f"cache {share * 100:.0f}%", "muted")] if share is not None else [],
        ]


def window_share(info: AgentInfo) -> int:
    """How full its window is, per cent."""
    return round(min(1.0, info.context_tokens / info.context_window) * 100) if info.context_window else 0


def _window_style(info: AgentInfo) -> str:
    share = window_share(info)
    return "bad" if share >= 90 else "caution" if share >= 75 else "muted"


def _apart(left: Sequence[Span], right: Sequence[list[Span]], width: int) -> Line:
    """One part at the left, which may be cut down to half; of the others as many at the right as there is room for."""
    shown = [part for part in right if part]
    while shown:
        tail: list[Span] = [span for at, part in enumerate(shown) for span in ((" · " if at else "", "faint"), *part)]
        room = width - line_width(tail) - 3
        if room >= min(line_width(left), width // 2):
            cut = truncate(tuple(left), room)
            return (*cut, (" " * (width - line_width(cut) - line_width(tail) - 1), "text"), *tail, (" ", "text"))
        shown.pop()
    return truncate(tuple(left), width)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripItem:
    """One agent in the strip."""

    number: int
    info: AgentInfo
    is_shown: bool
    is_focused: bool


def strip_line(items: Sequence[StripItem], head: Sequence[Span], width: int) -> tuple[Line, list[tuple[int, int, str]]]:
    """The agents behind a head, and from which column to which each stands with its id. What has no room is counted;
    the one that is looked at is always there."""
    names = [_strip_item(item) for item in items]
    focused = next((at for at, item in enumerate(items) if item.is_focused), 0)
    first = 0
    while True:
        taken = _fitting(names[first:], width - line_width(head) - (5 if first else 0))
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


def _strip_item(item: StripItem) -> list[Span]:
    sign, _word, style = state_of(item.info)
    name = truncate(tuple(name_spans(item.info, is_strong=item.is_shown)), NAME_CELLS)
    number = "key" if item.is_shown else "muted"
    ends: tuple[Span, Span] = (("[", "accent"), ("]", "accent")) if item.is_focused else ((" ", "text"), (" ", "text"))
    return [ends[0], (f"{item.number}", number), (f"{sign} ", style), *name, ends[1]]


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
