"""The law of the output spool: nothing is lost or made up, however the bytes come in pieces."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tools.spool import HEAD_CHARS, INLINE_CHARS, TAIL_CHARS, OutputSpool

TAIL = "_tail"
CUT = re.compile(r"\n\n\[… ([\d,]+) characters left out(.*) …\]\n\n")

RUNS = st.tuples(st.sampled_from(["a", "é\n", "€", "😀", "\n"]), st.integers(1, 9_000))
PIECE: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    RUNS.map(lambda run: run[0].encode() * run[1]),
)


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Output cut anywhere, also inside a character."""
    data = b"".join(draw(st.lists(PIECE, max_size=10)))
    cuts = sorted(draw(st.lists(st.integers(0, max(len(data), 1)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if data[a:b]]


def spooled(folder: Path, parts: list[bytes]) -> OutputSpool:
    spool = OutputSpool(folder / "out" / "b1.txt")
    for part in parts:
        spool.write(part)
    spool.write(b"")
    spool.close()
    return spool


@settings(max_examples=200)
@given(pieces())
def test_text_is_the_output_or_its_two_ends(tmp_path: Path, parts: list[bytes]) -> None:
    data = b"".join(parts)
    text = data.decode("utf-8", "replace")
    (tmp_path / "out" / "b1.txt").unlink(missing_ok=True)
    spool = spooled(tmp_path, parts)
    assert (spool.total_chars, spool.total_lines) == (len(text), text.count("\n"))
    assert spool.is_cut == (len(text) > INLINE_CHARS)
    if not spool.is_cut:
        assert spool.text() == text
        return
    shown = spool.text()
    cut = CUT.search(shown, HEAD_CHARS - 5)
    assert cut is not None
    assert shown[: cut.start()] == text[:HEAD_CHARS]
    assert shown[cut.end() :] == text[-TAIL_CHARS:]
    assert int(cut[1].replace(",", "")) == len(text) - HEAD_CHARS - TAIL_CHARS
    assert str(spool.path) in cut[2]
    assert spool.path.read_bytes() == data


@settings(max_examples=200)
@given(pieces(), st.lists(st.integers(4, 40_000), min_size=1, max_size=5))
def test_reading_in_steps_gives_the_same_text(tmp_path: Path, parts: list[bytes], limits: list[int]) -> None:
    """While it is written and after: what is read in increments is what was printed, character for character."""
    spool = OutputSpool(tmp_path / "out" / "b1.txt")
    got: list[str] = []
    offset = 0
    for number, part in enumerate(parts):
        spool.write(part)
        text, offset = spool.read_from(offset, limits[number % len(limits)])
        got.append(text)
    spool.write(b"")
    spool.close()
    while True:
        text, after = spool.read_from(offset, limits[0])
        if after == offset:
            break
        got.append(text)
        offset = after
    assert "".join(got) == b"".join(parts).decode("utf-8", "replace")
    spool.path.unlink(missing_ok=True)


def test_memory_is_bounded(tmp_path: Path) -> None:
    spool = OutputSpool(tmp_path / "b1.txt")
    chunk = ("x" * 79 + "\n").encode() * 800
    for _ in range(500):
        spool.write(chunk)
    kept = sum(sys.getsizeof(part) for name in ("_head", "_tail", "_early") for part in getattr(spool, name))
    assert kept < 4 * len(chunk)
    assert spool.total_chars == 500 * len(chunk)
    spool.close()
    assert spool.path.stat().st_size == 500 * len(chunk)


def test_output_in_single_bytes_keeps_memory_bounded(tmp_path: Path) -> None:
    spool = OutputSpool(tmp_path / "b1.txt")
    for _ in range(60_000):
        spool.write(b"x")
    tail: deque[str] = getattr(spool, TAIL)
    assert len(tail) <= TAIL_CHARS
    assert len(spool.text()) < INLINE_CHARS + 300
    spool.close()


@pytest.mark.parametrize("chars", [100, HEAD_CHARS + 10, 2 * INLINE_CHARS])
def test_the_last_lines_are_the_last_lines(tmp_path: Path, chars: int) -> None:
    spool = OutputSpool(tmp_path / "b1.txt")
    lines: list[str] = []
    while spool.total_chars < chars:
        lines.append(f"line {len(lines)}")
        spool.write(f"{lines[-1]}\n".encode())
    assert spool.last_lines(5) == "\n".join(lines[-5:])
    spool.close()


def test_without_a_disk_the_ends_are_kept_and_no_file_is_promised(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    spool = OutputSpool(tmp_path / "out" / "b1.txt")
    for _ in range(100):
        spool.write(b"x" * 1_000)
    spool.write(b"")
    assert "left out …]" in spool.text()
    assert spool.text().startswith("x" * HEAD_CHARS)
    (tmp_path / "out").unlink()
    spool.write(b"y" * 1_000)
    assert str(spool.path) not in spool.text(), "the file has a hole"
    spool.close()


def test_a_disk_that_fills_up_is_no_promise_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = OutputSpool(tmp_path / "b1.txt")
    spool.write(b"x" * 40_000)
    write = os.write
    sizes = iter([10])

    def nearly_full(descriptor: int, data: bytes) -> int:
        size = next(sizes, 0)
        if not size:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:size])

    monkeypatch.setattr(os, "write", nearly_full)
    spool.write(b"y" * 40_000)
    monkeypatch.undo()
    spool.write(b"z" * 40_000)
    spool.close()
    assert "the whole is in" not in spool.text()
    assert (tmp_path / "b1.txt").read_bytes() == b"x" * 40_000 + b"y" * 10
