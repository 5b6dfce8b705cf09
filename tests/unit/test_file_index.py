"""The index of the working folder's files: what is in it, and that it follows what comes and goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.host import file_index
from core.host.file_index import FileIndex, list_folder
from core.tools.search.walk import walk

PATIENCE_S = 15.0


class Clock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def until(condition: Callable[[], bool]) -> None:
    """Let the index's threads run until something is so."""
    waiting, end = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        waiting.wait(0.01)


def known(index: FileIndex, clock: Clock | None = None) -> tuple[str, ...]:
    """What is there at a look, some time after the last one where a clock is given."""
    if clock is not None:
        clock.now += 100
    index.refresh()
    until(lambda: not index.is_listing)
    return index.paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.py", "src/b.py", "src/deep/c.py", "build/out.o", ".hidden", "two words.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text("build/\n")
    return tmp_path


FOUND = {".gitignore", ".hidden", "a.py", "src/", "src/b.py", "src/deep/", "src/deep/c.py", "two words.txt"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def indexed(folder: Path, clock: Clock) -> Iterator[FileIndex]:
    index = FileIndex(folder, walk, now=clock)
    yield index
    index.close()


@pytest.mark.parametrize("way", ["git", "ripgrep", "walk"])
def test_each_way_lists_the_same_files(
    way: str, folder: Path, indexed: FileIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "git":
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        subprocess.run(["git", "add", "a.py", "src/b.py"], cwd=folder, check=True)
    elif way == "walk":
        monkeypatch.setattr(file_index, "find_program", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    elif shutil.which("rg") is None:
        pytest.skip("no ripgrep here")
    assert set(known(indexed)) == FOUND
    assert indexed.count == len([name for name in FOUND if not name.endswith("/")])


def test_a_deleted_file_of_git_is_no_file(folder: Path, indexed: FileIndex) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    (folder / "a.py").unlink()
    assert "a.py" not in known(indexed)


def test_a_part_of_a_repository_is_listed_from_where_one_is(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    index = FileIndex(folder / "src", walk)
    assert set(known(index)) == {"b.py", "deep/", "deep/c.py"}
    index.close()


def test_a_file_that_comes_or_goes_is_seen_at_a_later_look(folder: Path, indexed: FileIndex, clock: Clock) -> None:
    assert "src/new.py" not in known(indexed)
    (folder / "src" / "new.py").write_text("x")
    assert "src/new.py" not in known(indexed), "it has just been listed"
    assert "src/new.py" in known(indexed, clock)
    (folder / "src" / "new.py").unlink()
    assert "src/new.py" not in known(indexed, clock)


def test_the_same_files_are_the_same_object(folder: Path, indexed: FileIndex, clock: Clock) -> None:
    before = known(indexed)
    (folder / "a.py").write_text("changed, but still there")
    assert known(indexed, clock) is before


def test_there_is_an_end_to_it(indexed: FileIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_index, "MAX_FILES", 3)
    known(indexed)
    assert indexed.count == 3


def test_a_name_that_cannot_be_shown_is_left_out(folder: Path, indexed: FileIndex) -> None:
    (folder / "evil\x1b[2J").write_text("x")
    (folder / os.fsdecode(b"not\xffutf8")).write_text("x")
    assert set(known(indexed)) == FOUND


def test_a_folder_that_is_gone_is_an_empty_one(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "gone", walk)
    assert known(index) == ()
    index.close()


def test_a_closed_index_does_nothing_more(folder: Path, indexed: FileIndex) -> None:
    indexed.close()
    indexed.refresh()
    assert not indexed.is_listing and indexed.paths == ()


def test_any_folder_can_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert sorted(list_folder("~/src/", Path("/"))) == ["b.py", "deep/"]
    assert sorted(list_folder("../", folder / "src" / "deep")) == ["b.py", "deep/"]
    assert list_folder("nowhere/", folder) == []
