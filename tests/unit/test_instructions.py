"""Instruction files: which are read in which order, what imports bring in, and what they may not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.memory.instructions import WARN_CHARS, Instructions, Places, read_instructions


@pytest.fixture
def home(isolated_machine: Path) -> Path:
    return isolated_machine


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    return tmp_path / "repo"


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def places(cwd: Path, home: Path, **changes: Any) -> Places:
    return Places(cwd=cwd, user_config=home / ".config" / "agent-tui", home=home, **changes)


def read(cwd: Path, home: Path, *opened: Path, **changes: Any) -> Instructions:
    return read_instructions(places(cwd, home, **changes), opened)


def test_nothing_is_found(repo: Path, home: Path) -> None:
    found = read(repo, home)
    assert (found.text, found.files, found.warnings) == ("", [], [])


def test_the_order_is_from_the_user_down_to_the_folder(repo: Path, home: Path) -> None:
    files = [
        put(home / ".config" / "agent-tui" / "AGENTS.md", "1"),
        put(home / ".claude" / "CLAUDE.md", "2"),
        put(repo / "AGENTS.md", "3"),
        put(repo / "CLAUDE.md", "4"),
        put(repo / ".claude" / "CLAUDE.md", "5"),
        put(repo / "CLAUDE.local.md", "6"),
        put(repo / ".claude" / "rules" / "a.md", "7"),
        put(repo / ".claude" / "rules" / "b" / "c.md", "8"),
        put(repo / "sub" / "AGENTS.md", "9"),
        put(repo / "sub" / "deep" / "CLAUDE.md", "10"),
    ]
    put(repo / "other" / "AGENTS.md", "not on the way")
    put(repo.parent / "AGENTS.md", "above the root")
    found = read(repo / "sub" / "deep", home)
    assert found.files == [path.resolve() for path in files]
    assert found.text == "\n\n".join(f"From {path}:\n{number}" for number, path in enumerate(files, 1))


def test_outside_a_repository_only_the_folder_itself_counts(tmp_path: Path, home: Path) -> None:
    put(tmp_path / "AGENTS.md", "above")
    mine = put(tmp_path / "work" / "AGENTS.md", "mine")
    assert read(tmp_path / "work", home).files == [mine.resolve()]


def test_an_untrusted_folder_is_not_read(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "obey me")
    own = put(home / ".claude" / "CLAUDE.md", "own")
    found = read(repo, home, is_trusted=False)
    assert found.files == [own.resolve()]
    assert "obey" not in found.text


def test_a_file_and_its_link_are_read_once(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "once")
    (repo / "CLAUDE.md").symlink_to("AGENTS.md")
    assert read(repo, home).text.count("once") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@a.md", "<A>"),
        ("see @a.md and @sub/b.md", "see <A> and <B>"),
        ("see @./sub/b.md, too", "see <B>, too"),
        ("see @a.md.", "see <A>."),
        ("(@a.md)", "(<A>)"),
        ("@nosuch.md", "@nosuch.md"),
        ("mail me@a.md", "mail me@a.md"),
        ("`@a.md`", "`@a.md`"),
        ("`see @a.md there`", "`see @a.md there`"),
        ("``x ` @a.md``", "``x ` @a.md``"),
        ("```\n@a.md\n```\n@a.md", "```\n@a.md\n```\n<A>"),
        ("x\n  ```sh\n  @a.md\n  ```\n@a.md", "x\n  ```sh\n  @a.md\n  ```\n<A>"),
        ("~~~\n```\n@a.md\n~~~\n@a.md", "~~~\n```\n@a.md\n~~~\n<A>"),
        ("````\n```\n@a.md\n````\n@a.md", "````\n```\n@a.md\n````\n<A>"),
        ("```\n@a.md", "```\n@a.md"),
        ("@a.md\n@a.md", "<A>\n@a.md"),
        ("@nosuchuser-x/a @~nosuchuser-x/a", "@nosuchuser-x/a @~nosuchuser-x/a"),
        ("@loop @folder @a.md", "@loop @folder <A>"),
    ],
)
def test_imports_take_the_place_of_their_mention(repo: Path, home: Path, text: str, expected: str) -> None:
    put(repo / "a.md", "<A>")
    put(repo / "sub" / "b.md", "<B>")
    (repo / "folder").mkdir()
    (repo / "loop").symlink_to("loop")
    put(repo / "AGENTS.md", text)
    found = read(repo, home)
    assert found.text == f"From {repo / 'AGENTS.md'}:\n{expected}"
    assert found.warnings == []


def test_imports_are_relative_to_the_file_that_names_them(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "@docs/one.md")
    put(repo / "docs" / "one.md", "one @two.md")
    put(repo / "docs" / "two.md", "two")
    assert read(repo, home).text.endswith("one two")


def test_imports_go_five_deep(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "0 @1.md")
    for number in range(1, 7):
        put(repo / f"{number}.md", f"{number} @{number + 1}.md")
    found = read(repo, home)
    assert found.text.endswith("0 1 2 3 4 5 @6.md")
    assert len(found.warnings) == 1
    assert "more than 5 imports deep" in found.warnings[0]


def test_a_cycle_ends(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "a @b.md")
    put(repo / "b.md", "b @AGENTS.md @b.md")
    found = read(repo, home)
    assert found.text.endswith("a b @AGENTS.md @b.md")
    assert found.warnings == []


@pytest.mark.parametrize("name", ["/etc/passwd", "~/private.md", "../private.md", "out/private.md", "link.md"])
def test_a_repository_cannot_pull_in_files_from_outside(repo: Path, home: Path, name: str) -> None:
    put(home / "private.md", "SECRET root:")
    put(repo.parent / "private.md", "SECRET root:")
    (repo / "out").symlink_to(repo.parent)
    (repo / "link.md").symlink_to(home / "private.md")
    put(repo / "AGENTS.md", f"@{name}")
    found = read(repo, home)
    assert "root:" not in found.text
    assert len(found.warnings) == 1
    assert "outside" in found.warnings[0]


@pytest.mark.parametrize("name", ["AGENTS.md", ".claude/rules/x.md"])
def test_an_instruction_file_that_is_a_link_to_outside_is_refused(repo: Path, home: Path, name: str) -> None:
    put(home / "private.md", "SECRET")
    (repo / name).parent.mkdir(parents=True, exist_ok=True)
    (repo / name).symlink_to(home / "private.md")
    found = read(repo, home)
    assert found.text == ""
    assert "outside" in found.warnings[0]


def test_the_users_own_files_may_import_from_home(repo: Path, home: Path) -> None:
    put(home / "notes" / "a.md", "my notes")
    put(home / ".claude" / "CLAUDE.md", "@~/notes/a.md")
    put(home / ".config" / "agent-tui" / "AGENTS.md", "@../../notes/a.md")
    found = read(repo, home)
    assert found.text.count("my notes") == 1
    assert found.warnings == []


def test_a_home_reached_by_a_link_is_home(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    home = tmp_path / "home"
    home.symlink_to("real")
    monkeypatch.setenv("HOME", str(home))
    put(home / "a.md", "my notes")
    put(home / ".claude" / "CLAUDE.md", "@~/a.md")
    assert "my notes" in read(repo, home).text


def test_too_long_a_file_is_told(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "x" * WARN_CHARS)
    assert read(repo, home).warnings == []
    put(repo / "AGENTS.md", "x" * (WARN_CHARS + 1))
    found = read(repo, home)
    assert "40,001 characters" in found.warnings[0]
    assert len(found.text) > WARN_CHARS, "told, not cut"


def test_what_cannot_be_read_is_told_or_passed_over(repo: Path, home: Path) -> None:
    (repo / "AGENTS.md").write_bytes(b"caf\xe9")
    os.mkfifo(repo / "CLAUDE.md")
    (repo / ".claude").write_text("a file where the folder should be")
    (repo / "CLAUDE.local.md").mkdir()
    (repo / "AGENTS.local.md").symlink_to("AGENTS.local.md")
    found = read(repo, home)
    assert found.text == ""
    assert len(found.warnings) == 1
    assert str(repo / "AGENTS.md") in found.warnings[0]


def test_a_byte_order_mark_is_no_part_of_the_text(repo: Path, home: Path) -> None:
    (repo / "AGENTS.md").write_bytes(b"\xef\xbb\xbfhello")
    assert read(repo, home).text.endswith(":\nhello")
