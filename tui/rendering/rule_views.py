"""Permission rules and decisions as lines: rows of a list, and all that is known of one."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from core.protocol.events import PermissionDecided
from core.protocol.views import Answer, RuleInfo
from tui.rendering.action_views import SIGNS, marked, on_one_line, part_lines
from tui.rendering.line import Line, Span, line_width, truncate, wrap
from tui.rendering.tool_views import short_path

LAYERS = {
    "user": "yours, everywhere",
    "project": "the project's",
    "local": "yours, in this project",
    "flag": "command line",
    "managed": "your administrator's",
    "session": "this session",
}
ANSWERS: dict[Answer | None, str] = {
    "once": "you: yes",
    "session": "you: yes, session",
    "always": "you: yes, always",
    "deny": "you: no",
    None: "",
}
LABEL = 10
SUBJECT_MIN = 20


def clock_time(at: float) -> str:
    """The time of day here."""
    return f"{datetime.datetime.fromtimestamp(at).astimezone():%H:%M:%S}"


def answer_words(answer: Answer | None, *, is_open: bool) -> str:
    """What the user has said, where they were asked."""
    return "waits for you" if is_open else ANSWERS[answer]


def rule_source(rule: RuleInfo, cwd: str) -> str:
    """Where a rule stands: its file and line, else its layer."""
    return on_one_line(short_path(rule.source, cwd)) if rule.source else LAYERS[rule.layer]


def rule_row(rule: RuleInfo, cwd: str, width: int) -> Line:
    """One row: what it says, the rule, whose it is; what is wrong with it where something is."""
    sign, style = SIGNS[rule.behavior]
    head: list[Span] = [(f"{sign}{rule.behavior:<6}", style)]
    right: list[Span] = [(f"  {rule_source(rule, cwd)}", "muted")]
    if rule.problem:
        right = [(f"  ⚠ {on_one_line(rule.problem)}", "caution")]
    return _in_columns(
        head, marked([(on_one_line(rule.text), "muted strike" if rule.problem else "text")]), right, width
    )


def decision_row(decided: PermissionDecided, at: float, said: str, width: int) -> Line:
    """One row: when, what was decided, about what, and what the user said."""
    sign, style = SIGNS[decided.behavior]
    head: list[Span] = [(f"{clock_time(at)}  ", "muted"), (f"{sign}{decided.behavior:<6}", style)]
    subject: list[Span] = [(f"{on_one_line(decided.tool_name)} ", "tool.name")]
    subject += marked([(on_one_line(decided.subject), "tool.argument")])
    right = said or on_one_line(decided.rule or decided.reason)
    return _in_columns(head, subject, [(f"  {right}", "text" if said else "muted")], width)


def rule_details(rule: RuleInfo, width: int) -> list[Line]:
    """All that is known of a rule."""
    sign, style = SIGNS[rule.behavior]
    lines = _field("rule", [(f"{sign}{rule.behavior} ", style), *marked([(on_one_line(rule.text), "strong")])], width)
    lines += _field("from", [(LAYERS[rule.layer], "text")], width)
    if rule.source:
        lines += _field("stands in", marked([(on_one_line(rule.source), "text")]), width)
    if rule.problem:
        lines += _field("problem", [("has no effect: ", "caution"), (on_one_line(rule.problem), "text")], width)
    return lines


def decision_details(decided: PermissionDecided, at: float, said: str, agent: str, width: int) -> list[Line]:
    """Why it was decided so."""
    sign, style = SIGNS[decided.behavior]
    lines = _field("decided", [(f"{sign}{decided.behavior}", style), (f"  at {clock_time(at)}", "muted")], width)
    about: list[Span] = [(f"{on_one_line(decided.tool_name)} ", "tool.name"), (on_one_line(decided.subject), "text")]
    lines += _field("call", marked(about), width)
    if agent:
        lines += _field("agent", [(on_one_line(agent), "text")], width)
    lines += _field("why", marked([(on_one_line(decided.reason), "text")]), width)
    rule = on_one_line(decided.rule) or "none: a check or the mode decided"
    lines += _field("rule", marked([(rule, "text" if decided.rule else "muted")]), width)
    if decided.source:
        lines += _field("stands in", marked([(on_one_line(decided.source), "text")]), width)
    if said:
        lines += _field("answer", [(said, "text")], width)
    if decided.parts:
        lines += [(("parts", "muted"),), *part_lines(decided.parts, width)]
    return lines


def _field(label: str, spans: Sequence[Span], width: int) -> list[Line]:
    rest: Line = ((" " * LABEL, "text"),)
    return wrap(spans, width, first_prefix=((f"{label:<{LABEL}}", "muted"),), rest_prefix=rest, words=False)


def _in_columns(head: list[Span], middle: list[Span], right: list[Span], width: int) -> Line:
    """Head, what it is about, and at the right end a remark; each is cut where there is no room for all."""
    room = width - line_width(head)
    remark = truncate(tuple(right), max(room - max(SUBJECT_MIN, min(line_width(middle), room * 3 // 5)), 0))
    about = truncate(tuple(middle), max(room - line_width(remark), 0))
    gap = max(width - line_width(head) - line_width(about) - line_width(remark), 0)
    return (*head, *about, (" " * gap, "text"), *remark)
