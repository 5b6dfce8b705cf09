"""A permission request as lines: title, what it is about, the answers with what they would save, why it is asked."""

from __future__ import annotations

from core.protocol.views import PermissionRequest
from tui.dialogs.consent import SAVING, Consent
from tui.dialogs.question import Choice
from tui.presenter.surfaces import Asker
from tui.rendering.action_views import action_lines, detail_lines, marked, on_one_line, part_lines, subject
from tui.rendering.line import DECOR, Line, Span, line_width, truncate, wrap
from tui.rendering.reveal import reveal

VERBS = {
    "Bash": "wants to run a command",
    "Write": "wants to write a file",
    "Edit": "wants to change a file",
    "MultiEdit": "wants to change a file",
    "NotebookEdit": "wants to change a notebook",
    "Read": "wants to read a file",
    "Grep": "wants to search",
    "Glob": "wants to list files",
    "LS": "wants to list a folder",
    "WebFetch": "wants to fetch a web page",
    "WebSearch": "wants to search the web",
    "EnterPlanMode": "wants to plan first",
}
MAX_LABEL = 44
"""Columns of an agent's type and task in the title."""
MAX_NAME = 32
"""Columns of an agent's or a tool's name in the title."""
LONG_RULE = 100
"""Characters of a rule that is not shown a second time."""
RISKS = {"low": "good", "medium": "caution", "high": "bad"}
_MARGIN: Line = (("  ", "text"),)


def permission_title(consent: Consent) -> Line:
    """Who wants what, and how many more wait."""
    request = consent.request
    verb = VERBS.get(request.tool_name)
    tool = _name(request.tool_name)
    asker = consent.asker
    name, style = (_name(asker.label, MAX_LABEL), asker.style) if asker is not None else (tool, "strong")
    words = verb or (f"wants to run {tool}" if asker is not None else "wants to run")
    title: list[Span] = [("? ", "state.asking"), *marked([(name, style)]), (f" {words}", "strong")]
    if consent.waiting:
        title.append((f"  (and {consent.waiting} more after this)", "muted"))
    return tuple(title)


def body_lines(consent: Consent, width: int) -> list[Line]:
    """What is asked about: the action, its parts, and what one key would answer with it."""
    request = consent.request
    lines = action_lines(request, consent.cwd, width)
    if len(request.parts) > 1:
        lines += part_lines(request.parts, width)
    if consent.alike:
        lines.append((("  and alike", "faint"),))
        for other in consent.alike:
            lines += alike_lines(other, consent, width)
    return lines


def alike_lines(other: PermissionRequest, consent: Consent, width: int) -> list[Line]:
    """A request that is answered with the one that is shown: whose it is, and all that it would do."""
    first = consent.request
    spans: list[Span] = []
    if other.tool_name != first.tool_name:
        spans.append((f"{_name(other.tool_name)} ", "tool.name"))
    spans.append((subject(other, consent.cwd), "tool.argument"))
    if other.input.get("run_in_background"):
        spans.append(("  in the background", "caution"))
    if other.agent != first.agent:
        whose = _name(other.agent_label or other.agent, MAX_LABEL) if other.agent else "the main agent"
        spans.append((f"  {whose}", "muted"))
    if _without_subject(other) != _without_subject(first):
        spans.append((f"  because {on_one_line(other.reason)}", "muted"))
    plus: Line = (("  + ", "accent"),)
    lines = wrap(marked(spans), width, first_prefix=plus, rest_prefix=(("    ", "text"),), words=False)
    return [*lines, *((("  ", "text"), *line) for line in detail_lines(other, width - 2))]


def _without_subject(request: PermissionRequest) -> str:
    """The reason without what the request is about: which of twelve files it is stands there anyway."""
    reason = request.reason
    for value in request.input.values():
        reason = reason.replace(value, "…") if isinstance(value, str) and value else reason
    return reason


def scope_lines(consent: Consent, width: int) -> list[Line]:
    """Exactly the rules that would be saved, all of them, and what they mean."""
    scope = consent.offered
    if scope is None:
        return []
    head: list[Span] = [
        ("  ", "text"),
        ("s/a" if consent.request.saves_to else "s", "key"),
        (" save " if consent.request.saves_to else " saves ", "muted"),
    ]
    margin: Line = ((" " * line_width(head), "text"),)
    place: list[Span] = []
    if len(consent.request.scopes) > 1:
        place = [(f"  ◂ {consent.scope + 1}/{len(consent.request.scopes)} ▸", "accent")]
    lines: list[Line] = []
    for number, rule in enumerate(scope.rules):
        spans = [*marked([(_rule_text(rule, consent.request), "code")]), *(place if number == 0 else [])]
        lines += wrap(
            spans, width, first_prefix=tuple(head) if number == 0 else margin, rest_prefix=margin, words=False
        )
    allows = _example("allows: ", scope.allows, "good")
    refuses = _example("still asks: ", scope.refuses, "caution")
    both: list[Span] = [*allows, *([("  ", "text")] if allows and refuses else []), *refuses]
    indent: Line = (("    ", "text"),)
    if line_width([*indent, *both]) <= width:
        return [*lines, (*indent, *both)] if both else lines
    for example in filter(None, (allows, refuses)):
        lines += wrap(example, width, first_prefix=indent, rest_prefix=indent, words=False)
    return lines


