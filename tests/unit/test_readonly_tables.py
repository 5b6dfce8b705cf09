"""Which commands run unasked: against commands whose effects were observed, and against tables of our own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from core.permissions.readonly.judge import judge_script
from core.permissions.readonly.verdict import Judged
from core.permissions.shell.parse import read_script
from core.permissions.shell_access import is_harmless
from tests.unit.readonly_workspace import (
    CASES,
    ENVIRONMENT,
    commands,
    digest,
    make_planted_repository,
)

HOME = Path("/home/u")
READ_ONLY = commands("readonly_commands.txt")
ASKED = commands("asked_commands.txt")
LEAST_RATE = 0.97
"""Of the plainly read-only commands, those that run unasked."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_planted_repository(tmp_path_factory.mktemp("repository"))


def judged(command: str, cwd: Path) -> Judged:
    return judge_script(read_script(command, cwd, HOME), HOME)


def runs_unasked(command: str, cwd: Path) -> bool:
    found = judged(command, cwd)
    return found.is_read_only and not found.secrets


def test_nothing_that_does_something_runs_unasked(repository: Path) -> None:
    wrong = [
        case["id"]
        for case in CASES
        if not case["readonly"] and not case.get("soft") and runs_unasked(case["command"], repository)
    ]
    assert wrong == []


def test_nothing_that_reads_a_secret_runs_unasked(repository: Path) -> None:
    cases = [case for case in CASES if case.get("secret_read") or case.get("auto_allow") is False]
    assert cases
    assert [case["id"] for case in cases if runs_unasked(case["command"], repository)] == []


def test_what_plainly_reads_runs_unasked(repository: Path) -> None:
    plain = [c for c in CASES if c["readonly"] and not (c.get("hard") or c.get("secret_read") or c.get("soft"))]
    asked = [case["id"] for case in plain if not runs_unasked(case["command"], repository)]
    assert len(asked) <= (1 - LEAST_RATE) * len(plain), asked


def test_all_cases_are_judged_at_once(repository: Path) -> None:
    judged("ls", repository)
    started = time.monotonic()
    for case in CASES:
        judged(case["command"], repository)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("command", READ_ONLY)
def test_everyday_looks_run_unasked(repository: Path, command: str) -> None:
    found = judged(command, repository)
    reasons = [verdict.reason for _part, verdict in (*found.commands, *found.redirects) if not verdict.is_read_only]
    assert (found.doubts, reasons, found.secrets) == ((), [], ())


@pytest.mark.parametrize("command", ASKED)
def test_anything_else_is_asked_about(repository: Path, command: str) -> None:
    assert not runs_unasked(command, repository)


@pytest.mark.parametrize("command", READ_ONLY)
def test_what_only_reads_no_longer_does_with_more_behind_it(repository: Path, command: str) -> None:
    separator = "\n" if " #" in command else "; "
    assert not runs_unasked(f"{command}{separator}touch x", repository)
    assert not runs_unasked(f"touch x; {command}", repository)
    assert not runs_unasked(f"{command}{' ' if separator == '; ' else separator}> x", repository)


@pytest.mark.parametrize("command", [row for row in READ_ONLY if row.replace(" ", "").isalnum()])
def test_an_unknown_option_makes_it_ask(repository: Path, command: str) -> None:
    name = command.split(maxsplit=1)[0]
    if name in ("echo", "true", "false", "expr", "type", "yes"):
        pytest.skip("it takes any word")
    assert not runs_unasked(f"{command} --no-such-option", repository)
    assert not runs_unasked(f"{command} --no-such-option=x", repository)


def test_everyday_looks_change_nothing(repository: Path, tmp_path: Path) -> None:
    """Each is run by the real bash; afterwards the repository, the home folder and the folder for temporary files hold
    exactly what they held before."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    script = tmp_path / "all.sh"
    lines = [f"bash --noprofile --norc -c {_quoted(command)} </dev/null >/dev/null 2>&1" for command in READ_ONLY]
    script.write_text("\n".join(lines))
    before = digest(repository)
    environment = {**ENVIRONMENT, "HOME": str(home), "TMPDIR": str(temporary)}
    subprocess.run(["bash", str(script)], cwd=repository, env=environment, timeout=120, check=False)
    assert digest(repository) == before
    assert list(home.iterdir()) == list(temporary.iterdir()) == []


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def test_a_command_is_judged_in_its_folder(repository: Path) -> None:
    assert is_harmless("git status", repository)
    assert is_harmless("cat README.md", repository)
    assert not is_harmless("touch x", repository)
    assert not is_harmless("cat .env", repository)
    assert not is_harmless("cd vendor/evil.git && git status", repository)
    assert is_harmless("cd src && git status", repository)


def test_a_part_of_another_repository_is_a_repository(tmp_path: Path) -> None:
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "HEAD").write_text("ref: refs/heads/main")
    assert is_harmless("cd sub && git status", tmp_path)
    (sub / "commondir").write_text("../evil")
    assert not is_harmless("cd sub && git status", tmp_path)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("cargo --version", "rust-toolchain"),
        ("rustc -V", "rust-toolchain.toml"),
        ("go version", "go.mod"),
        ("dotnet --version", "global.json"),
    ],
)
def test_a_version_is_asked_about_where_the_project_chooses_the_program(
    tmp_path: Path, command: str, file: str
) -> None:
    sub = tmp_path / "sub"
    sub.mkdir()
    assert is_harmless(command, sub)
    (tmp_path / file).write_text("x")
    assert not is_harmless(command, sub)
    assert not is_harmless(f'cd "$x"; {command}', tmp_path.parent)


@pytest.mark.parametrize(
    "command", ["", " ", "ls\0", "cat " + "x" * 20_000, "cat " + "x" * 500_000, "(" * 5_000, "'", '"']
)
def test_what_cannot_be_judged_is_asked_about(repository: Path, command: str) -> None:
    started = time.monotonic()
    assert not is_harmless(command, repository)
    assert time.monotonic() - started < 1
