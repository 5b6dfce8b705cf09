"""Write, Edit and MultiEdit: what they refuse, and that the rest of a file survives them byte for byte."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.host.exact import stamp_of
from core.tools.base import ToolError
from core.tools.builtin.edit.tool import Edit, EditInput
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.read.tool import Read
from core.tools.builtin.write.tool import Write, WriteInput
from core.tools.context import MAX_TEXT_CHARS, MAX_TEXTS
from tests.fakes.tools import Bench, make_bench, names


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


async def seen(bench: Bench, name: str, data: bytes) -> Path:
    """A file that the agent has read."""
    path = bench.root / name
    path.write_bytes(data)
    await bench.run(Read(), file_path=name)
    return path


def temporary_files(folder: Path) -> list[str]:
    return [name for name in names(folder) if name.endswith(".tmp")]


# What is refused


CALLS = [
    (Edit(), {"old_string": "old", "new_string": "new"}),
    (MultiEdit(), {"edits": [{"old_string": "old", "new_string": "new"}]}),
    (Write(), {"content": "new"}),
]
calls = pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[tool.name for tool, _ in CALLS])


@calls
async def test_a_file_that_was_not_read_is_refused(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    (bench.root / "a.txt").write_text("old")
    assert "has not been read" in await bench.refusal(tool, file_path="a.txt", **arguments)
    assert (bench.root / "a.txt").read_text() == "old"


@calls
async def test_a_file_with_other_content_than_was_read_is_refused(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    path = await seen(bench, "a.txt", b"old")
    times = path.stat()
    path.write_bytes(b"old!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "changed on disk" in await bench.refusal(tool, file_path="a.txt", **arguments)
    assert path.read_text() == "old!"


@calls
async def test_a_mere_touch_is_no_change(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    path = await seen(bench, "a.txt", b"old")
    os.utime(path, (1, 1))
    await bench.text(tool, file_path="a.txt", **arguments)
    assert path.read_text() == "new"


@calls
async def test_a_file_swapped_for_a_link_after_it_was_read_is_refused(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    """S11. The link's target was never read, whatever it holds."""
    path = await seen(bench, "a.txt", b"old")
    outside = bench.root.parent / "outside.txt"
    outside.write_text("old")
    path.unlink()
    path.symlink_to(outside)
    assert "has not been read" in await bench.refusal(tool, file_path="a.txt", **arguments)
    assert outside.read_text() == "old"