def _rule_text(rule: str, request: PermissionRequest) -> str:
    """The rule on one line; a long one that only repeats the command, which stands above, says that it does."""
    is_whole = rule == f"{request.tool_name}({str(request.input.get('command', '')).strip()})"
    if is_whole and len(rule) > LONG_RULE:
        return f"{request.tool_name}(exactly this command, as it stands above)"
    return on_one_line(rule)


def said_lines(asker: Asker | None, width: int, room: int) -> list[Line]:
    """What the subagent that asks has said and done last: why it asks."""
    mark: Span = ("▎ ", f"{asker.style} {DECOR}") if asker is not None else ("", "")
    said = asker.said[-room:] if asker is not None and room else ()
    return [
        truncate((("  ", "text"), mark, *marked([(reveal(text), style) for text, style in line])), width)
        for line in said
    ]


def answer_lines(consent: Consent, width: int, *, is_seen: bool, said: int = 2) -> list[tuple[Line, int]]:
    """The last lines of a subagent that asks, ``said`` at most, the reason and the answers, with the number of the
    answer that stands on a row, -1 for none.

    ``is_seen``: all that is asked about was in view; until then nothing can be saved.
    """
    reason: Line = (("  because ", "faint"), *marked([(on_one_line(consent.request.reason), "muted")]))
    lines = [(line, -1) for line in (*said_lines(consent.asker, width, said), truncate(reason, width))]
    for index, choice in enumerate(consent.choices):
        is_withheld = choice.value in SAVING and not is_seen
        rows = _choice_lines(choice, width, is_here=index == consent.at, is_withheld=is_withheld)
        lines += [(row, index) for row in rows]
    if consent.alike:
        count = len(consent.alike) + 1
        both: list[Span] = [("  same answer for these ", "muted"), (f"{count}: ", "muted")]
        yes: Span = (" yes", "text") if is_seen else (" yes, read all first (PgDn)", "caution")
        both += [("Y", "key" if is_seen else "faint"), yes, (" · ", "faint"), ("N", "key"), (" no", "text")]
        lines += [(row, -1) for row in wrap(both, width, rest_prefix=_MARGIN)]
    return lines


def hint_words(consent: Consent) -> str:
    """What the other keys do."""
    keys = ["e explain", "Tab comment"]
    return " · ".join(["← → narrower, wider", *keys] if len(consent.request.scopes) > 1 else keys)


def explanation_lines(consent: Consent, width: int) -> list[Line]:
    """Why it is asked, as the checks found, and what a model makes of it."""
    request = consent.request
    lines: list[Line] = [(("  what the checks found", "faint"),)]
    lines += wrap(marked([(on_one_line(request.reason), "text")]), width, first_prefix=_MARGIN, rest_prefix=_MARGIN)
    if len(request.parts) == 1:  # several stand with the action
        lines += part_lines(request.parts, width)
    said = consent.explanation
    head: list[Span] = [("  what a model thinks, no check", "faint")]
    if said is None:
        return [*lines, tuple(head), (("  asking it…", "muted"),)]
    if said.risk:
        head += [("   risk: ", "muted"), (said.risk, f"strong {RISKS[said.risk]}")]
    text = wrap(marked([(reveal(said.text), "text")]), width, first_prefix=_MARGIN, rest_prefix=_MARGIN)
    return [*lines, tuple(head), *text]


def _choice_lines(choice: Choice, width: int, *, is_here: bool, is_withheld: bool) -> list[Line]:
    mark: Span = ("❯ ", "accent") if is_here else ("  ", "text")
    if is_withheld:
        spans: list[Span] = [(f"{choice.key} ", "faint"), (choice.label, "muted")]
        spans.append(("  read it all first (PgUp PgDn)", "caution"))
    else:
        spans = [(f"{choice.key} ", "key"), (choice.label, "strong" if is_here else "text")]
        if choice.detail:
            spans.append((f"  {choice.detail}", "muted"))
    if choice.value != "always":
        return [truncate((mark, *spans), width)]
    return wrap(spans, width, first_prefix=(mark,), rest_prefix=(("    ", "text"),))


def _example(label: str, text: str, style: str) -> list[Span]:
    return [(label, style), *marked([(on_one_line(text), "muted")])] if text else []


def _name(text: str, columns: int = MAX_NAME) -> str:
    return "".join(piece for piece, _style in truncate(((on_one_line(text), ""),), columns))
