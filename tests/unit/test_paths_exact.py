"""Files by exactly the path that was judged: no link on the way is followed, whoever put it there."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.host import exact
from core.host.exact import open_regular, stamp_of, write_exact
from core.permissions.access import Access
from core.permissions.judged import JudgedPaths, PathChangedError
from tests.fakes.tools import names


def read(path: Path) -> bytes:
    with open_regular(path) as stream:
        return stream.read()


@given(depth=st.integers(1, 6), swapped=st.integers(0, 5), is_there=st.booleans())
def test_a_link_anywhere_on_the_way_leads_nowhere(
    tmp_path_factory: pytest.TempPathFactory, depth: int, swapped: int, is_there: bool
) -> None:
    """Law: whichever folder becomes a link, nothing behind it is read or written, and nothing is left behind."""
    root = tmp_path_factory.mktemp("law")
    inside, outside = root / "inside", root / "outside"
    parts = [f"d{number}" for number in range(depth)]
    for base, text in ((inside, "mine"), (outside, "theirs")):
        base.joinpath(*parts).mkdir(parents=True)
        if is_there:
            base.joinpath(*parts, "f").write_text(text)
    target = inside.joinpath(*parts, "f")
    at = min(swapped, depth - 1)
    folder = inside.joinpath(*parts[: at + 1])
    folder.rename(root / "moved")
    folder.symlink_to(outside.joinpath(*parts[: at + 1]))
    for act in (lambda: read(target), lambda: write_exact(target, b"planted")):
        with pytest.raises(OSError) as caught:
            act()
        assert caught.value.errno == errno.ELOOP
    there = outside.joinpath(*parts)
    assert names(there) == (["f"] if is_there else [])
    assert not is_there or (there / "f").read_text() == "theirs"


def test_a_link_in_place_of_the_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "f").symlink_to("theirs")
    for act in (lambda: read(tmp_path / "f"), lambda: write_exact(tmp_path / "f", b"planted")):
        with pytest.raises(OSError, match="symbolic links"):
            act()
    assert (tmp_path / "f").is_symlink()
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert names(tmp_path) == ["f", "theirs"]


def test_nothing_but_a_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "socket", tmp_path / "folder", Path("/dev/zero"), Path("/dev/tty")):
            for act in (lambda path=path: read(path), lambda path=path: write_exact(path, b"x")):
                with pytest.raises(OSError, match=r"device, pipe or socket|directory"):
                    act()


def test_a_file_that_becomes_a_pipe_at_the_last_moment_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    opened = os.open

    def swapping(name: str, flags: int, *args: int, **kwargs: int) -> int:
        if name == "f":
            path.unlink()
            os.mkfifo(path)
        return opened(name, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", swapping)
    with pytest.raises(OSError, match="device, pipe or socket"):
        read(path)


def test_only_the_expected_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("one")
    seen = stamp_of(path.stat())
    write_exact(path, b"two", replaces=seen)
    with pytest.raises(OSError, match="changed meanwhile"):
        write_exact(path, b"three", replaces=seen)
    with pytest.raises(OSError, match="changed meanwhile"):
        write_exact(path, b"three", replaces=None)
    assert path.read_text() == "two"
    assert names(tmp_path) == ["f"]
    write_exact(tmp_path / "new" / "g", b"x", replaces=None)
    assert (tmp_path / "new" / "g").read_text() == "x"


def test_a_file_that_appears_or_changes_while_the_new_one_is_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    synced = os.fsync

    def appearing(descriptor: int) -> None:
        synced(descriptor)
        path.write_text("theirs")

    monkeypatch.setattr(os, "fsync", appearing)
    with pytest.raises(OSError, match="changed meanwhile"):
        write_exact(path, b"mine", replaces=None)
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_a_folder_that_may_be_passed_but_not_listed_is_no_hindrance() -> None:
    if not hasattr(os, "O_PATH"):
        pytest.skip("this system makes no difference")
    assert exact.STEP & os.O_PATH


def test_a_call_acts_only_where_its_path_led_when_it_was_judged(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("a")
    judged = JudgedPaths()
    access = judged.take(Access(writes=(tmp_path / "link" / "f",)))
    assert access.writes == (tmp_path / "link" / "f", tmp_path / "a" / "f"), "the place itself is judged too"
    assert judged.real(tmp_path / "link" / "f") == tmp_path / "a" / "f"
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("b")
    with pytest.raises(PathChangedError, match="leads elsewhere"):
        judged.real(tmp_path / "link" / "f")


def test_what_was_not_judged_is_not_touched_by_a_judged_call(tmp_path: Path) -> None:
    judged = JudgedPaths()
    judged.take(Access(reads=(tmp_path / "a",)))
    with pytest.raises(PathChangedError):
        judged.real(tmp_path / "b")
