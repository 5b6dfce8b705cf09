"""What an agent that may only read gets: nothing else, in no mode, whatever rules allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.tools import TOOLS
from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.policy import Policy
from core.permissions.rules import parse_rule
from core.permissions.shell_access import shell_access
from core.protocol.views import PermissionMode
from tests.fakes.tools import make_bench
from tests.unit.readonly_workspace import CASES, make_planted_repository

MODES: tuple[PermissionMode, ...] = ("default", "acceptEdits", "plan", "dontAsk", "bypassPermissions")
WIDE = ("Bash", "Edit", "Read", "Write", "NotebookEdit", "TaskCreate", "WebFetch", "Nonsense")
NOT_JUDGED = {"ro_jq-009", "ro_secret_read-010"}
"""They read, but not even people see that at a look: a program in a file, and a file that nobody can name before."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_planted_repository(tmp_path_factory.mktemp("repository"))


def policy(cwd: Path, mode: PermissionMode = "default", reads_only: str = "Explore", *allow: str) -> Policy:
    given = tuple(parse_rule(text, "allow", source="test") for text in allow)
    return Policy(mode=mode, cwd=cwd, roots=(cwd,), rules=given, reads_only=reads_only, plan_file=cwd / "plan.md")


def bash(command: str, cwd: Path) -> Access:
    shell = shell_access(command, cwd, Path("/home/u"))
    if shell.script.refusal:
        return Access(shell=shell, verdict="deny", reason=shell.script.refusal)
    return Access(shell=shell, is_read_only=shell.judged.is_read_only)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("allow", [(), WIDE], ids=["no rules", "everything allowed"])
def test_every_command_that_does_more_is_refused_with_a_reason(
    repository: Path, mode: PermissionMode, allow: tuple[str, ...]
) -> None:
    given = policy(repository, mode, "Explore", *allow)
    for case in CASES:
        access = bash(case["command"], repository)
        decision = decide("Bash", access, given)
        if not case["readonly"]:
            assert decision.behavior == "deny" and decision.reason, case
            own = access.reason if access.verdict == "deny" else ""
            assert decision.reason.startswith(own or "Explore may only read, and "), decision
        elif case["id"] not in NOT_JUDGED and mode != "dontAsk":
            assert decision.behavior != "deny", (case, decision.reason)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("ls; git commit -m x", "`git commit -m x` is more than that ("),
        ("cat a | tee b", "`tee b` is more than that ("),
        ("sed -i s/a/b/ x", "`sed -i s/a/b/ x` is more than that ("),
        ("python -c 'print(1)'", "`python -c 'print(1)'` is more than that (python is not known to only read)"),
        ("find . -name x -delete", "is more than that ("),
        ("ls > out", "`> out` is more than that (> out writes a file)"),
        ("FOO=1 make", "`FOO=1 make` is more than that ("),
        ("make " + "x" * 500, "x…` is more than that"),
    ],
)
def test_the_part_that_is_more_than_reading_is_named(repository: Path, command: str, named: str) -> None:
    decision = decide("Bash", bash(command, repository), policy(repository))
    assert decision.behavior == "deny"
    assert named in decision.reason and decision.reason.endswith("; put into your report what should be done")
    assert any(part.behavior == "deny" for part in decision.parts)


def test_a_tool_that_takes_a_line_for_harmless_is_not_believed(repository: Path) -> None:
    wrong = replace(bash("touch x", repository), is_read_only=True)
    assert decide("Bash", wrong, policy(repository, "bypassPermissions")).behavior == "deny"


def test_what_stands_beside_it_is_seen_to_be_harmless(repository: Path) -> None:
    decision = decide("Bash", bash("ls && touch x", repository), policy(repository))
    assert [(part.text, part.behavior) for part in decision.parts] == [("ls", "allow"), ("touch x", "deny")]


