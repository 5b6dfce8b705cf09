"""The decision for a call, the rules it looks at, and the rule it offers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.permissions.access import Access
from core.permissions.decide import Policy, decide, session_rule
from core.permissions.rules import Rule, parse_rule
from core.protocol.views import PermissionMode

MODES: tuple[PermissionMode, ...] = ("default", "acceptEdits", "plan", "bypassPermissions")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "src").mkdir(parents=True)
    return tmp_path / "work"


def rules(*texts: str) -> tuple[Rule, ...]:
    return tuple(parse_rule(text, "test") for text in texts)


def policy(work: Path, mode: PermissionMode = "default", *, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()):
    return Policy(mode=mode, cwd=work, roots=(work,), allow=rules(*allow), deny=rules(*deny))


def bash(command: str, *, is_read_only: bool = False) -> Access:
    return Access(command=command, is_read_only=is_read_only)


# The order


@pytest.mark.parametrize("mode", MODES)
def test_deny_wins_in_every_mode(work: Path, mode: PermissionMode) -> None:
    given = policy(
        work, mode, allow=("Bash", "Edit", "Read", "TodoWrite"), deny=("Bash(rm:*)", "Edit(src/**)", "TodoWrite")
    )
    assert decide("Bash", bash("rm -r x"), given).behavior == "deny"
    assert decide("Write", Access(writes=(work / "src/a",)), given).behavior == "deny"
    assert decide("TodoWrite", Access(verdict="allow", reason="x"), given).behavior == "deny"
    assert "Bash(rm:*) (test)" in decide("Bash", bash("rm -r x"), given).reason


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("verdict", ["allow", "ask", "deny"])
def test_then_the_tools_own_check(work: Path, mode: PermissionMode, verdict: str) -> None:
    access = Access(verdict=verdict, reason="own check", writes=(work / ".git/config",))  # pyright: ignore[reportArgumentType]
    decision = decide("Write", access, policy(work, mode, allow=("Write",)))
    assert (decision.behavior, decision.reason) == (verdict, "own check")


TABLE = {
    # what: (access, default, acceptEdits, plan, bypassPermissions)
    "a read inside": (Access(reads=(Path("src/a"),), is_read_only=True), "allow", "allow", "allow", "allow"),
    "a read outside": (Access(reads=(Path("/etc/hosts"),), is_read_only=True), "ask", "ask", "ask", "allow"),
    "a read of secrets": (Access(reads=(Path(".env"),), is_read_only=True), "ask", "ask", "ask", "allow"),
    "a write inside": (Access(writes=(Path("src/a"),)), "ask", "allow", "deny", "allow"),
    "a write outside": (Access(writes=(Path("/opt/x"),)), "ask", "ask", "deny", "allow"),
    "a protected write": (Access(writes=(Path(".git/config"),)), "ask", "ask", "deny", "allow"),
    "one of two writes outside": (Access(writes=(Path("src/a"), Path("/opt/x"))), "ask", "ask", "deny", "allow"),
    "a harmless command": (Access(command="ls", is_read_only=True), "allow", "allow", "allow", "allow"),
    "a command": (Access(command="make"), "ask", "ask", "deny", "allow"),
    "something unknown": (Access(), "ask", "ask", "deny", "allow"),
}


@pytest.mark.parametrize("what", TABLE)
def test_then_the_mode(work: Path, what: str) -> None:
    access, *expected = TABLE[what]
    access = replace(
        access, reads=tuple(work / path for path in access.reads), writes=tuple(work / path for path in access.writes)
    )
    decisions = [decide("Tool", access, policy(work, mode)) for mode in MODES]
    assert [decision.behavior for decision in decisions] == expected
    assert all(decision.reason for decision in decisions)


@pytest.mark.parametrize(
    ("rule", "access", "expected"),
    [
        ("Edit", Access(writes=(Path("src/a"),)), "allow"),
        ("Edit(src/**)", Access(writes=(Path("src/a"),)), "allow"),
        ("Edit(src/**)", Access(writes=(Path("src/a"), Path("b"))), "ask"),
        ("Edit", Access(writes=(Path("/opt/x"),)), "allow"),
        ("Edit", Access(writes=(Path(".git/config"),)), "ask"),
        ("Edit(**)", Access(writes=(Path("src/a"), Path(".git/config"))), "ask"),
        ("Read", Access(reads=(Path("/etc/hosts"),), is_read_only=True), "allow"),
        ("Read", Access(reads=(Path(".env"),), is_read_only=True), "allow"),
        ("Edit(//**)", Access(reads=(Path("/etc/hosts"),), is_read_only=True), "allow"),
        ("Edit(//**)", Access(reads=(Path(".env"),), is_read_only=True), "ask"),
        ("Read", Access(writes=(Path("src/a"),)), "ask"),
        ("Bash", Access(writes=(Path("src/a"),)), "ask"),
    ],
)
def test_then_what_is_allowed_but_never_a_protected_write(work: Path, rule: str, access: Access, expected: str) -> None:
    access = replace(
        access, reads=tuple(work / path for path in access.reads), writes=tuple(work / path for path in access.writes)
    )
    assert decide("Tool", access, policy(work, allow=(rule,))).behavior == expected


def test_plan_mode_is_opened_by_no_rule(work: Path) -> None:
    given = policy(work, "plan", allow=("Bash", "Edit", "Bash(make)"))
    assert decide("Bash", bash("make"), given).behavior == "deny"
    assert decide("Edit", Access(writes=(work / "a",)), given).behavior == "deny"


def test_further_folders_may_be_read_not_written(work: Path, tmp_path: Path) -> None:
    given = replace(policy(work, "acceptEdits"), readable=(tmp_path / "outputs",))
    path = tmp_path / "outputs" / "x.txt"
    assert decide("Read", Access(reads=(path,), is_read_only=True), given).behavior == "allow"
    assert decide("Write", Access(writes=(path,)), given).behavior == "ask"


# Rules for commands


@pytest.mark.parametrize(
    ("rule", "command", "matches"),
    [
        ("Bash(git commit:*)", "git commit", True),
        ("Bash(git commit:*)", "git commit -m 'x y'", True),
        ("Bash(git commit:*)", "git commit-tree x", False),
        ("Bash(git commit:*)", "git  commit", False),
        ("Bash(npm run *)", "npm run test", True),
        ("Bash(npm run *)", "npm run", True),
        ("Bash(npm run *)", "npm runx", False),
        ("Bash(npm run*)", "npm runx", True),
        ("Bash(* --version)", "node --version", True),
        ("Bash(* --version)", "node --version x", False),
        ("Bash(git * main)", "git push origin main", True),
        ("Bash(make test)", "make test", True),
        ("Bash(make test)", " make test\n", True),
        ("Bash(make test)", "make test x", False),
        ("Bash(make test)", "Make test", False),
        ("Bash(make && ls)", "make && ls", True),
        ("Bash(*)", "anything; at all", True),
        ("Bash", "anything; at all", True),
        ("*", "anything; at all", True),
        ("Bash(a.c:*)", "abc d", False),
        ("Bash(git:*)", "git log; rm x", False),
        ("Bash(git:*)", "git log && rm x", False),
        ("Bash(git:*)", "git log | sh", False),
        ("Bash(git:*)", "git log & rm x", False),
        ("Bash(git:*)", "git log\nrm x", False),
        ("Bash(git:*)", "git log `rm x`", False),
        ("Bash(git:*)", "git log $(rm x)", False),
        ("Bash(git:*)", "git log ${x:-y}", False),
        ("Bash(git:*)", "git log > x", False),
        ("Bash(git:*)", "git log <(rm x)", False),
        ("Bash(git:*)", "git log \\\n; rm x", False),
        ("Bash(git:*)", "FOO=1 git log", False),
        ("Bash(watch:*)", "watch rm x", False),
        ("Bash(watch rm x)", "watch rm x", True),
        ("Bash(find:*)", "find . -exec rm x +", False),
        ("Bash(find:*)", "find . -delete", False),
        ("Bash(find:*)", "find . -name x", True),
        ("Edit(src/**)", "src/run.sh", False),
        ("Read(src/**)", "src/run.sh", False),
    ],
)  # fmt: skip
def test_a_command_is_allowed(work: Path, rule: str, command: str, matches: bool) -> None:
    access = Access(command=command, reads=(work / "src/run.sh",))
    assert (decide("Bash", access, policy(work, allow=(rule,))).behavior == "allow") is matches


@pytest.mark.parametrize(
    "command",
    [
        "rm", "rm x", " rm x", "ls; rm x", "ls && rm x", "ls || rm x", "ls | rm x", "ls & rm x", "ls\nrm x", "(rm x)",
        "{ rm x; }", "echo $(rm x)", "echo `rm x`", "rm $HOME", "rm x > /dev/null", 'rm "$x"', "rm x 2>&1",
        "rm {a,b}",
        "FOO=1 rm x", "FOO=1 BAR='a' rm x", "! rm x", "if true; then rm x; fi", "for f in a; do rm $f; done",
        "timeout 5 rm x", "sudo rm x", "sudo -u root rm x", "nice -n 5 rm x", "env A=1 rm x", "xargs rm", "nohup rm x",
        "command rm x", "exec rm x", "time rm x", "\\rm x", "'rm' x", "r\\\nm x", "rm\tx", "rm  x", "cat <(rm x)",
    ],
)  # fmt: skip
def test_a_denied_command_is_found_anywhere_in_the_line(work: Path, command: str) -> None:
    assert decide("Bash", bash(command), policy(work, "bypassPermissions", deny=("Bash(rm:*)",))).behavior == "deny"


@pytest.mark.parametrize("command", ["rmdir x", "farm x", "git rm x", "echo hi", "lsrm"])
def test_a_deny_rule_does_not_reach_further_than_its_command(work: Path, command: str) -> None:
    assert decide("Bash", bash(command), policy(work, "bypassPermissions", deny=("Bash(rm:*)",))).behavior == "allow"


def test_what_may_not_be_read_may_not_be_read_by_a_harmless_command(work: Path) -> None:
    access = Access(command="cat src/a", reads=(work / "src/a",), is_read_only=True)
    assert decide("Bash", access, policy(work, deny=("Read(src/**)",))).behavior == "deny"
    assert decide("Bash", access, policy(work, deny=("Edit(src/**)",))).behavior == "allow"


# Rules for paths


@pytest.mark.parametrize(
    ("spec", "path", "matches"),
    [
        ("src/**", "src/a/b.py", True),
        ("./src/**", "src/a", True),
        ("src/**", "srcx/a", False),
        ("src/**", "pkg/src/a", False),
        ("*.py", "deep/er/a.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/b/a.py", False),
        ("//etc/**", "/etc/x/y", True),
        ("//etc/**", "etc/x", False),
        ("/src/**", "src/a", True),
        ("~/notes/**", "$H/notes/a", True),
        ("~/notes/**", "notes/a", False),
        ("a b/**", "a b/c", True),
        ("!src/**", "src/a", False),
        ("#", "#", False),
        ("[", "[", False),
        ("", "anything", True),
    ],
)
def test_a_path_is_allowed(work: Path, isolated_machine: Path, spec: str, path: str, matches: bool) -> None:
    target = work / path.replace("$H", str(isolated_machine))
    access = Access(writes=(target,))
    assert (decide("Edit", access, policy(work, allow=(f"Edit({spec})",))).behavior == "allow") is matches


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("secrets/**", "pkg/secrets/k"),
        ("./secrets/**", "pkg/secrets/k"),
        (".env", "a/b/.env"),
        ("*.pem", "a/x.pem"),
        ("a/b/**", "a/b/c"),
    ],
)
@pytest.mark.parametrize("tool", ["Read", "Write"])
def test_a_denied_read_holds_at_any_depth_and_for_writes(work: Path, spec: str, path: str, tool: str) -> None:
    access = Access(reads=(work / path,)) if tool == "Read" else Access(writes=(work / path,))
    assert decide(tool, access, policy(work, "bypassPermissions", deny=(f"Read({spec})",))).behavior == "deny"


def test_no_change_of_folder_leads_out_of_a_denied_one(work: Path) -> None:
    given = replace(policy(work, "bypassPermissions", deny=("Read(a/b/**)",)), cwd=work / "src")
    assert decide("Read", Access(reads=(work / "a/b/c",)), given).behavior == "deny"
    assert decide("Read", Access(reads=(work / "src/a/b/c",)), given).behavior == "deny"


def test_an_edit_that_is_denied_may_still_be_read(work: Path) -> None:
    given = policy(work, deny=("Edit(src/**)",))
    assert decide("Read", Access(reads=(work / "src/a",), is_read_only=True), given).behavior == "allow"


@pytest.mark.parametrize("text", ["", "  ", "Bash(", "Bash)", "Bash(x", "a b", "Bash (x)", "(x)", "Bash(x)y", "é"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rule"):
        parse_rule(text, "test")


@pytest.mark.parametrize("text", ["Bash", "Bash(ls (x))", "Edit(src/**)", "mcp__server__tool", "Bash(a\nb)", "*"])
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_rule(f" {text} ", "test")) == text
    assert str(parse_rule("Bash(*)", "test")) == "Bash"


# The rule that is offered

NAME = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@given(st.lists(NAME, min_size=1, max_size=3), st.lists(NAME, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_the_offered_rule_allows_this_access_and_nothing_beside_its_folder(
    work: Path, parts: list[str], elsewhere: list[str], writes: bool, inside: bool
) -> None:
    """PERM-8, for every name a file can have."""
    base = work if inside else work.parent / "other"
    path = base.joinpath(*parts)
    access = Access(writes=(path,)) if writes else Access(reads=(path,), is_read_only=True)
    rule = session_rule("Edit" if writes else "Read", access, policy(work))
    if not rule:
        return
    given = policy(work, allow=(rule,))
    assert decide("Tool", access, given).behavior == "allow"
    scope = work if inside else path.parent
    sibling = work.parent.joinpath("siblings", *elsewhere)
    beside = scope.with_name(scope.name + "x") / "a"
    for other in (sibling, beside):
        if not other.is_relative_to(scope):
            access = Access(writes=(other,)) if writes else Access(reads=(other,), is_read_only=True)
            assert decide("Tool", access, given).behavior == "ask", (rule, other)


COMMAND = st.one_of(
    st.text(st.sampled_from("ab *;|&$()\n:'\"\\"), min_size=1, max_size=10),
    st.sampled_from(["rm *", "rm *.txt", "*", " ", "git:*", "a && b", "make test", "x:*", "* x", "ls )", "(", "a\n"]),
)


@given(COMMAND, COMMAND)
def test_the_offered_rule_allows_this_command_and_no_other(work: Path, command: str, other: str) -> None:
    rule = session_rule("Bash", bash(command), policy(work))
    if not rule:
        return
    given = policy(work, allow=(rule,))
    assert decide("Bash", bash(command), given).behavior == "allow"
    for text in (other, f"{command}x", f"{command} x", f"{command}; x", f"x {command}"):
        if text.strip() != command.strip():
            assert decide("Bash", bash(text), given).behavior == "ask", (rule, text)


@pytest.mark.parametrize("command", ["*", " ", "rm *", "rm *.txt", "ls:*"])
def test_a_command_that_reads_as_a_wider_rule_is_not_offered(work: Path, command: str) -> None:
    assert session_rule("Bash", bash(command), policy(work)) == ""


def test_a_rule_for_the_second_folder_names_the_second_folder(work: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    given = replace(policy(work), roots=(work, second))
    access = Access(writes=(second / "a",))
    rule = session_rule("Edit", access, given)
    assert rule == f"Edit(/{second}/**)"
    assert decide("Edit", access, replace(given, allow=rules(rule))).behavior == "allow"


def test_no_rule_is_offered_that_would_not_match_again(work: Path, tmp_path: Path) -> None:
    (work / "out").symlink_to(tmp_path / "elsewhere")
    assert session_rule("Edit", Access(writes=(work / "out" / "a",)), policy(work)) == ""


def test_a_session_opened_by_a_link_is_offered_a_rule_that_matches(work: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    door.symlink_to(work)
    given = replace(policy(door), roots=(door,))
    for path in (work / "a", door / "a"):
        access = Access(writes=(path,))
        rule = session_rule("Edit", access, given)
        assert not rule or decide("Edit", access, replace(given, allow=rules(rule))).behavior == "allow"


@pytest.mark.parametrize(
    "access",
    [
        Access(writes=(Path(".git/config"),)),
        Access(writes=(Path("src/.env"),)),
        Access(reads=(Path("id_rsa"),)),
        Access(reads=(Path("/hosts"),)),
        Access(reads=(Path("a"), Path("b"))),
        Access(),
    ],
)
def test_no_rule_is_offered_for_secrets_protected_files_or_the_root(work: Path, access: Access) -> None:
    access = replace(
        access, reads=tuple(work / path for path in access.reads), writes=tuple(work / path for path in access.writes)
    )
    assert session_rule("Tool", access, policy(work)) == ""
