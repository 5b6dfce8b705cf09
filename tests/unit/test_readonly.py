"""The short list of commands that run unasked, against commands whose effects were observed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from core.permissions.readonly.plain import is_read_only_command, read_only_operands

DATA = Path(__file__).parent / "data" / "bash_cases.jsonl"
CASES: list[dict[str, Any]] = [json.loads(row) for row in DATA.read_text("utf-8").splitlines()]
MAX_FALSE_ASKS = 0.95
"""Of the plainly read-only commands. A later issue brings a real parser; until then this only must not grow."""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The files that the cases talk about, so that no answer comes from their absence."""
    for name in ("README.md", "src/app.py", "tests/test_app.py", "dir with space/x", ".env", "id_rsa", "a.pem", "run"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    return tmp_path


def test_nothing_that_does_something_runs_unasked(workspace: Path) -> None:
    wrong = [
        case["id"]
        for case in CASES
        if not (case.get("soft") or case.get("fs_dependent"))
        and not case["readonly"]
        and is_read_only_command(case["command"], workspace)
    ]
    assert wrong == []


def test_nothing_that_reads_a_secret_runs_unasked(workspace: Path) -> None:
    cases = [case for case in CASES if case.get("secret_read") or case.get("auto_allow") is False]
    assert cases
    assert [case["id"] for case in cases if is_read_only_command(case["command"], workspace)] == []


def test_the_rate_of_needless_questions_does_not_grow(workspace: Path) -> None:
    plain = [c for c in CASES if c["readonly"] and not (c.get("hard") or c.get("secret_read") or c.get("soft"))]
    asked = [case["id"] for case in plain if not is_read_only_command(case["command"], workspace)]
    assert len(asked) / len(plain) <= MAX_FALSE_ASKS


@pytest.mark.parametrize(
    "command",
    [
        "ls", "ls -la src", "cat README.md", "head -n 5 README.md", "head -5 README.md", "wc -l src/app.py", "pwd",
        "git status", "git log --oneline -5", "git branch -a", "git rev-parse HEAD", "echo hi there", "which python",
        "cat 'dir with space/x'", " ls ", "ls ./src/../src", "du -sh src", "cat nosuchfile",
    ],
)  # fmt: skip
def test_plain_looks_run_unasked(workspace: Path, command: str) -> None:
    assert is_read_only_command(command, workspace)


@pytest.mark.parametrize(
    "command",
    [
        "", " ", "ls; rm x", "ls && ls", "ls | cat", "ls > x", "ls < x", "ls `rm x`", "ls $(rm x)", "ls $HOME", "ls ~",
        "ls *", "cat [a]", "cat {a,b}", "ls\nrm x", "ls\rrm x", "ls\\\nrm", "ls #x", "!ls", "cat 'a", 'cat "a',
        "FOO=1 ls", "/bin/ls", "./run", "run", "env", "printenv", "set", "cat -", "cat /etc/passwd", "cat ../x",
        "ls /", "ls ..", "cat .env", "cat src/../.env", "cat id_rsa", "head -n1 a.pem", "tail -f README.md", "cat link",
        "date -s x", "date 0101", "git log --output=x", "git -c a=b status", "git branch new", "git branch -D x",
        "git remote add a b", "git diff", "git log -p", "git status x", "git", "git commit", "git log --format=%x",
        "find .", "sed -n 1p x", "cat pipe", "ls link/", "cat\tx", "cat\u00a0x", "ｌｓ", "ls\0", "uname x", "file -C",
        "cat " + "x" * 20_000, "git log ../x;", "cat x&", "time ls", "command ls",
    ],
)  # fmt: skip
def test_anything_else_is_asked(workspace: Path, command: str) -> None:
    import os

    os.mkfifo(workspace / "pipe")
    (workspace / "link").symlink_to("/etc/passwd")
    assert not is_read_only_command(command, workspace)


def test_a_huge_command_is_judged_at_once(workspace: Path) -> None:
    started = time.monotonic()
    assert not is_read_only_command("cat " + "x" * 5_000_000, workspace)
    assert time.monotonic() - started < 1


def test_the_files_it_reads_are_told(workspace: Path) -> None:
    """So that a rule that denies reading them holds for the command, too."""
    assert read_only_operands("head -n 5 src/app.py README.md", workspace) == (
        workspace / "5",
        workspace / "src/app.py",
        workspace / "README.md",
    )
    assert read_only_operands("git log main", workspace) == ()
    assert read_only_operands("rm x", workspace) is None