@calls
async def test_the_agents_own_change_counts_as_seen(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    path = await seen(bench, "a.txt", b"old")
    await bench.text(tool, file_path="a.txt", **arguments)
    await bench.text(Edit(), file_path="a.txt", old_string="new", new_string="newer")
    assert path.read_text() == "newer"


async def test_a_new_file_may_be_edited_at_once(bench: Bench) -> None:
    await bench.text(Write(), file_path="deep/er/a.txt", content="one\n")
    await bench.text(Edit(), file_path="deep/er/a.txt", old_string="one", new_string="two")
    assert (bench.root / "deep/er/a.txt").read_text() == "two\n"


@pytest.mark.parametrize(
    "name", ["missing.txt", "sub", "a.bin", "pipe", "loop", "x" * 300, "", " ", "a\0b", "file:///x"]
)
async def test_edit_refuses_what_is_no_text_file(bench: Bench, name: str) -> None:
    (bench.root / "sub").mkdir()
    (bench.root / "a.bin").write_bytes(b"old\0")
    (bench.root / "loop").symlink_to("loop")
    os.mkfifo(bench.root / "pipe")
    assert await bench.refusal(Edit(), file_path=name, old_string="old", new_string="new")


@pytest.mark.parametrize(
    "name", ["sub", ".", "/", "a.bin", "pipe", "loop", "x" * 300, "y/" * 2_500, "", "  ", "a\0b", "file:///x", "f/x"]
)
async def test_write_refuses_what_it_cannot_replace(bench: Bench, name: str) -> None:
    (bench.root / "sub").mkdir()
    (bench.root / "f").write_text("a file")
    (bench.root / "a.bin").write_bytes(b"\0")
    (bench.root / "loop").symlink_to("loop")
    os.mkfifo(bench.root / "pipe")
    before = names(bench.root)
    assert await bench.refusal(Write(), file_path=name, content="x")
    assert names(bench.root) == before
    assert (bench.root / "loop").is_symlink()


# What Edit looks for


async def test_an_absent_text_shows_the_nearest_places_with_their_lines(bench: Bench) -> None:
    await seen(bench, "a.py", b"import os\n\ndef total(items):\n    return sum(items)\n\ndef other():\n    pass\n")
    said = await bench.refusal(
        Edit(), file_path="a.py", old_string="def total(item):\n    return sum(item)", new_string="x"
    )
    assert "was not found" in said
    assert "     3\tdef total(items):\n     4\t    return sum(items)" in said


async def test_nothing_alike_is_said_too(bench: Bench) -> None:
    await seen(bench, "a.py", b"import os\n")
    assert "Nothing in the file looks like it" in await bench.refusal(
        Edit(), file_path="a.py", old_string="zzzzzzzzzzzz", new_string="x"
    )


async def test_an_ambiguous_text_gives_its_count_and_lines(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"x\nfoo\ny\nfoo foo\n")
    said = await bench.refusal(Edit(), file_path="a.txt", old_string="foo", new_string="bar")
    assert "3 times" in said
    assert "(lines 2, 4, 4)" in said
    assert path.read_text() == "x\nfoo\ny\nfoo foo\n"


async def test_replace_all_replaces_each(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"foo foo\r\nfoo\r\n")
    said = await bench.text(Edit(), file_path="a.txt", old_string="foo", new_string="foofoo", replace_all=True)
    assert "3 occurrences" in said
    assert path.read_bytes() == b"foofoo foofoo\r\nfoofoo\r\n"


@pytest.mark.parametrize(("old", "new", "said"), [("", "x", "empty"), ("same", "same", "nothing to change")])
async def test_an_edit_that_says_nothing_is_refused(bench: Bench, old: str, new: str, said: str) -> None:
    await seen(bench, "a.txt", b"same")
    assert said in await bench.refusal(Edit(), file_path="a.txt", old_string=old, new_string=new)


async def test_line_numbers_of_matches_are_those_that_read_shows(bench: Bench) -> None:
    await seen(bench, "a.txt", "a\x0cb\u2028c\nfoo\nfoo\n".encode())
    assert "(lines 2, 3)" in await bench.refusal(Edit(), file_path="a.txt", old_string="foo", new_string="x")


# MultiEdit


async def test_edits_build_on_each_other(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"one two\n")
    edits = [{"old_string": "one", "new_string": "1"}, {"old_string": "1 two", "new_string": "12"}]
    await bench.text(MultiEdit(), file_path="a.txt", edits=edits)
    assert path.read_text() == "12\n"


@pytest.mark.parametrize("bad", [{"old_string": "absent", "new_string": "x"}, {"old_string": "o", "new_string": "x"}])
async def test_one_bad_edit_makes_none(bench: Bench, bad: dict[str, str]) -> None:
    path = await seen(bench, "a.txt", b"one two\n")
    edits = [{"old_string": "one", "new_string": "oo"}, bad, {"old_string": "two", "new_string": "2"}]
    said = await bench.refusal(MultiEdit(), file_path="a.txt", edits=edits)
    assert "Edit 2" in said
    assert "Nothing was changed" in said
    assert path.read_bytes() == b"one two\n"


# What survives


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o420])
async def test_the_file_mode_survives(bench: Bench, mode: int) -> None:
    path = await seen(bench, "a.sh", b"old\n")
    path.chmod(mode)
    await bench.text(Edit(), file_path="a.sh", old_string="old", new_string="new")
    await bench.text(Write(), file_path="a.sh", content="newer\n")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "newer\n"


