"""Rules: what is one, which tools it speaks for, and what of a call it looks at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.hiding import hidden_by
from core.permissions.policy import Policy
from core.permissions.rules import parse_rule, unknown_tool
from core.protocol.views import Behavior

WORK = Path("/nowhere/work")


def policy(rule: str, behavior: Behavior, base: Path | None = None) -> Policy:
    return Policy(mode="default", cwd=WORK, roots=(WORK,), rules=(parse_rule(rule, behavior, base=base),))


def decided(tool: str, access: Access, rule: str, behavior: Behavior) -> str:
    return decide(tool, access, policy(rule, behavior)).behavior


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("*", "mcp__SERVER__"),
        ("Ba*", "mcp__SERVER__"),
        ("mcp__*", "mcp__SERVER__"),
        ("mcp__git*__get", "mcp__SERVER__"),
        ("Write(src/**)", r"Edit\(src"),
        ("NotebookEdit(a.ipynb)", r"Edit\("),
        ("Glob(src/**)", r"Read\("),
    ],
)
def test_a_rule_that_could_not_mean_what_it_says_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_rule(text, "allow")


@pytest.mark.parametrize("text", ["*", "Ba*", "mcp__*", "mcp__git*__get"])
def test_what_denies_or_asks_may_name_tools_by_pattern(text: str) -> None:
    assert parse_rule(text, "deny").tool == parse_rule(text, "ask").tool == text


def test_a_tool_in_the_wrong_case_is_told() -> None:
    assert "Bash" in unknown_tool(parse_rule("bash(make *)"), ["Bash", "Read"])
    assert not unknown_tool(parse_rule("Bash(make *)"), ["Bash", "Read"])
    assert not unknown_tool(parse_rule("mcp__later__tool"), ["Bash"])
    assert not unknown_tool(parse_rule("Skill(x)"), ["Bash"])


@pytest.mark.parametrize(
    ("rule", "behavior", "tool", "expected"),
    [
        ("mcp__git", "deny", "mcp__git__push", "deny"),
        ("mcp__git", "deny", "mcp__github__push", "ask"),
        ("mcp__git", "allow", "mcp__git__push", "allow"),
        ("mcp__git__*", "allow", "mcp__git__push", "allow"),
        ("mcp__git__get_*", "allow", "mcp__git__put", "ask"),
        ("mcp__git__push", "allow", "mcp__git__push_all", "ask"),
        ("mcp__*__push", "deny", "mcp__git__push", "deny"),
        ("*", "deny", "mcp__git__push", "deny"),
    ],
)
def test_rules_for_servers(rule: str, behavior: Behavior, tool: str, expected: str) -> None:
    assert decided(tool, Access(), rule, behavior) == expected


def agent(**fields: Any) -> Access:
    return Access(name=str(fields.get("subagent_type", "")), fields=fields, is_read_only=True)


@pytest.mark.parametrize(
    ("rule", "fields", "expected"),
    [
        ("Agent(Explore)", {"subagent_type": "Explore"}, "deny"),
        ("Task(Explore)", {"subagent_type": "Explore"}, "deny"),
        ("Agent(Explore)", {"subagent_type": "Plan"}, "allow"),
        ("Agent(model:opus)", {"subagent_type": "Plan", "model": "opus"}, "deny"),
        ("Agent(model : op*)", {"subagent_type": "Plan", "model": "opus"}, "deny"),
        ("Agent(model:*)", {"subagent_type": "Plan"}, "allow"),
        ("Agent(run_in_background:true)", {"subagent_type": "Plan", "run_in_background": True}, "deny"),
        ("Agent(run_in_background:true)", {"subagent_type": "Plan", "run_in_background": False}, "allow"),
        ("Agent(prompt:*)", {"subagent_type": "Plan", "prompt": "x"}, "allow"),
    ],
)
def test_a_rule_that_denies_may_name_an_agent_or_a_field(rule: str, fields: dict[str, Any], expected: str) -> None:
    assert decided("Agent", agent(**fields), rule, "deny") == expected


def test_a_rule_that_allows_never_looks_at_a_field() -> None:
    access = replace(agent(subagent_type="Plan", model="opus"), is_read_only=False)
    assert decided("Agent", access, "Agent(model:opus)", "allow") == "ask"
    assert decided("Agent", access, "Agent(Plan)", "allow") == "allow"


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("Skill(deploy *)", "deploy", "deny"),
        ("Skill(deploy *)", "deploy now", "deny"),
        ("Skill(deploy *)", "deployment", "ask"),
        ("Skill(deploy)", "deploy now", "ask"),
        ("Skill", "deploy", "deny"),
    ],
)
def test_rules_for_skills(rule: str, name: str, expected: str) -> None:
    assert decided("Skill", Access(name=name), rule, "deny") == expected


def test_a_path_with_one_slash_begins_where_the_rule_was_written() -> None:
    elsewhere = Path("/nowhere/home/.claude")
    access = Access(reads=(elsewhere / "secrets" / "k",), is_read_only=True)
    assert decide("Read", access, policy("Read(/secrets/**)", "deny", elsewhere)).behavior == "deny"
    assert decide("Read", access, policy("Read(/secrets/**)", "deny")).behavior == "ask"


def test_where_case_is_ignored_it_is_for_what_denies_and_not_for_what_allows() -> None:
    access = Access(writes=(WORK / "SRC" / "a",))
    for ignores, denied in ((True, "deny"), (False, "ask")):
        assert decide("Edit", access, replace(policy("Edit(src/**)", "deny"), ignores_case=ignores)).behavior == denied
        assert decide("Edit", access, replace(policy("Edit(src/**)", "allow"), ignores_case=ignores)).behavior == "ask"


def test_a_pattern_that_cannot_be_compiled_denies_at_least_the_file_of_that_name() -> None:
    assert decided("Edit", Access(writes=(WORK / "foo[",)), "Edit(foo[)", "deny") == "deny"
    assert decided("Edit", Access(writes=(WORK / "bar",)), "Edit(foo[)", "deny") == "ask"


def test_a_file_that_may_not_be_read_is_not_listed() -> None:
    hides = hidden_by(policy("Read(secrets/**)", "deny"))
    assert hides(WORK / "pkg" / "secrets" / "k")
    assert not hides(WORK / "pkg" / "a")


def test_an_ask_rule_asks_even_where_nothing_else_would() -> None:
    access = Access(reads=(WORK / "a",), is_read_only=True)
    for mode in ("default", "acceptEdits", "plan", "bypassPermissions"):
        given = replace(policy("Read(a)", "ask"), mode=mode)
        decision = decide("Read", access, given)
        assert (decision.behavior, str(decision.rule)) == ("ask", "Read(a)")
    assert decide("Read", access, replace(policy("Read(a)", "ask"), mode="dontAsk")).behavior == "deny"


def test_without_asking_only_what_is_asked_about_is_refused() -> None:
    given = Policy(mode="dontAsk", cwd=WORK, roots=(WORK,))
    assert decide("Read", Access(reads=(WORK / "a",), is_read_only=True), given).behavior == "allow"
    assert decide("Edit", Access(writes=(WORK / "a",)), given).behavior == "deny"
    assert (
        decide("AskUserQuestion", Access(verdict="allow", asks_user=True, reason="it asks"), given).behavior == "deny"
    )
    allowing = replace(given, rules=(parse_rule("Edit(a)"),))
    assert decide("Edit", Access(writes=(WORK / "a",)), allowing).behavior == "allow"
