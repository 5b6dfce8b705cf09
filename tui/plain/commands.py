"""The few commands that there are without a screen."""

from __future__ import annotations

import re

from core.protocol.ops import DeleteRule, Op
from tui.plain.consents import print_permissions
from tui.plain.paper import Paper
from tui.presenter.presenter import Presenter

LINE = re.compile(r"/permissions(?:\s+(?P<verb>\S+)(?:\s+(?P<number>\d+))?)?\s*")


def run_line(line: str, presenter: Presenter, paper: Paper) -> Op | bool:
    """Do what a command says: the op that it comes to, True where that is all, False where the line is no command."""
    match = LINE.fullmatch(line.strip())
    if match is None:
        return False
    log = presenter.permissions
    if match["verb"] is None:
        print_permissions(log, presenter.cwd, paper)
        return True
    number = int(match["number"] or 0)
    if match["verb"] != "delete" or not 1 <= number <= len(log.rules):
        paper.line("Type /permissions, or /permissions delete and the number of a rule.")
        return True
    rule = log.rules[number - 1]
    if not rule.can_delete:
        paper.line(f"That rule stands in {rule.source or 'no file of yours'} and can only be deleted there.")
        return True
    return DeleteRule(behavior=rule.behavior, text=rule.text, layer=rule.layer, source=rule.source)
