"""The law of Edit: whatever a file holds, exactly the replaced span changes, byte for byte."""

from __future__ import annotations

import asyncio
import codecs
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.host.files import read_text, write_atomic
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.read.tool import Read
from tests.fakes.tools import make_bench

STYLES = {
    "utf-8": b"",
    "utf-8-sig": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "latin-1": b"",
}

PLAIN = st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n")
LATIN = st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n")
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def around(characters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Text with line ends of every kind in it."""
    return st.lists(st.one_of(st.text(characters, max_size=6), LINE_ENDS), max_size=12).map("".join)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str, str, str]:
    """Encoding, what stands before, what is replaced, what stands after, and its replacement."""
    style = draw(st.sampled_from(sorted(STYLES)))
    characters = LATIN if style == "latin-1" else PLAIN
    before, after = draw(around(characters)), draw(around(characters))
    if style == "latin-1":
        # Bytes that no UTF-8 text has, and no mark of another encoding.
        before = f"x{before}\xff"
    old = draw(st.text(characters, min_size=1, max_size=8))
    new = draw(st.text(characters, max_size=8))
    return style, before, old, after, new


def encode(style: str, text: str) -> bytes:
    return text.encode(style.removesuffix("-sig"))


@settings(max_examples=150)
@given(files(), st.booleans())
def test_only_the_span_changes(tmp_path: Path, parts: tuple[str, str, str, str, str], with_multi_edit: bool) -> None:
    style, before, old, after, new = parts
    assume((before + old + after).count(old) == 1 and old != new)
    data = STYLES[style] + encode(style, before + old + after)
    assume(style != "utf-8" or not data.startswith(tuple(bom for bom in STYLES.values() if bom)))
    path = tmp_path / "work" / "file.txt"
    bench = make_bench(tmp_path)
    path.write_bytes(data)

    async def edit() -> None:
        await bench.run(Read(), file_path="file.txt")
        if with_multi_edit:
            edits = [{"old_string": old, "new_string": new}]
            await bench.text(MultiEdit(), file_path="file.txt", edits=edits)
        else:
            await bench.text(Edit(), file_path="file.txt", old_string=old, new_string=new)

    asyncio.run(edit())
    assert path.read_bytes() == STYLES[style] + encode(style, before + new + after)


@settings(max_examples=150)
@given(
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(sorted(STYLES)),
    st.lists(st.text(LATIN, max_size=5), min_size=3, max_size=8),
    st.integers(0, 8),
    st.lists(st.text(LATIN, max_size=5), max_size=3),
)
def test_lines_are_replaced_by_lines_of_the_files_own_kind(
    tmp_path: Path, newline: str, style: str, lines: list[str], start: int, replacement: list[str]
) -> None:
    """A file with one kind of line end keeps it in what is put in, too."""
    lines[0] = f"x{lines[0]}\xff"
    start = min(start, len(lines) - 2)
    old, new = "\n".join(lines[start : start + 2]), "\n".join(replacement)
    text = "\n".join(lines)
    assume(text.count(old) == 1 and old != new)
    at = text.index(old)
    changed = text[:at] + new + text[at + len(old) :]
    data = STYLES[style] + encode(style, text.replace("\n", newline))
    bench = make_bench(tmp_path)
    path = bench.root / "file.txt"
    path.write_bytes(data)

    async def edit() -> None:
        await bench.run(Read(), file_path="file.txt")
        await bench.text(Edit(), file_path="file.txt", old_string=old, new_string=new)

    asyncio.run(edit())
    assert path.read_bytes() == STYLES[style] + encode(style, changed.replace("\n", newline))


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_any_text_file_is_written_back_as_it_was(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    try:
        file = read_text(path)
    except ValueError:
        assert b"\0" in data
        return
    assert file.encode() == data
    write_atomic(path, file.encode(), file.mode)
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\xff", b"\xfe\xff\xdc\x00"])
def test_a_mark_that_lies_costs_no_byte(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    assert read_text(tmp_path / "file").encode() == data
