"""Read: what of a file the model gets to see, and what is never opened."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.permissions.decide import Policy, decide
from core.tools import text_files
from core.tools.base import ToolResult
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.read.tool import MAX_CHARS, MAX_LINE_CHARS, Read, ReadInput
from core.tools.result import bounded
from tests.fakes.tools import Bench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


async def test_lines_come_numbered(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("one\n\n  three\n")
    result = await bench.run(Read(), file_path="a.txt")
    assert result.content == "     1\tone\n     2\t\n     3\t  three"
    assert result.display.summary == "3 lines"


async def test_the_last_line_may_lack_its_end(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("one\ntwo")
    assert await bench.text(Read(), file_path=str(bench.root / "a.txt")) == "     1\tone\n     2\ttwo"


@pytest.mark.parametrize(
    ("offset", "limit", "shown", "notice"),
    [
        (1, 2, [1, 2], "[PARTIAL view: lines 1–2 of 5. Go on with offset=3.]"),
        (3, 1, [3], "[PARTIAL view: lines 3–3 of 5. Go on with offset=4.]"),
        (4, 9, [4, 5], "[PARTIAL view: lines 4–5 of 5.]"),
        (1, 5, [1, 2, 3, 4, 5], ""),
        (5, None, [5], "[PARTIAL view: lines 5–5 of 5.]"),
    ],
)
async def test_a_range_says_what_it_leaves_out(
    bench: Bench, offset: int, limit: int | None, shown: list[int], notice: str
) -> None:
    (bench.root / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 6)))
    text = await bench.text(Read(), file_path="a.txt", offset=offset, limit=limit)
    rows, _, said = text.partition("\n\n")
    assert [int(row.split("\t")[0]) for row in rows.split("\n")] == shown
    assert said == notice


async def test_the_named_offsets_lead_through_the_whole_file(bench: Bench) -> None:
    lines = [f"{n} " + "x" * (n % 700) for n in range(1, 6_001)]
    (bench.root / "a.txt").write_text("\n".join(lines))
    got: list[str] = []
    offset = 1
    while offset:
        text = await bench.text(Read(), file_path="a.txt", offset=offset)
        assert len(text) <= MAX_CHARS + 200
        rows, _, notice = text.partition("\n\n[PARTIAL")
        got += [row.split("\t", 1)[1] for row in rows.split("\n")]
        offset = int(notice.split("offset=")[1].rstrip(".]")) if "offset=" in notice else 0
    assert got == lines


async def test_a_long_line_is_cut_and_says_by_how_much(bench: Bench) -> None:
    (bench.root / "a.txt").write_text("x" * (MAX_LINE_CHARS + 1_234) + "\nend\n")
    first, second = (await bench.text(Read(), file_path="a.txt")).split("\n")
    assert first == "     1\t" + "x" * MAX_LINE_CHARS + " [… 1,234 more characters]"
    assert second == "     2\tend"


async def test_an_empty_file_and_an_offset_past_the_end_are_said(bench: Bench) -> None:
    (bench.root / "empty").write_text("")
    (bench.root / "short").write_text("a\nb\n")
    assert await bench.text(Read(), file_path="empty") == "[The file is empty.]"
    assert "only 2 lines" in await bench.text(Read(), file_path="short", offset=3)


@pytest.mark.parametrize("char", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
async def test_line_numbers_are_those_of_every_other_program(bench: Bench, char: str) -> None:
    """Only line ends count: a form feed in a C or Python source is a character like others."""
    (bench.root / "a.txt").write_text(f"a{char}b\nsecond\n", "utf-8")
    text = await bench.text(Read(), file_path="a.txt")
    assert text == f"     1\ta{char}b\n     2\tsecond"
    assert (await bench.run(Read(), file_path="a.txt")).display.details["total_lines"] == 2


@pytest.mark.parametrize(
    "data",
    [
        b"one\r\ntwo\r\n",
        b"one\rtwo\r",
        b"\xef\xbb\xbfone\ntwo\n",
        "one\r\ntwo\r\n".encode("utf-16"),
        b"\xfe\xff" + "one\ntwo\n".encode("utf-16-be"),
        b"one\r\ntwo\n",
    ],
)
async def test_line_ends_and_marks_are_not_shown(bench: Bench, data: bytes) -> None:
    (bench.root / "a.txt").write_bytes(data)
    assert await bench.text(Read(), file_path="a.txt") == "     1\tone\n     2\ttwo"


async def test_a_missing_file_suggests_names_like_it(bench: Bench) -> None:
    (bench.root / "settings.py").write_text("")
    said = await bench.refusal(Read(), file_path="setings.py")
    assert "does not exist" in said
    assert "settings.py" in said
    assert "does not exist either" in await bench.refusal(Read(), file_path="nowhere/a.py")


async def test_a_folder_is_refused_with_what_to_use(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    assert "LS" in await bench.refusal(Read(), file_path="sub")


async def test_a_binary_file_is_refused(bench: Bench) -> None:
    (bench.root / "a.bin").write_bytes(b"\x7fELF\0\0\1")
    assert "binary" in await bench.refusal(Read(), file_path="a.bin")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_suffix(".fifo"))
    path.symlink_to(path.with_suffix(".fifo"))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [_fifo, _link_to_fifo, _socket, _device])
async def test_pipes_sockets_and_devices_are_never_opened(bench: Bench, make: Callable[[Path], None]) -> None:
    make(bench.root / "thing")
    async with asyncio.timeout(5):
        assert "not opened" in await bench.refusal(Read(), file_path="thing")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a\0b", "NUL"),
        ("file:///etc/passwd", "URL"),
        ("http://h/x", "URL"),
        ("~nosuchuser-x/a", "~nosuchuser-x/a"),
        ("x" * 300, "too long"),
        ("d/" * 2_500 + "x", "too long"),
        ("$HOME/x", "does not exist"),
        ("loop", "symbolic links"),
    ],
)
async def test_what_is_no_path_gets_a_clear_refusal(bench: Bench, path: str, said: str) -> None:
    (bench.root / "loop").symlink_to("loop2")
    (bench.root / "loop2").symlink_to("loop")
    assert said in await bench.refusal(Read(), file_path=path)


async def test_a_name_that_is_not_unicode_is_refused_or_read(bench: Bench) -> None:
    """A JSON string may hold half a surrogate pair; no file system takes it."""
    with pytest.raises((text_files.ToolError, ValueError), match=r"surrogate|unicode|character"):
        await bench.run(Read(), file_path="a\ud800.txt")
    with pytest.raises(text_files.ToolError):
        text_files.checked_path("a\ud800.txt", bench.state)


async def test_a_name_of_raw_bytes_is_read(bench: Bench) -> None:
    (bench.root / os.fsdecode(b"caf\xe9.txt")).write_text("x\n")
    path = text_files.checked_path(os.fsdecode(b"caf\xe9.txt"), bench.state)
    assert text_files.load(text_files.Place(path, path)).text == "x\n"


async def test_glob_characters_are_part_of_the_name(bench: Bench) -> None:
    (bench.root / "[a]*.py").write_text("x\n")
    assert await bench.text(Read(), file_path="[a]*.py") == "     1\tx"


async def test_too_large_a_file_is_refused_unread(bench: Bench) -> None:
    with (bench.root / "huge").open("wb") as stream:
        stream.truncate(50_000_001)
    said = await bench.refusal(Read(), file_path="huge")
    assert "50,000,001 bytes" in said
    assert "Grep" in said


async def test_permission_denied_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal of the system is played."""
    (bench.root / "a.txt").write_text("x")

    def refuse(*_args: object, **_kwargs: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "permission denied" in await bench.refusal(Read(), file_path="a.txt")


async def test_what_counts_as_seen_is_what_was_shown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes while it is read must not pass as seen in a state that the model never saw."""
    path = bench.root / "a.txt"
    path.write_text("shown\n")
    read_text = text_files.read_text

    def then_changed(file: Path, max_bytes: int) -> object:
        shown = read_text(file, max_bytes)
        file.write_text("never shown\n")
        return shown

    with monkeypatch.context() as patch:
        patch.setattr(text_files, "read_text", then_changed)
        assert "shown" in await bench.text(Read(), file_path="a.txt")
    assert "changed on disk" in await bench.refusal(Edit(), file_path="a.txt", old_string="never", new_string="x")


async def test_its_own_saved_outputs_are_read_unasked(bench: Bench) -> None:
    saved = bench.services.output_dir / "toolu_9.txt"
    result = await bounded(ToolResult(content="line\n" * 10_000), 30_000, saved)
    assert str(saved) in result.content and result.display.saved_to == str(saved)
    access = Read().check_permissions(
        ReadInput(file_path=str(saved), offset=None, limit=None, pages=None), bench.context
    )
    policy = Policy(mode="default", cwd=bench.root, roots=(bench.root,), readable=(bench.services.output_dir,))
    assert decide("Read", access, policy).behavior == "allow"
    assert "[PARTIAL view: lines 1–2000 of 10000" in await bench.text(Read(), file_path=str(saved))
    assert Read.max_result_size_chars is None


async def test_relative_paths_follow_the_working_directory_of_the_session(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    (bench.root / "sub" / "a.txt").write_text("x\n")
    bench.state = bench.state.with_cwd(bench.root / "sub")
    assert await bench.text(Read(), file_path="a.txt") == "     1\tx"
