"""What a subagent may do: the session's policy, live, within the bounds of its definition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.agent_policies import AgentPolicies, mode_of_agent
from core.agents.definition import AgentDefinition
from core.bus.bus import Bus, Publisher
from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.policy import Policy
from core.permissions.policy_holder import PolicyHolder
from core.permissions.rules import parse_rule
from core.permissions.shell_access import shell_access
from core.protocol.errors import AgentError
from core.protocol.events import RulesChanged
from core.protocol.views import PermissionMode
from tests.fakes.clock import FakeClock

MODES: tuple[PermissionMode, ...] = get_args(PermissionMode)
WORK = Path("/nowhere/work")
RANK = ("deny", "ask", "allow")
COMMANDS = ("ls", "touch a", "mkdir b; rm b", "make", "cat .env", "touch /etc/x", "rm -rf /")


def definition(mode: PermissionMode | None = None, *, is_read_only: bool = False) -> AgentDefinition:
    return AgentDefinition(name="Worker", description="", prompt="", mode=mode, is_read_only=is_read_only)


def holder(mode: PermissionMode = "default", work: Path = WORK) -> PolicyHolder:
    bus = Bus("s", FakeClock())
    policy = Policy(mode=mode, cwd=work, roots=(work,), plan_file=work / "plan.md")
    return PolicyHolder(policy, Publisher(bus), {}, ())


modes = st.sampled_from(MODES)


@given(modes, st.none() | modes)
def test_the_law_of_modes(session: PermissionMode, wanted: PermissionMode | None) -> None:
    mode = mode_of_agent(session, wanted)
    assert mode in (session, wanted)
    assert mode_of_agent(session, None) == session
    assert mode_of_agent(session, session) == session
    assert mode_of_agent("plan", wanted) == "plan"
    assert mode_of_agent(session, "plan") == "plan"
    assert mode != "bypassPermissions" or session == "bypassPermissions"
    assert session != "dontAsk" or mode in ("dontAsk", "plan")
    assert mode_of_agent(session, mode) == mode


calls = st.one_of(
    st.sampled_from(COMMANDS).map(lambda text: ("Bash", text)),
    st.sampled_from(["a", "plan.md", ".git/config", "/etc/hosts"]).map(lambda text: ("Write", text)),
    st.sampled_from(["a", ".env", "/etc/hosts"]).map(lambda text: ("Read", text)),
)


def access_of(tool: str, text: str) -> Access:
    if tool == "Bash":
        shell = shell_access(text, WORK)
        return Access(shell=shell, is_read_only=shell.judged.is_read_only)
    paths = (WORK / text,)
    return Access(writes=paths) if tool == "Write" else Access(reads=paths, is_read_only=True)


@given(modes, st.none() | modes, st.booleans(), calls, st.lists(st.sampled_from(["Bash", "Edit", "Read(//**)"])))
def test_an_agent_is_never_let_do_more_but_edits_that_its_definition_accepts(
    session: PermissionMode,
    wanted: PermissionMode | None,
    reads_only: bool,
    call: tuple[str, str],
    allow: list[str],
) -> None:
    policies = holder(session)
    policies.add(allow)
    access = access_of(*call)
    mine = decide(call[0], access, AgentPolicies(policies, definition(wanted, is_read_only=reads_only)).policy)
    free = decide(call[0], access, policies.policy)
    if session == "default" and wanted == "acceptEdits":
        free = decide(call[0], access, replace(policies.policy, mode="acceptEdits"))
    assert RANK.index(mine.behavior) <= RANK.index(free.behavior)


def test_what_changes_in_the_session_counts_at_once() -> None:
    session = holder("acceptEdits")
    agent = AgentPolicies(session, definition())
    access = access_of("Bash", "make")
    assert agent.policy.mode == "acceptEdits" and decide("Bash", access, agent.policy).behavior == "ask"
    session.add(["Bash(make)"])
    assert decide("Bash", access, agent.policy).behavior == "allow"
    session.set_mode("plan")
    assert agent.policy.mode == "plan" and decide("Bash", access, agent.policy).behavior == "deny"
    session.reload((parse_rule("Read(a)", "deny"),), (), (WORK, Path("/more")))
    assert agent.policy.roots == (WORK, Path("/more")) and agent.policy.of("deny")


def test_the_answer_to_an_agent_is_the_sessions() -> None:
    bus = Bus("s", FakeClock())
    seen = bus.subscribe()
    session = PolicyHolder(holder().policy, Publisher(bus), {}, ())
    first, second = AgentPolicies(session, definition()), AgentPolicies(session, definition("default"))
    first.add(["Bash(make)"])
    assert [str(rule) for rule in session.policy.rules] == [str(rule) for rule in second.policy.rules] == ["Bash(make)"]
    assert [type(envelope.event) for envelope in seen.take()] == [RulesChanged]
    assert first.saves_to is None
    with pytest.raises(AgentError, match="Trust the folder"):
        first.add(["Bash(make)"], layer="local")


def test_a_call_of_an_agent_changes_no_mode() -> None:
    session = holder("bypassPermissions")
    agent = AgentPolicies(session, definition("default"))
    agent.set_mode("bypassPermissions")
    assert (session.policy.mode, agent.policy.mode) == ("bypassPermissions", "default")


def test_the_plan_is_the_main_agents() -> None:
    session = holder("plan")
    access = Access(writes=(WORK / "plan.md",))
    assert decide("Write", access, session.policy).behavior == "allow"
    assert decide("Write", access, AgentPolicies(session, definition()).policy).behavior == "deny"


def test_who_only_reads_is_named_by_its_definition() -> None:
    session = holder("bypassPermissions")
    agent = AgentPolicies(session, definition("acceptEdits", is_read_only=True))
    decision = decide("Bash", access_of("Bash", "touch a"), agent.policy)
    assert decision.behavior == "deny" and decision.reason.startswith("Worker may only read")
    assert session.policy.reads_only == ""


@pytest.mark.parametrize(
    ("session", "wanted", "is_told"),
    [
        ("default", "bypassPermissions", True),
        ("acceptEdits", "bypassPermissions", True),
        ("bypassPermissions", "bypassPermissions", False),
        ("default", "acceptEdits", False),
        ("dontAsk", "acceptEdits", True),
        ("default", None, False),
        ("plan", "default", True),
    ],
)
def test_a_mode_that_is_not_given_is_told(
    session: PermissionMode, wanted: PermissionMode | None, is_told: bool
) -> None:
    notice = AgentPolicies(holder(session), definition(wanted)).notice
    assert bool(notice) == is_told
    if is_told:
        assert str(wanted) in notice and session in notice
