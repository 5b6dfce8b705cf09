"""How a subagent is shown wherever it is: its state in a sign and in words, its figures, its colour's style."""

from __future__ import annotations

from dataclasses import dataclass

from core.protocol.agent_views import FORK, AgentInfo, AgentKind
from core.protocol.views import TaskInfo
from tui.rendering.amounts import dollars, duration, elapsed, tokens
from tui.rendering.line import DECOR, Line, Span, line_width, truncate
from tui.rendering.sanitize import clean_line

SILENT_S = 20
"""Without a word from its model for so long, and it is told."""
ENDS = {"completed": ("✓", "state.done", "finished"), "failed": ("✗", "state.failed", "failed")}
STOPPED = ("■", "caution", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNow:
    """What is known of an agent beside its ``AgentInfo``. Times are seconds since the epoch."""

    now: float = 0.0
    activity: str = ""
    is_asking: bool = False
    heard: float | None = None
    """When its model was last heard of; None where something else is waited for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an agent: told by the sign and the words, coloured beside."""

    sign: str
    style: str
    words: str


def agent_style(info: AgentInfo | AgentKind) -> str:
    """The style of its colour."""
    return f"agent.{info.color}" if info.color else "agent"


def standing(info: AgentInfo, at: AgentNow) -> Standing:
    """What it is at."""
    if info.is_over:
        sign, style, words = ENDS.get(info.status, STOPPED)
        return Standing(sign, style, f"{words}: {clean_line(info.ending)}" if info.ending else words)
    aside = ", in the background" if info.in_background else ""
    if at.is_asking or info.waits_for == "your answer":
        return Standing("?", "state.asking", f"waits for your answer{aside}")
    if info.waits_for or info.status == "pending":
        return Standing("○", "state.waiting", f"waits for {clean_line(info.waits_for) or 'its start'}{aside}")
    if info.trouble:
        return Standing("⚠", "strong caution", f"trouble{aside}")
    if silence(at) >= SILENT_S:
        return Standing("⚠", "strong caution", f"silent for {elapsed(silence(at))}{aside}")
    if info.in_background:
        return Standing("»", "state.running", "in the background")
    return Standing("◐", "state.running", at.activity or "running")


def silence(at: AgentNow) -> float:
    """For how many seconds its model, which is waited for, has said nothing."""
    return at.now - at.heard if at.heard is not None else 0.0


def is_moving(info: AgentInfo, at: AgentNow) -> bool:
    """Whether its time is told while it goes on: not where it stands still until somebody answers."""
    waits = at.is_asking or bool(info.waits_for) or info.status == "pending"
    return not (info.is_over or waits)


def run_time(info: AgentInfo, at: AgentNow) -> str:
    """How long it has run; empty while it waits, and time would have to be drawn that nobody moves."""
    if info.is_over:
        return duration(info.duration_ms)
    if not is_moving(info, at):
        return ""
    began = info.run_at or info.started_at
    return elapsed(info.duration_ms / 1000 + max(0.0, at.now - began)) if began else ""


def figures(info: AgentInfo, at: AgentNow) -> list[tuple[str, int]]:
    """Model, time, tokens and cost, each with its rank: those of the highest are the first to be left out."""
    used = info.usage.prompt_tokens + info.usage.output_tokens
    cost = dollars(info.cost_usd) if info.cost_usd or used else ""
    parts = [
        (at.activity if info.in_background and is_moving(info, at) else "", 4),
        (clean_line(info.model), 3),
        (run_time(info, at), 0),
        (f"{tokens(used)} tokens" if used else "", 2),
        (cost, 1),
    ]
    return [part for part in parts if part[0]]


def agent_words(info: AgentInfo, at: AgentNow) -> str:
    """State and figures without the name."""
    return " · ".join([standing(info, at).words, *(text for text, _rank in figures(info, at))])


def agent_head(info: AgentInfo, at: AgentNow, width: int, gutter: Line = ()) -> Line:
    """One line: sign, type, description, and as much of the rest as there is room for."""
    state = standing(info, at)
    left: list[Span] = [
        *gutter,
        (f"{state.sign} ", f"{state.style} {DECOR}"),
        (clean_line(info.agent_type), agent_style(info)),
    ]
    if info.description:
        left.append((f" {clean_line(info.description)}", "tool.argument"))
    words: Span = (f"  {state.words}", "muted" if state.sign in "◐✓»" else state.style)
    parts = figures(info, at)
    tail = _tail(words, parts)
    room = min(line_width(left), max(24, width * 2 // 5))
    while parts and line_width(tail) > width - room:
        parts.remove(max(parts, key=lambda part: part[1]))
        tail = _tail(words, parts)
    tail = truncate(tail, max(8, width - min(room, 24)))
    return truncate((*truncate(tuple(left), max(8, width - line_width(tail))), *tail), width)


def _tail(words: Span, parts: list[tuple[str, int]]) -> Line:
    return (words, *((f" · {text}", "muted") for text, _rank in parts))


def agent_remarks(info: AgentInfo, at: AgentNow) -> list[tuple[str, str]]:
    """What else must be known of it, with its style: what is suspicious, what a fork costs."""
    told: list[tuple[str, str]] = []
    if info.trouble and not info.is_over:
        told.append((clean_line(info.trouble), "caution"))
    if info.agent_type == FORK and info.inherited_tokens:
        share = info.cache_share
        price = dollars(info.expected_usd)
        reads = f", reading them costs about {price}" if price else ""
        came = reads if share is None else f" · {share * 100:.0f}% of what it sent came from the cache"
        verb = "takes over" if share is None else "took over"
        told.append((f"{verb} {tokens(info.inherited_tokens)} tokens of the conversation{came}", "muted"))
    return told


def agent_details(info: AgentInfo) -> str:
    """Its figures in full, for who looks closer."""
    usage = info.usage
    share = info.cache_share
    window = f"window {tokens(info.context_tokens)} of {tokens(info.context_window)}" if info.context_window else ""
    parts = [
        info.id,
        _count(info.steps, "request"),
        _count(info.tool_uses, "call"),
        f"↑ {tokens(usage.prompt_tokens)} ↓ {tokens(usage.output_tokens)}" if usage.prompt_tokens else "",
        f"cache {share * 100:.0f}%" if share is not None else "",
        window,
    ]
    return clean_line(" · ".join(part for part in parts if part))


def task_end(task: TaskInfo) -> tuple[str, str]:
    """The end of a task on one line, and its style."""
    sign, style, words = ENDS.get(task.status, STOPPED)
    lasted = duration(round((task.ended_at - task.started_at) * 1000)) if task.started_at and task.ended_at else ""
    how = " · ".join(part for part in (words, clean_line(task.detail), lasted) if part)
    text = f"{sign} {task.id} {task.description or task.command}: {how}"
    return clean_line(text), "muted" if task.status == "completed" else style


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}" if number else ""
