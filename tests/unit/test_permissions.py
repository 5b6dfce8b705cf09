"""The decision for a call, the rules it looks at, and the rule it offers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.policy import Policy
from core.permissions.proposals import propose
from core.permissions.rules import Rule, parse_rule
from core.permissions.shell_access import shell_access
from core.protocol.views import Behavior, PermissionMode

MODES: tuple[PermissionMode, ...] = ("default", "acceptEdits", "plan", "bypassPermissions")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work" / "src").mkdir(parents=True)
    return tmp_path / "work"


def rules(behavior: Behavior, *texts: str) -> tuple[Rule, ...]:
    return tuple(parse_rule(text, behavior, source="test") for text in texts)


def policy(
    work: Path,
    mode: PermissionMode = "default",
    *,
    allow: tuple[str, ...] = (),
    ask: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
) -> Policy:
    given = (*rules("allow", *allow), *rules("ask", *ask), *rules("deny", *deny))
    return Policy(mode=mode, cwd=work, roots=(work,), rules=given)


def bash(command: str, cwd: Path = Path("/nowhere")) -> Access:
    shell = shell_access(command, cwd)
    return Access(shell=shell, is_read_only=shell.judged.is_read_only)


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
    "a harmless command": (bash("pwd"), "allow", "allow", "allow", "allow"),
    "a command": (bash("make"), "ask", "ask", "deny", "allow"),
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
        ("Bash(git commit:*)", "git  commit", True),
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
        ("Bash(a.c:*)", "abc d", False),
        ("Bash(git:*)", "git log; rm x", False),
        ("Bash(git:*)", "git log && rm x", False),
        ("Bash(git:*)", "git log | sh", False),
        ("Bash(git:*)", "git log & rm x", False),
        ("Bash(git:*)", "git log\nrm x", False),
        ("Bash(git:*)", "git log `rm x`", False),
        ("Bash(git:*)", "git log $(rm x)", False),
        ("Bash(git:*)", "git log ${x:-y}", True),
        ("Bash(git:*)", "${x:-git} log", False),
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
    assert (decide("Bash", bash(command, work), policy(work, allow=(rule,))).behavior == "allow") is matches


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
    access = bash("cat src/a", work)
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
        parse_rule(text)


@pytest.mark.parametrize("text", ["Bash", "Bash(ls (x))", "Edit(src/**)", "mcp__server__tool", "Bash(a\nb)"])
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_rule(f" {text} ")) == text
    assert str(parse_rule("Bash(*)")) == "Bash"


# The rules that are offered

NAME = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@given(st.lists(NAME, min_size=1, max_size=3), st.lists(NAME, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_every_offered_scope_allows_this_access_and_nothing_beside_its_folder(
    work: Path, parts: list[str], elsewhere: list[str], writes: bool, inside: bool
) -> None:
    """For every name a file can have."""
    base = work if inside else work.parent / "other"
    path = base.joinpath(*parts)
    access = Access(writes=(path,)) if writes else Access(reads=(path,), is_read_only=True)
    given = policy(work)
    if decide("Tool", access, given).behavior != "ask":
        return
    for scope in propose("Tool", access, given).scopes:
        then = policy(work, allow=scope.rules)
        assert decide("Tool", access, then).behavior == "allow"
        outermost = work if inside else path.parent
        for other in (work.parent.joinpath("siblings", *elsewhere), outermost.with_name(outermost.name + "x") / "a"):
            if not other.is_relative_to(outermost):
                beside = Access(writes=(other,)) if writes else Access(reads=(other,), is_read_only=True)
                assert decide("Tool", beside, then).behavior == "ask", (scope.rules, other)


def test_scopes_of_a_path_widen_from_the_file_to_the_working_folder(work: Path) -> None:
    found = propose("Edit", Access(writes=(work / "src/a.py",)), policy(work))
    assert [scope.rules for scope in found.scopes] == [("Edit(/src/a.py)",), ("Edit(/src/**)",), ("Edit(/**)",)]
    assert found.at == 1


COMMAND = st.one_of(
    st.text(st.sampled_from("ab *;|&$()\n:'\"\\"), min_size=1, max_size=10),
    st.sampled_from(["rm *", "rm *.txt", "*", " ", "git:*", "a && b", "make test", "x:*", "* x", "ls )", "(", "a\n"]),
)


@given(COMMAND, COMMAND)
def test_the_narrowest_scope_allows_this_command_and_no_other(work: Path, command: str, other: str) -> None:
    access = bash(command)
    if access.shell is None or decide("Bash", access, policy(work)).behavior != "ask":
        return
    scopes = propose("Bash", access, policy(work)).scopes
    if not scopes or "*" in "".join(scopes[0].rules):
        return
    given = policy(work, allow=scopes[0].rules)
    assert decide("Bash", access, given).behavior == "allow"
    for text in (other, f"{command}x", f"{command} x", f"{command}; x", f"x {command}"):
        if " ".join(text.split()) != " ".join(command.split()):
            before = decide("Bash", bash(text), policy(work)).behavior
            assert decide("Bash", bash(text), given).behavior == before, (scopes[0].rules, text)


LINES = [
    "npm test", "npm run build -- --watch", "git push origin main", "make", "make test", "pytest -q", "uv run pytest x",
    "timeout 60 npm test", "npm test && git push", "npm test > out.txt", "touch a", "python x.py", "bash x.sh", "rm a",
    "npx tsc --noEmit", "docker compose up -d", "npm test | tee log", "cd src && npm test", "curl https://x.example",
    'git commit -m "$(cat <<\'EOF\'\na b\nEOF\n)"', "FOO=1 npm test", "find src -delete", "sudo make install",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_each_scope_of_a_line_allows_it_again_and_tells_the_truth_in_its_examples(work: Path, line: str) -> None:
    access = bash(line, work)
    found = propose("Bash", access, policy(work))
    assert found.scopes, line
    assert 0 <= found.at < len(found.scopes)
    for scope in found.scopes:
        given = policy(work, allow=scope.rules)
        assert decide("Bash", access, given).behavior == "allow", scope.rules
        if scope.allows:
            assert decide("Bash", bash(scope.allows, work), given).behavior == "allow", scope
        if scope.refuses and not scope.rules[0].startswith("Edit"):
            assert decide("Bash", bash(scope.refuses, work), given).behavior == "ask", scope


@pytest.mark.parametrize(
    ("line", "usual"),
    [
        ("npm test", "Bash(npm test *)"),
        ("npm run build -- --watch", "Bash(npm run build *)"),
        ("git push origin main", "Bash(git push *)"),
        ("pytest -q", "Bash(pytest *)"),
        ("uv run pytest tests", "Bash(uv run pytest *)"),
        ("timeout 60 npm test", "Bash(npm test *)"),
        ("python x.py", "Bash(python x.py)"),
        ("touch a", "Bash(touch a)"),
        ("sudo make install", "Bash(sudo make install)"),
    ],
)
def test_the_proposed_scope_says_what_is_done(work: Path, line: str, usual: str) -> None:
    found = propose("Bash", bash(line, work), policy(work))
    assert found.scopes[found.at].rules == (usual,)


@pytest.mark.parametrize("line", ["bash -c 'npm test'", "python -c 'x'", "uv run python x.py", "npx", "env A=1 make"])
def test_what_runs_anything_is_offered_by_its_exact_text_only(work: Path, line: str) -> None:
    found = propose("Bash", bash(line, work), policy(work))
    assert [scope.rules for scope in found.scopes] == [(f"Bash({line})",)]


@pytest.mark.parametrize("command", ["*", " ", "rm *", "rm *.txt", "ls:*"])
def test_a_command_that_reads_as_a_wider_rule_is_not_offered_as_its_text(work: Path, command: str) -> None:
    scopes = propose("Bash", bash(command), policy(work)).scopes
    assert (f"Bash({command})",) not in [scope.rules for scope in scopes]


def test_a_rule_for_the_second_folder_names_the_second_folder(work: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    given = replace(policy(work), roots=(work, second))
    access = Access(writes=(second / "a",))
    found = propose("Edit", access, given)
    assert found.scopes[found.at].rules == (f"Edit(/{second}/**)",)
    assert (
        decide("Edit", access, replace(given, rules=rules("allow", *found.scopes[found.at].rules))).behavior == "allow"
    )


def test_no_rule_is_offered_that_would_not_match_again(work: Path, tmp_path: Path) -> None:
    (work / "out").symlink_to(tmp_path / "elsewhere")
    assert propose("Edit", Access(writes=(work / "out" / "a",)), policy(work)).scopes == ()


def test_a_session_opened_by_a_link_is_offered_rules_that_match(work: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    door.symlink_to(work)
    given = replace(policy(door), roots=(door,))
    for path in (work / "a", door / "a"):
        access = Access(writes=(path,))
        for scope in propose("Edit", access, given).scopes:
            assert decide("Edit", access, replace(given, rules=rules("allow", *scope.rules))).behavior == "allow"


@pytest.mark.parametrize(
    "access",
    [
        Access(writes=(Path(".git/config"),)),
        Access(writes=(Path("src/.env"),)),
        Access(reads=(Path("id_rsa"),)),
        Access(reads=(Path("a"), Path("b"))),
    ],
)
def test_no_rule_is_offered_for_secrets_and_protected_files(work: Path, access: Access) -> None:
    access = replace(
        access, reads=tuple(work / path for path in access.reads), writes=tuple(work / path for path in access.writes)
    )
    assert propose("Tool", access, policy(work)).scopes == ()


def test_a_file_in_the_root_is_offered_alone(work: Path) -> None:
    found = propose("Read", Access(reads=(Path("/hosts"),), is_read_only=True), policy(work))
    assert [scope.rules for scope in found.scopes] == [("Read(//hosts)",)]


@pytest.mark.parametrize(
    "line", ["taskset 1 x", "pkexec x", "python3.11 x.py", "busybox rm x", "crontab x", "nvim x", "hyperfine x"]
)
def test_more_programs_that_run_anything(work: Path, line: str) -> None:
    assert [scope.rules for scope in propose("Bash", bash(line, work), policy(work)).scopes] == [(f"Bash({line})",)]


def test_a_file_in_a_broad_folder_is_proposed_alone(work: Path, tmp_path: Path) -> None:
    given = replace(policy(work), home=tmp_path / "home")
    for path in (tmp_path / "home" / "notes.txt", Path("/etc/hosts")):
        found = propose("Read", Access(reads=(path,), is_read_only=True), given)
        assert found.scopes[found.at].rules[0].endswith(f"{path.name})")


@pytest.mark.parametrize("host", ["a.github.io", "example.co.uk", "10.0.0.7", "::1"])
def test_a_host_is_not_widened_to_strangers(work: Path, host: str) -> None:
    found = propose("WebFetch", Access(hosts=(host,), sends="it fetches", is_read_only=True), policy(work))
    assert [scope.rules for scope in found.scopes] == [(f"WebFetch(domain:{host})",)]