def test_what_it_reads_is_decided_as_ever(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    for mode in MODES:
        for command in ("cat README.md", "cat .env", f"cat {tmp_path}/elsewhere"):
            access = bash(command, repository)
            free = decide("Bash", access, policy(repository, mode, ""))
            assert decide("Bash", access, policy(repository, mode)).behavior == free.behavior
    deny = parse_rule("Read(README.md)", "deny", source="test")
    ruled = Policy(mode="default", cwd=repository, roots=(repository,), rules=(deny,), reads_only="Explore")
    assert "the rule" in decide("Read", Access(reads=(repository / "README.md",), is_read_only=True), ruled).reason


def test_the_plan_is_not_its_to_write(repository: Path) -> None:
    access = Access(writes=(repository / "plan.md",))
    assert decide("Write", access, policy(repository, "plan", "")).behavior == "allow"
    decision = decide("Write", access, policy(repository, "plan"))
    assert decision.behavior == "deny" and f"this writes {repository / 'plan.md'}" in decision.reason


GETS: dict[str, tuple[dict[str, Any], str]] = {
    "Read": ({"file_path": "a"}, "allow"),
    "Write": ({"file_path": "a", "content": "x"}, "deny"),
    "Edit": ({"file_path": "a", "old_string": "x", "new_string": "y"}, "deny"),
    "MultiEdit": ({"file_path": "a", "edits": [{"old_string": "x", "new_string": "y"}]}, "deny"),
    "NotebookEdit": ({"notebook_path": "a.ipynb", "new_source": "x", "cell_id": "1"}, "deny"),
    "Glob": ({"pattern": "*"}, "allow"),
    "Grep": ({"pattern": "x"}, "allow"),
    "LS": ({"path": "."}, "allow"),
    "Bash": ({"command": "ls"}, "allow"),
    "BashOutput": ({}, "allow"),
    # The shell may be another agent's.
    "KillShell": ({"shell_id": "b123456"}, "deny"),
    # They change nothing here; what they send is asked about as ever.
    "WebFetch": ({"url": "https://example.com"}, "ask"),
    "WebSearch": ({"query": "words"}, "ask"),
    "TodoWrite": ({"todos": []}, "deny"),
    # The list is everybody's.
    "TaskCreate": ({"subject": "x"}, "deny"),
    "TaskGet": ({"taskId": "1"}, "allow"),
    "TaskUpdate": ({"taskId": "1"}, "deny"),
    "TaskList": ({}, "allow"),
    # Never given to an agent: this is about what happens should one have them all the same.
    "AskUserQuestion": ({"questions": []}, "deny"),
    "EnterPlanMode": ({}, "deny"),
    "ExitPlanMode": ({}, "deny"),
}


def test_every_tool_has_its_place_in_the_table(tmp_path: Path) -> None:
    assert set(GETS) == {tool.name for tool in TOOLS}
    bench = make_bench(tmp_path)
    for kind in TOOLS:
        tool = kind()
        given, expected = GETS[tool.name]
        arguments = tool.input_type.model_construct(**{**_defaults(tool.input_type), **given})
        decision = decide(tool.name, tool.touches(arguments, bench.state), policy(bench.root))
        assert decision.behavior == expected, (tool.name, decision)
        if expected == "deny":
            assert decision.reason.startswith("Explore may only read, and "), decision


def _defaults(kind: Any) -> dict[str, Any]:
    return {name: field.default for name, field in kind.model_fields.items() if not field.is_required()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("field", ["run_in_background", "dangerouslyDisableSandbox"])
def test_neither_the_background_nor_outside_the_sandbox(tmp_path: Path, mode: PermissionMode, field: str) -> None:
    bench, tool = make_bench(tmp_path), next(kind for kind in TOOLS if kind.name == "Bash")()
    fields = {"command": "ls", field: True}
    access = tool.check_permissions(tool.input_type.model_validate(fields), bench.context)
    allowed = policy(bench.root, mode, "Explore", *WIDE)
    decision = decide("Bash", replace(access, fields=fields), allowed)
    assert decision.behavior == "deny" and f"leave out {field}" in decision.reason


accesses = st.builds(
    Access,
    reads=st.lists(st.sampled_from(["a", "src/a", ".env", "/etc/hosts"]).map(Path), max_size=2).map(tuple),
    writes=st.lists(st.sampled_from(["a", "plan.md", ".git/config", "/etc/hosts"]).map(Path), max_size=2).map(tuple),
    is_read_only=st.booleans(),
    is_held=st.booleans(),
    verdict=st.sampled_from(["pass", "allow", "ask", "deny"]),
    reason=st.just("own check"),
    sends=st.sampled_from(["", "it sends"]),
)


@given(accesses, st.sampled_from(MODES), st.lists(st.sampled_from(WIDE), unique=True), st.sampled_from(WIDE))
def test_a_reader_is_never_allowed_more_nor_anything_that_writes(
    access: Access, mode: PermissionMode, allow: list[str], tool: str
) -> None:
    cwd, rank = Path("/nowhere/work"), ("deny", "ask", "allow")
    access = Access(
        **{name: getattr(access, name) for name in ("is_read_only", "is_held", "verdict", "reason", "sends")},
        reads=tuple(cwd / path for path in access.reads),
        writes=tuple(cwd / path for path in access.writes),
    )
    held = decide(tool, access, policy(cwd, mode, "Explore", *allow))
    free = decide(tool, access, policy(cwd, mode, "", *allow))
    assert rank.index(held.behavior) <= rank.index(free.behavior)
    if access.writes or not access.is_read_only:
        assert held.behavior == "deny"
    else:
        assert held == free


@given(st.sampled_from([case["command"] for case in CASES]), st.sampled_from(MODES), st.booleans())
def test_of_commands_too(command: str, mode: PermissionMode, is_allowed: bool) -> None:
    cwd = Path("/nowhere/work")
    access, allow = bash(command, cwd), WIDE if is_allowed else ()
    held = decide("Bash", access, policy(cwd, mode, "Explore", *allow))
    if access.is_read_only:
        assert held == decide("Bash", access, policy(cwd, mode, "", *allow))
    else:
        assert held.behavior == "deny"