@calls
async def test_a_read_only_file_is_refused_with_that_reason(
    bench: Bench, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    path = await seen(bench, "a.txt", b"old")
    path.chmod(0o444)
    assert "read-only (mode 444)" in await bench.refusal(tool, file_path="a.txt", **arguments)
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_the_owner_survives(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"old\n")
    os.chown(path, 1234, 2345)
    await bench.text(Edit(), file_path="a.txt", old_string="old", new_string="new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


async def test_a_new_file_gets_the_usual_mode(bench: Bench) -> None:
    await bench.text(Write(), file_path="a.txt", content="x")
    current = os.umask(0)
    os.umask(current)
    assert stat.S_IMODE((bench.root / "a.txt").stat().st_mode) == 0o666 & ~current


@pytest.mark.parametrize("link", ["real.txt", "chain"])
async def test_a_link_stays_a_link_and_its_target_changes(bench: Bench, link: str) -> None:
    real = bench.root / "real.txt"
    (bench.root / "chain").symlink_to("real.txt")
    (bench.root / "link").symlink_to(link)
    real.write_text("old\n")
    await bench.run(Read(), file_path="link")
    await bench.text(Edit(), file_path="link", old_string="old", new_string="new")
    await bench.text(Write(), file_path="link", content="newer\n")
    assert (bench.root / "link").is_symlink()
    assert real.read_text() == "newer\n"
    assert "newer" in await bench.text(Read(), file_path="real.txt")


async def test_a_dangling_link_is_written_through(bench: Bench) -> None:
    (bench.root / "link").symlink_to("target.txt")
    await bench.text(Write(), file_path="link", content="x")
    assert (bench.root / "link").is_symlink()
    assert (bench.root / "target.txt").read_text() == "x"


@pytest.mark.parametrize(
    ("before", "content", "after"),
    [
        (b"a\r\nb\r\n", "x\ny\n", b"x\r\ny\r\n"),
        (b"a\r\nb\r\n", "x\r\ny\r\n", b"x\r\ny\r\n"),
        (b"a\rb\r", "x\ny\n", b"x\ry\r"),
        (b"a\nb\n", "x\r\ny\n", b"x\r\ny\n"),
        (b"\xef\xbb\xbfa\n", "x\n", b"\xef\xbb\xbfx\n"),
        (b"\xff\xfea\0", "\u20ac", b"\xff\xfe\xac\x20"),
        (b"\xe9\n", "\xe8\n", b"\xe8\n"),
        (b"a", "x", b"x"),
    ],
)
async def test_a_rewritten_file_keeps_encoding_and_line_ends(
    bench: Bench, before: bytes, content: str, after: bytes
) -> None:
    path = await seen(bench, "a.txt", before)
    await bench.text(Write(), file_path="a.txt", content=content)
    assert path.read_bytes() == after


@pytest.mark.parametrize(
    ("data", "old", "new", "after"),
    [
        (b"a\r\nb\r\n", "a\r\nb", "x\r\ny", b"x\r\ny\r\n"),
        (b"a\r\nb\r\n", "a", "x\r\ny", b"x\r\ny\r\nb\r\n"),
        (b"a\rb\r", "a", "x\r\ny", b"x\ry\rb\r"),
        (b"a\nb\n", "a\r\nb", "x", b"x\n"),
        (b"a\r\nb\nc", "a\r\nb\nc", "x", b"x"),
    ],
)
async def test_line_ends_in_the_strings_fit_the_file(
    bench: Bench, data: bytes, old: str, new: str, after: bytes
) -> None:
    path = await seen(bench, "a.txt", data)
    await bench.text(Edit(), file_path="a.txt", old_string=old, new_string=new)
    assert path.read_bytes() == after


async def test_a_character_that_the_encoding_lacks_is_refused(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"caf\xe9\n")
    said = await bench.refusal(Edit(), file_path="a.txt", old_string="caf", new_string="\u20ac")
    assert "latin-1" in said
    assert path.read_bytes() == b"caf\xe9\n"


# A write that fails


@calls
async def test_a_failed_rename_leaves_the_old_bytes_and_no_temporary_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tool: Edit | MultiEdit | Write, arguments: dict[str, object]
) -> None:
    path = await seen(bench, "a.txt", b"old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "rename", fail)
    said = await bench.refusal(tool, file_path="a.txt", **arguments)
    assert "Read-only file system" in said
    assert "unchanged" in said
    assert path.read_bytes() == b"old"
    assert temporary_files(bench.root) == []


def test_a_disk_that_takes_only_a_part_leaves_the_old_bytes(tmp_path: Path) -> None:
    """A limit on file sizes fails the write in its middle, as a full disk does."""
    (tmp_path / "a.txt").write_text("old")
    code = (
        "import resource, signal, sys; from pathlib import Path; from core.host.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_atomic(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except OSError as error: print(error.strerror)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.txt")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert done.stdout.strip() == os.strerror(errno.EFBIG)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


async def test_the_longest_file_names_can_be_written(bench: Bench) -> None:
    name = "\N{GRINNING FACE}" * 63
    path = await seen(bench, name, b"old")
    await bench.text(Edit(), file_path=name, old_string="old", new_string="new")
    assert path.read_text() == "new"


# What the user judges


async def test_the_preview_is_the_change_that_is_made(bench: Bench) -> None:
    path = await seen(bench, "a.txt", b"one\r\ntwo\r\n")
    arguments = EditInput(file_path="a.txt", old_string="two", new_string="2", replace_all=False)
    preview = Edit().preview(arguments, bench.context)
    result = await Edit().run(arguments, bench.context)
    assert preview == result.display.diff
    assert preview is not None
    assert (preview.path, preview.old, preview.new) == (str(path), "one\ntwo\n", "one\n2\n")
    assert result.display.summary == "+1 −1"
    new = WriteInput(file_path="b.txt", content="x\ny\n")
    shown = Write().preview(new, bench.context)
    assert shown is not None
    assert shown.old is None
    assert (await Write().run(new, bench.context)).display.summary == "new, 2 lines"


async def test_a_preview_refuses_what_the_call_would_refuse(bench: Bench) -> None:
    """So that the user is not asked about a change that cannot be made."""
    (bench.root / "a.txt").write_text("old")
    with pytest.raises(ToolError, match="not been read"):
        Write().preview(WriteInput(file_path="a.txt", content="x"), bench.context)
    with pytest.raises(ToolError, match="not been read"):
        Edit().preview(EditInput(file_path="a.txt", old_string="old", new_string="x", replace_all=False), bench.context)


async def test_the_preview_of_a_write_shows_the_text_as_it_will_be_written(bench: Bench) -> None:
    await seen(bench, "a.txt", b"one\r\n")
    arguments = WriteInput(file_path="a.txt", content="two\r\n")
    preview = Write().preview(arguments, bench.context)
    assert preview == (await Write().run(arguments, bench.context)).display.diff


async def test_the_file_seen_last_comes_last(bench: Bench) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        await seen(bench, name, b"x")
    await bench.run(Read(), file_path="a.txt")
    await bench.run(Edit(), file_path="b.txt", old_string="x", new_string="y")
    assert [path.name for path in bench.state.seen] == ["c.txt", "a.txt", "b.txt"]
    assert [stamp.text for stamp in bench.state.seen.values()] == ["x", "x", "y"]


async def test_only_the_texts_of_the_newest_files_are_kept_and_no_long_ones(bench: Bench) -> None:
    await seen(bench, "long.txt", b"x" * (MAX_TEXT_CHARS + 1))
    for number in range(MAX_TEXTS + 10):
        await seen(bench, f"{number}.txt", b"x")
    texts = [stamp.text for stamp in bench.state.seen.values()]
    assert texts == [None] * 11 + ["x"] * MAX_TEXTS


async def test_what_was_written_is_known_by_its_stamp(bench: Bench) -> None:
    """Else the agent's own change would be news to it."""
    path = bench.root / "a.txt"
    await bench.run(Write(), file_path="a.txt", content="one\n")
    assert bench.state.seen[path].disk == stamp_of(path.stat())
    await bench.run(Edit(), file_path="a.txt", old_string="one", new_string="two")
    assert bench.state.seen[path].disk == stamp_of(path.stat())
