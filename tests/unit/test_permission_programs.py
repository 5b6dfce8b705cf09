"""``permissions explain`` and ``permissions test``, as a script sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.programs.permissions import main


@pytest.fixture
def project(tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["explain", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("call", "decision", "read_only"),
    [
        ("ls -la", "allow", True),
        ("npm test", "ask", False),
        ("ls && touch x", "ask", False),
        ("Read(README.md)", "allow", True),
        ("Read(/etc/passwd)", "ask", True),
        ("Edit(.git/config)", "ask", False),
        ("WebFetch(https://example.com/)", "ask", True),
        ('Edit({"file_path": "a.txt", "old_string": "a", "new_string": "b"})', "ask", False),
        ("Bash(git status)", "allow", True),
        ("mcp__server__tool", "ask", False),
        ("Read(a\0b)", "deny", False),
    ],
)
def test_a_call_is_explained(
    project: Path, capsys: pytest.CaptureFixture[str], call: str, decision: str, read_only: bool
) -> None:
    found = explained(capsys, call)
    assert (found["decision"], found["read_only"]) == (decision, read_only)
    assert found["reason"]


def test_every_part_of_a_line_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = explained(capsys, "ls src && npm test > out.txt")["parts"]
    assert [(part["text"], part["behavior"]) for part in parts] == [
        ("ls src", "allow"),
        ("npm test", "ask"),
        ("> out.txt", "ask"),
    ]


def test_the_mode_can_be_tried(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "--permission-mode", "acceptEdits", "Edit(a.txt)")["decision"] == "allow"
    assert explained(capsys, "--permission-mode", "plan", "Edit(a.txt)")["decision"] == "deny"
    assert main(["explain", "--permission-mode", "nonsense", "ls"]) == 2
    assert "default" in capsys.readouterr().err


def test_what_deceives_is_visible_in_the_text(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "ls \x1b[31m\u202e; touch x"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out
    assert "⟨U+202E⟩" in out and "ask" in out


def cases(file: Path, *rows: dict[str, Any]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(file)


COMMANDS = (
    {"id": "a", "command": "ls -l", "readonly": True},
    {"id": "b", "command": "touch x", "readonly": False},
    {"id": "c", "command": "printenv", "readonly": True, "auto_allow": False},
    {"id": "d", "command": "make -n", "readonly": True, "hard": True},
    {"id": "e", "command": "ls", "readonly": False, "soft": True},
)


def test_right_cases_give_no_word_but_the_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", cases(project / "c.jsonl", *COMMANDS)]) == 0
    assert capsys.readouterr().out == "5 cases, 0 wrong\n"


def test_wrong_cases_are_told_and_fail(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"id": "wrong", "command": "touch x", "readonly": True}
    also = {"id": "also", "command": "ls", "readonly": False}
    assert main(["test", cases(project / "c.jsonl", wrong, *COMMANDS, also)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == ["wrong", "also"]
    assert lines[-1] == "7 cases, 2 wrong"


def test_each_case_can_be_had_as_a_line_of_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = {
        "id": "r",
        "rules": {"allow": ["Read(links/**)"], "ask": [], "deny": ["Bash(npm"]},
        "tool": "Read",
        "input": {"file_path": "links/key"},
        "cwd": "/home/u/proj",
        "fs": {"links/key": "-> /home/u/.ssh/id_rsa"},
        "expect": "ask",
    }
    assert main(["test", "--json", cases(project / "c.jsonl", COMMANDS[0], rule)]) == 0
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {key: first[key] for key in ("id", "ok", "expected", "actual")} == {
        "id": "a",
        "ok": True,
        "expected": True,
        "actual": True,
    }
    assert (second["ok"], second["expected"], second["actual"]) == (True, "ask", "ask")


@pytest.mark.parametrize("text", ["{", '{"id": 1}', "[]", '{"id": "x", "rules": {}, "tool": "Read"}'])
def test_a_line_that_is_no_case_is_named(project: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    file = project / "c.jsonl"
    file.write_text(f"\n{text}\n")
    assert main(["test", str(file)]) == 2
    assert "Line 2 is no case" in capsys.readouterr().err
    assert main(["test", str(project / "missing")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bash_cases.jsonl", "rule_cases.jsonl"])
def test_every_known_case_is_right(project: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    code = main(["test", str(Path(__file__).with_name("data") / name)])
    assert (code, capsys.readouterr().out.endswith(" cases, 0 wrong\n")) == (0, True)
