"""Consent without a screen: what is printed, and what a typed line answers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from core.protocol import events as ev
from core.protocol.ops import AnswerPermission, DeleteRule, ExplainPermission
from core.protocol.views import CallPart, PermissionRequest, RuleInfo, RuleScope
from tui.plain.commands import run_line
from tui.plain.consents import ConsentInquiry, print_permissions
from tui.plain.paper import Paper
from tui.presenter.permission_log import KEPT, PermissionLog

SCOPES = (
    RuleScope(rules=("Bash(npm test one)",)),
    RuleScope(rules=("Bash(npm test *)",), allows="npm test two", refuses="npm publish"),
)
EVIL = "A\x1b[2J\u202eB\nD"


def request(number: int = 1, **more: Any) -> PermissionRequest:
    values: dict[str, Any] = {
        "id": f"ask{number}",
        "tool_use_id": f"c{number}",
        "tool_name": "Bash",
        "input": {"command": f"npm test {number}"},
        "reason": "no rule",
        "scopes": SCOPES,
        "scope": 1,
        "saves_to": "/w/.claude/settings.local.json",
    }
    return PermissionRequest(**{**values, **more})


def shown(first: PermissionRequest, *behind: PermissionRequest) -> tuple[ConsentInquiry, Paper, io.StringIO]:
    out = io.StringIO()
    paper, inquiry = Paper(out), ConsentInquiry(first, "/w")
    inquiry.show(paper, behind)
    return inquiry, paper, out


@pytest.mark.parametrize(
    ("line", "answer", "scope", "comment"),
    [
        ("y", "once", 0, ""),
        ("yes", "once", 0, ""),
        ("y: mind the log", "once", 0, "mind the log"),
        ("s", "session", 1, ""),
        ("a", "always", 1, ""),
        ("3", "always", 1, ""),
        ("n", "deny", 0, ""),
        ("no use uv", "deny", 0, "use uv"),
        ("N", "deny", 0, ""),
    ],
)
def test_a_line_answers(line: str, answer: str, scope: int, comment: str) -> None:
    inquiry, paper, _out = shown(request())
    assert inquiry.take(line, paper) == (
        AnswerPermission(request_id="ask1", answer=answer, scope=scope, comment=comment),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("line", ["", " ", "yesterday", "y and more", "s now", "ok", "5", "-"])
def test_nobody_consents_by_accident(line: str) -> None:
    inquiry, paper, out = shown(request())
    before = out.getvalue().count("Type y or s or a or n")
    assert inquiry.take(line, paper) == ()
    assert out.getvalue().count("Type y or s or a or n") == before + 1


def test_it_tells_what_the_window_tells() -> None:
    parts = (
        CallPart(text="npm test 1", behavior="ask", reason="no rule"),
        CallPart(text="ls", behavior="allow", reason="reads only"),
    )
    inquiry, paper, out = shown(request(agent="Explore", parts=parts))
    text = out.getvalue()
    for words in (
        "? Explore wants to run a command",
        "? npm test 1: asked: no rule",
        "✓ ls: reads only",
        "because no rule",
        "a = Yes, always (saved in .claude/settings.local.json)",
        "s and a save (2 of 2; < is narrower, > is wider):\n    Bash(npm test *)",
        "allows: npm test two",
        "still asks: npm publish",
    ):
        assert words in text, words
    assert inquiry.take("<", paper) == () and "(1 of 2;" in out.getvalue() and "Bash(npm test one)" in out.getvalue()
    assert inquiry.take("<", paper) == () and "There is none further." in out.getvalue()
    assert inquiry.take("s", paper)[0] == AnswerPermission(request_id="ask1", answer="session", scope=0)


def test_capitals_answer_what_was_printed_and_nothing_else() -> None:
    behind = [request(2, likeness="k"), request(3, likeness="other"), request(4, likeness="k", agent="Plan")]
    inquiry, paper, out = shown(request(likeness="k"), *behind)
    assert "Y = yes to all 3 of them" in out.getvalue() and "+ npm test 4  Plan" in out.getvalue()
    assert "npm test 3" not in out.getvalue()
    answers = inquiry.take("Y", paper)
    assert [(op.request_id, op.answer) for op in answers if isinstance(op, AnswerPermission)] == [
        ("ask1", "once"),
        ("ask2", "once"),
        ("ask4", "once"),
    ]


def test_an_explanation_is_asked_for_once_and_labelled() -> None:
    inquiry, paper, out = shown(request())
    assert inquiry.take("e", paper) == (ExplainPermission(request_id="ask1"),)
    assert inquiry.take("e", paper) == ()
    inquiry.explain(ev.PermissionExplained(request_id="ask1", text="It tests.", risk="low"), paper)
    assert "what a model thinks, no check   risk: low\n  It tests." in out.getvalue()


def test_hostile_words_do_nothing() -> None:
    scope = RuleScope(rules=(EVIL,), allows=EVIL, refuses=EVIL)
    inquiry, paper, out = shown(
        request(agent=EVIL, reason=EVIL, scopes=(scope,), scope=7, saves_to=EVIL, input={"command": EVIL}),
    )
    inquiry.take("e", paper)
    log = PermissionLog()
    log.set_rules((RuleInfo(behavior="deny", text=EVIL, layer="user", source=EVIL, problem=EVIL),))
    log.decide(ev.PermissionDecided(tool_use_id="1", behavior="ask", reason=EVIL, tool_name=EVIL, subject=EVIL), 0.0)
    print_permissions(log, "/w", paper)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out.getvalue())
    assert out.getvalue().count("⟨U+202E⟩") >= 9


def test_rules_and_decisions_are_printed_and_deleted_by_number() -> None:
    class Told:
        permissions = PermissionLog()
        cwd = "/w"

    told: Any = Told()
    out = io.StringIO()
    paper = Paper(out)
    assert run_line("/permissions", told, paper) is True and "There are no permission rules." in out.getvalue()
    rule = RuleInfo(behavior="allow", text="Bash(ls *)", layer="local", source="/w/.claude/x.json:3", can_delete=True)
    fixed = RuleInfo(behavior="deny", text="Read(.env)", layer="managed", source="/etc/x.json:1")
    told.permissions.set_rules((rule, fixed))
    run_line("/permissions ", told, paper)
    assert "1 deny Read(.env) (/etc/x.json:1)\n  2 allow Bash(ls *) (.claude/x.json:3)" in out.getvalue()
    assert run_line("/permissions delete 2", told, paper) == DeleteRule(
        behavior="allow", text="Bash(ls *)", layer="local", source="/w/.claude/x.json:3"
    )
    for line in ("/permissions delete 1", "/permissions delete 3", "/permissions delete", "/permissions what"):
        assert run_line(line, told, paper) is True
    assert run_line("/permissionsx", told, paper) is False and run_line("say /permissions", told, paper) is False


def test_the_log_keeps_the_newest() -> None:
    log = PermissionLog()
    changes: list[int] = []
    end = log.watch(lambda: changes.append(len(log.decisions)))
    for number in range(KEPT + 5):
        decided = ev.PermissionDecided(tool_use_id=str(number), behavior="ask", reason="r")
        log.decide(decided, float(number))
    log.decide(ev.PermissionDecided(tool_use_id=str(KEPT), behavior="allow", reason="a rule was added"), 1.0)
    end()
    assert len(log.decisions) == KEPT == changes[-1]
    assert log.decisions[0].decided.behavior == "allow"
    log.ask(request(KEPT + 4, tool_use_id=str(KEPT + 4), agent="Plan"))
    assert log.decisions[1].is_open and log.decisions[1].agent == "Plan"
    log.resolve(str(KEPT + 4), "deny", "no")
    assert (log.decisions[1].answer, log.decisions[1].comment, log.decisions[1].is_open) == ("deny", "no", False)
    assert len(changes) == KEPT + 6
