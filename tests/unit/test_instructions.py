"""Instruction files: which are read in which order, what imports bring in, and what they may not."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from core.memory import instructions
from core.memory.book import SETTLE_S, Changes, InstructionBook
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
        put(home / "managed" / "CLAUDE.md", "1"),
        put(home / ".config" / "agent-tui" / "AGENTS.md", "2"),
        put(home / ".claude" / "CLAUDE.md", "3"),
        put(home / ".claude" / "rules" / "mine" / "a.md", "4"),
        put(repo / "AGENTS.md", "5"),
        put(repo / "CLAUDE.md", "6"),
        put(repo / ".claude" / "CLAUDE.md", "7"),
        put(repo / "CLAUDE.local.md", "8"),
        put(repo / ".claude" / "rules" / "a.md", "9"),
        put(repo / ".claude" / "rules" / "b" / "c.md", "10"),
        put(repo / "sub" / "AGENTS.md", "11"),
        put(repo / "sub" / "deep" / "CLAUDE.md", "12"),
    ]
    put(repo / "other" / "AGENTS.md", "not on the way")
    put(repo.parent / "AGENTS.md", "above the root")
    found = read(repo / "sub" / "deep", home, managed=(home / "managed",))
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a<!-- not for you -->b", "ab"),
        ("a\n<!-- several\nlines\n-->\nb", "a\nb"),
        ("`<!-- code -->`", "`<!-- code -->`"),
        ("```\n<!-- code -->\n```", "```\n<!-- code -->\n```"),
        ("<!--\n```\n@a.md\n```\n-->\n@a.md", "<A>"),
        ("<!-- @a.md -->@a.md", "<A>"),
        (
            "`<!--` stands for itself\n```\n@a.md\n```\nand `-->` too",
            "`<!--` stands for itself\n```\n@a.md\n```\nand `-->` too",
        ),
        ("a <!-- no end @a.md", "a <!-- no end <A>"),
        ("a --> <!-- x --> b <!-- y", "a -->  b <!-- y"),
    ],
)
def test_comments_are_for_people(repo: Path, home: Path, text: str, expected: str) -> None:
    put(repo / "a.md", "<A>")
    put(repo / "AGENTS.md", text)
    assert read(repo, home).text == f"From {repo / 'AGENTS.md'}:\n{expected}"


@pytest.mark.parametrize("unit", ["<!--", "--><!--", "`<!--", "---\n", "``` <!--\n", "`a`` -->", "@a"])
def test_hostile_markup_takes_no_long_time(repo: Path, home: Path, unit: str) -> None:
    put(repo / ".claude" / "rules" / "a.md", unit * 60_000)
    started = time.monotonic()
    read(repo, home)
    assert time.monotonic() - started < 3


FOR_SOME = "---\n{front}\n---\nRULE"


@pytest.mark.parametrize(
    ("front", "path", "holds"),
    [
        ('paths:\n  - "src/**/*.py"', "src/a.py", True),
        ("paths:\n  - src/**/*.py", "src/b/c/a.py", True),
        ("paths: src/**/*.py", "lib/a.py", False),
        ("paths: src/**/*.py", "src/a.txt", False),
        ("paths: **/*.py", "a/b.py", True),
        ("paths: '*.py'", "a/b.py", False),
        ("paths: *.py", "b.py", True),
        ("paths: src/{a,b}/*.{js,ts}, doc/*.md", "src/b/x.ts", True),
        ("paths: src/{a,b}/*.{js,ts}, doc/*.md", "doc/x.md", True),
        ("paths: {a,b}/*.ts", "b/x.ts", True),
        ("paths:\n- ./src/", "src/deep/x", True),
        ("paths: /src/*", "src/x", True),
        ("paths: .hidden/**", ".hidden/x", True),
    ],
)
def test_a_rule_for_some_files_holds_once_one_was_opened(
    repo: Path, home: Path, front: str, path: str, holds: bool
) -> None:
    rule = put(repo / ".claude" / "rules" / "a.md", FOR_SOME.format(front=front))
    opened = put(repo / path, "")
    assert (read(repo, home).parts, rule in read(repo, home).waiting) == ({}, True)
    found = read(repo, home, opened.resolve())
    assert found.parts == ({rule: "RULE"} if holds else {})
    assert found.text == "", "it goes with the file, not with the first message"
    assert found.warnings == []


@pytest.mark.parametrize("front", ["", "title: x", "paths:", "paths: []", "- a"])
def test_a_rule_that_names_no_files_is_for_all(repo: Path, home: Path, front: str) -> None:
    rule = put(repo / ".claude" / "rules" / "a.md", FOR_SOME.format(front=front))
    assert read(repo, home).text == f"From {rule}:\nRULE"


@pytest.mark.parametrize(
    "front", ["paths: [", "paths: {x: 1}", "paths: [1, 2]", "a: b: c", "[" * 5_000, "#" * 20_000], ids=range(6)
)
def test_a_rule_whose_head_cannot_be_used_is_told(repo: Path, home: Path, front: str) -> None:
    put(repo / ".claude" / "rules" / "a.md", FOR_SOME.format(front=front))
    found = read(repo, home)
    assert found.text == ""
    assert len(found.warnings) == 1 and "a.md is left out" in found.warnings[0]


def test_what_settings_exclude_is_left_out_and_told(repo: Path, home: Path) -> None:
    put(repo / "CLAUDE.md", "keep")
    put(repo / "team" / "CLAUDE.md", "leave out")
    put(repo / "team" / ".claude" / "rules" / "a.md", "leave out")
    managed = put(home / "managed" / "CLAUDE.md", "always")
    excludes = ("**/team/CLAUDE.md", f"{repo}/team/.claude/rules/**", "**/managed/*")
    found = read(repo / "team", home, excludes=excludes, managed=(home / "managed",))
    assert list(found.parts) == [managed, repo / "CLAUDE.md"]
    assert found.warnings == []
    assert found.excluded == [repo / "team" / "CLAUDE.md", repo / "team" / ".claude" / "rules" / "a.md"]


def test_what_is_not_trusted_is_named(repo: Path, home: Path) -> None:
    put(repo / "AGENTS.md", "obey me")
    found = read(repo, home, is_trusted=False)
    assert found.untrusted == [repo / "AGENTS.md"]


def test_folders_below_hold_once_a_file_there_was_opened(repo: Path, home: Path) -> None:
    between = put(repo / "a" / "AGENTS.md", "A")
    deep = put(repo / "a" / "b" / ".claude" / "rules" / "x.md", "B")
    put(repo / "a" / "c" / "AGENTS.md", "C")
    file = put(repo / "a" / "b" / "file.txt", "")
    assert read(repo, home).parts == {}
    assert read(repo, home, file.resolve()).parts == {between: "A", deep: "B"}
    assert read(repo, home, file.resolve(), is_trusted=False).parts == {}


def test_nothing_is_read_again_unless_something_changed(
    repo: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []
    real = instructions.read_regular

    def counted(path: Path, max_bytes: int) -> bytes:
        reads.append(path)
        return real(path, max_bytes)

    monkeypatch.setattr(instructions, "read_regular", counted)
    file = put(repo / "AGENTS.md", "one @sub/more.md")
    more = put(repo / "sub" / "more.md", "more")
    book = InstructionBook(places(repo, home))
    book.read()
    assert (reads, book.is_stale()) == ([file, more], False)
    for change in (
        lambda: put(more, "other"),
        lambda: put(repo / "CLAUDE.md", "new"),
        lambda: put(repo / ".claude" / "rules" / "deep" / "x.md", "new"),
        lambda: put(repo / ".claude" / "rules" / "deep" / "y.md", "new"),
        lambda: put(home / ".claude" / "CLAUDE.md", "new"),
        file.unlink,
    ):
        change()
        assert book.is_stale()
        book.read()
        assert not book.is_stale()


def test_a_look_says_what_it_brought(repo: Path, home: Path) -> None:
    one, two = put(repo / "AGENTS.md", "one"), put(repo / "CLAUDE.md", "two")
    book = InstructionBook(places(repo, home))
    assert book.read() == Changes(new=(one, two))
    assert book.read() == Changes()
    one.write_text("other")
    two.unlink()
    three = put(repo / "CLAUDE.local.md", "three")
    assert book.read() == Changes(new=(three,), changed=(one,), gone=(two,))


def test_what_goes_with_an_opened_file_is_due_until_it_was_read(repo: Path, home: Path) -> None:
    """Whoever asks may be interrupted in between."""
    rule = put(repo / ".claude" / "rules" / "a.md", FOR_SOME.format(front="paths: '*.py'"))
    below = put(repo / "sub" / "AGENTS.md", "BELOW")
    files = [put(repo / name, "").resolve() for name in ("a.txt", "a.py", "sub/b.txt")]
    book = InstructionBook(places(repo, home))
    book.read()
    book.open(files[:1])
    assert not book.is_stale(), "nothing goes with it"
    for count, part in ((2, rule), (3, below)):
        book.open(files[:count])
        book.open(files[:count])
        assert book.is_stale()
        assert book.read().near == (part,)
        assert not book.is_stale()
    book.close_all()
    assert book.current.parts == {} and not book.is_stale()
    book.open(files)
    assert book.is_stale()


def test_an_editor_that_writes_a_file_anew_takes_nothing_away(repo: Path, home: Path) -> None:
    """Between the two steps the file is empty, and just then somebody looks."""
    file = put(repo / "AGENTS.md", "old")
    book = InstructionBook(places(repo, home))
    book.read()
    file.write_text("")
    writer = threading.Timer(SETTLE_S / 4, lambda: file.write_text("new"))
    writer.start()
    assert book.read() == Changes(changed=(file,))
    writer.join()
    assert book.current.parts == {file: "new"}
