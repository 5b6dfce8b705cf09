"""What a call that waits for consent would do: all of it, and every character of it that could deceive made visible."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.protocol.views import Behavior, CallPart, PermissionRequest
from tui.rendering.highlight import highlight
from tui.rendering.line import DECOR, Line, Span, cell_len, truncate, wrap
from tui.rendering.reveal import reveal
from tui.rendering.tool_views import cell_change, change_lines, short_path

SIGNS: dict[Behavior, Span] = {"allow": ("✓ ", "good"), "ask": ("? ", "state.asking"), "deny": ("✗ ", "state.failed")}
"""Told by the sign, coloured beside."""
PATHS = ("file_path", "path", "notebook_path")
"""Arguments that name what a call is about."""
KNOWN = {"Bash": ("command", "description", "run_in_background", "timeout")}
"""Arguments that are shown in a better way than by their names, or do nothing to anyone."""
MIN_REASON = 24
"""Columns that the reason of a part keeps beside it."""
_MARK = re.compile(r"(⟨[^⟨⟩\n]{1,80}⟩|⏎)")
"""What ``reveal`` puts in the place of a character, or beside it."""
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){4,}")


def on_one_line(text: str) -> str:
    """The text with nothing hidden, on one row."""
    return reveal(text).replace("\n", "⏎")


def marked(spans: Sequence[Span]) -> list[Span]:
    """The same spans with what was made visible standing out."""
    found: list[Span] = []
    for text, style in spans:
        pieces = _MARK.split(text)
        found += [(piece, "caution" if at % 2 else style) for at, piece in enumerate(pieces) if piece]
    return found


def subject(request: PermissionRequest, cwd: str) -> str:
    """What the call is about, on one row: the command, the path, the address; empty where it has none."""
    given = request.input
    command = given.get("command")
    if isinstance(command, str):
        return on_one_line(command)
    path = next((given[key] for key in PATHS if given.get(key)), None)
    if isinstance(path, str):
        change = f" {cell_change(given)}" if "notebook_path" in given else ""
        return on_one_line(short_path(path, cwd) + change)
    address = given.get("url")
    return on_one_line(address) if isinstance(address, str) else ""


def action_lines(request: PermissionRequest, cwd: str, width: int) -> list[Line]:
    """The whole action."""
    lines: list[Line] = []
    command = request.input.get("command")
    if isinstance(command, str):
        description = request.input.get("description")
        if isinstance(description, str) and description:
            lines += _indented([(on_one_line(description), "muted")], width)
        lines += command_rows(command, width)
        if request.input.get("run_in_background"):
            lines.append((("  in the background", "caution"),))
    elif about := subject(request, cwd):
        lines += _indented([(about, "tool.argument strong")], width)
    return [*lines, *detail_lines(request, width)]


def detail_lines(request: PermissionRequest, width: int) -> list[Line]:
    """What belongs to the action beside its subject: the change, or every other argument."""
    if request.display.diff is not None:
        return [(("  ", "text"), *line) for line in change_lines(request.display.diff, width - 2)]
    has_command = isinstance(request.input.get("command"), str)
    known = KNOWN.get(request.tool_name, ()) if has_command else (*PATHS, "url")
    lines: list[Line] = []
    for key, value in request.input.items():
        if key not in known:
            shown = reveal(str(value)).replace("\n", "⏎\n")
            lines += _indented([(f"{on_one_line(key)}: ", "muted"), (shown, "text")], width)
    return lines


def command_rows(command: str, width: int) -> list[Line]:
    """A command, highlighted; its lines are numbered where there are several, and many empty ones are counted."""
    shown = _EMPTY_LINES.sub(lambda match: f"\n⟨{match[0].count(chr(10)) - 1} empty lines⟩\n", reveal(command))
    rows = highlight(shown, "bash")
    digits = len(str(len(rows))) if len(rows) > 1 else 0
    lines: list[Line] = []
    for number, row in enumerate(rows, 1):
        gutter: Span = (f"  {number:>{digits}}  " if digits else "  ", f"diff.number {DECOR}")
        below: Span = (" " * len(gutter[0]), f"text {DECOR}")
        lines += wrap(marked(row), width, first_prefix=(gutter,), rest_prefix=(below,), words=False) or [(gutter,)]
    return lines


def part_lines(parts: Sequence[CallPart], width: int) -> list[Line]:
    """What a shell line consists of, one part a row: its mark, and why."""
    texts = [on_one_line(part.text) for part in parts]
    column = min(max(map(cell_len, texts), default=0), max(width - 6 - MIN_REASON, width // 2))
    lines: list[Line] = []
    for part, text in zip(parts, texts, strict=True):
        # The whole command stands above: here a part needs only to be found again.
        shown = truncate(((text, "tool.argument"),), column)
        gap = " " * (column - sum(cell_len(piece) for piece, _style in shown) + 2)
        prefix: Line = (("  ", "text"), SIGNS[part.behavior], *shown, (gap, "text"))
        rest: Line = ((" " * (column + 6), "text"),)
        lines += wrap([reason_of(part)], width, first_prefix=prefix, rest_prefix=rest)
    return lines


def reason_of(part: CallPart) -> Span:
    """Why a part is as it is marked, in words that tell it without the mark."""
    reason = on_one_line(part.reason)
    match part.behavior:
        case "allow":
            return reason or "allowed", "muted"
        case "ask":
            return f"asked: {reason}", "text"
        case _:
            return f"denied: {reason}", "bad"


def _indented(spans: Sequence[Span], width: int) -> list[Line]:
    return wrap(marked(spans), width, first_prefix=(("  ", "text"),), rest_prefix=(("    ", "text"),), words=False)
