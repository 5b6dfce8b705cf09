"""The few commands that there are without a screen."""

from __future__ import annotations

import re

from core.protocol.ops import Compact, DeleteRule, HandOff, Op, ReportContext, ReportCosts, SetModel, UndoCompaction
from tui.plain.consents import print_permissions
from tui.plain.paper import Paper
from tui.presenter.presenter import Presenter

LINE = re.compile(r"/(?P<name>[a-z]+)(?:\s+(?P<rest>.*))?", re.DOTALL)
RULE = re.compile(r"(?P<verb>\S+)(?:\s+(?P<number>\d+))?\s*")


def run_line(line: str, presenter: Presenter, paper: Paper) -> Op | bool:
    """Do what a command says: the op that it comes to, True where that is all, False where the line is no command."""
    match = LINE.fullmatch(line.strip())
    rest = (match["rest"] or "").strip() if match is not None else ""
    match match["name"] if match is not None else "":
        case "permissions":
            return _permissions(rest, presenter, paper)
        case "context":
            return ReportContext()
        case "cost" | "usage":
            return ReportCosts()
        case "compact":
            return Compact(instructions=rest)
        case "uncompact":
            return UndoCompaction()
        case "handoff":
            return HandOff(goal=rest)
        case "model" if rest:
            quoted = presenter.quoted
            return SetModel(model=rest, is_confirmed=quoted is not None and quoted.model == rest)
        case _:
            return False


def _permissions(rest: str, presenter: Presenter, paper: Paper) -> Op | bool:
    log = presenter.permissions
    if not rest:
        print_permissions(log, presenter.cwd, paper)
        return True
    match = RULE.fullmatch(rest)
    number = int(match["number"] or 0) if match is not None else 0
    if match is None or match["verb"] != "delete" or not 1 <= number <= len(log.rules):
        paper.line("Type /permissions, or /permissions delete and the number of a rule.")
        return True
    rule = log.rules[number - 1]
    if not rule.can_delete:
        paper.line(f"That rule stands in {rule.source or 'no file of yours'} and can only be deleted there.")
        return True
    return DeleteRule(behavior=rule.behavior, text=rule.text, layer=rule.layer, source=rule.source)
