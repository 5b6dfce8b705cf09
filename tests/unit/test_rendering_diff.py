"""Laws and examples of diffs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol.views import FileDiff
from tui.rendering.compare import compare_lines, split_lines
from tui.rendering.copying import plain_text
from tui.rendering.diff import diff_lines
from tui.rendering.line import Line, line_width, plain
from tui.rendering.tool_views import MAX_DIFF_LINES, change_lines

texts = st.lists(st.sampled_from(["", "a", "b", "c = 1", "    d", "}", "\x1b[2J", "漢字"]), max_size=30).map("\n".join)
texts = texts | texts.map(lambda text: text + "\n")


def diff_stat(old: str, new: str) -> tuple[int, int]:
    """How many lines were added and removed."""
    edits = compare_lines(split_lines(old), split_lines(new))
    return sum(edit.new_end - edit.new for edit in edits), sum(edit.old_end - edit.old for edit in edits)


def draw(old: str, new: str, width: int = 40, path: str = "x.txt", max_lines: int | None = None) -> list[str]:
    return [plain(line).rstrip() for line in diff_lines(old, new, path=path, width=width, max_lines=max_lines)]


@given(texts, texts)
@settings(max_examples=150, deadline=None)
def test_edits_turn_the_old_text_into_the_new(old: str, new: str) -> None:
    before, after = split_lines(old), split_lines(new)
    result: list[str] = []
    position = 0
    for edit in compare_lines(before, after):
        assert edit.old >= position
        result += [*before[position : edit.old], *after[edit.new : edit.new_end]]
        position = edit.old_end
    assert [*result, *before[position:]] == after
    assert "".join(before) == old


@given(texts, texts, st.sampled_from([1, 12, 30, 80]), st.sampled_from([None, 1, 5]))
@settings(max_examples=80, deadline=None)
def test_every_line_fits_and_changes_are_counted(old: str, new: str, width: int, limit: int | None) -> None:
    lines = diff_lines(old, new, path="x.py", width=width, max_lines=limit)
    assert all(line_width(line) <= width for line in lines)
    assert limit is None or len(lines) <= limit
    if limit is None and width == 80:
        signs = [style.split()[0] for line in lines for text, style in line if text in ("+ ", "- ")]
        assert (signs.count("added.sign"), signs.count("removed.sign")) == diff_stat(old, new)


def test_nothing_changed_is_nothing_to_show() -> None:
    assert draw("a\n", "a\n") == []
    assert diff_stat("a\nb\n", "a\nc\nd\n") == (2, 1)
    assert diff_stat("", "a") == (1, 0)


def test_a_change_has_its_neighbours_and_folds() -> None:
    old = "".join(f"line {number}\n" for number in range(1, 31))
    new = old.replace("line 15\n", "line fifteen\n")
    assert draw(old, new) == [
        "⋯ 11 unchanged lines",
        "12 12   line 12",
        "13 13   line 13",
        "14 14   line 14",
        "15    - line 15",
        "   15 + line fifteen",
        "16 16   line 16",
        "17 17   line 17",
        "18 18   line 18",
        "⋯ 12 unchanged lines",
    ]
    assert draw(old, new, max_lines=4)[-1] == "… 6 more lines"


def style_of(lines: list[Line], text: str) -> str:
    return next(style for line in lines for part, style in line if part == text)


def test_changed_words_are_marked_over_the_syntax() -> None:
    lines = diff_lines("return 'old'\n", "return 'new'\n", path="x.py", width=40)
    assert style_of(lines, "return") == "removed syntax.keyword"
    assert style_of(lines, "old") == "removed syntax.string removed.word"
    assert style_of(lines, "new") == "added syntax.string added.word"
    unlike = diff_lines("alpha beta\n", "gamma delta\n", path="x.txt", width=40)
    assert not [style for line in unlike for _, style in line if "word" in style]


def test_long_lines_keep_their_gutter() -> None:
    assert draw("", "x" * 25 + "\n", width=20) == ["  1 + xxxxxxxxxxxxxx", "    ↪ xxxxxxxxxxx"]
    assert draw("", "abc\n", width=12)[0] == "+ abc"


def test_changes_that_do_not_show_are_laid_open() -> None:
    assert draw("a\r\n", "a\n") == ["1   - a␍", "  1 + a"]
    assert draw("\ta\n", "    a\n") == ["1   - ⇥   a", "  1 +     a"]
    assert draw("a\u200b\n", "a\n") == ["1   - a⟨U+200B⟩", "  1 + a"]
    assert draw("a\nb", "a\nb\n") == ["1 1   a", "2   - b ⟨no newline at end of file⟩", "  2 + b"]
    remark = next(
        style for line in diff_lines("a\nb", "a\nb\n", path="x", width=60) for text, style in line if "⟨" in text
    )
    assert remark.split()[0] == "removed", "no hole in the colour of the row"


@pytest.mark.parametrize("kind", ["one change", "nothing in common", "few distinct lines"])
def test_long_files_are_compared(kind: str) -> None:
    old = [f"line {number}\n" for number in range(5000)]
    if kind == "one change":
        new = [*old[:2500], "changed\n", *old[2501:]]
    elif kind == "nothing in common":
        new = [f"other {number}\n" for number in range(5000)]
    else:
        old = ["{\n", "}\n"] * 2500
        new = ["}\n", "x\n", "{\n"] * 1700
    added, removed = diff_stat("".join(old), "".join(new))
    assert added - removed == len(new) - len(old)
    assert len(diff_lines("".join(old), "".join(new), path="x.py", width=80, max_lines=50)) <= 50


WIDE = 140


@given(texts, texts, st.sampled_from([140, 171]), st.sampled_from([None, 1, 5]))
@settings(max_examples=60, deadline=None)
def test_side_by_side_every_line_is_as_wide_as_the_screen(old: str, new: str, width: int, limit: int | None) -> None:
    lines = diff_lines(old, new, path="x.py", width=width, max_lines=limit)
    assert limit is None or len(lines) <= limit
    for line in lines:
        assert line_width(line) == width or plain(line).startswith(("⋯", "…")) or not (old and new)
    if limit is None and old and new:
        signs = [style.split()[0] for line in lines for text, style in line if text in ("+ ", "- ")]
        assert (signs.count("added.sign"), signs.count("removed.sign")) == diff_stat(old, new)


def test_old_and_new_stand_side_by_side_on_a_wide_screen() -> None:
    lines = diff_lines("a\nb\nc\nd\n", "a\nbe\nc\n", path="x.txt", width=WIDE)
    panes = [plain(line).split("│") for line in lines]
    assert [(left.rstrip(), right.rstrip()) for left, right in panes] == [
        ("1   a", "1   a"),
        ("2 - b", "2 + be"),
        ("3   c", "3   c"),
        ("4 - d", ""),
    ]
    assert plain_text([(line, 0, WIDE) for line in lines]) == "a\nbe\nc"
    assert "│" not in draw("", "new\n", width=WIDE)[0]
    long = diff_lines("x" * 100 + "\n", "y" * 200 + "\n", path="x.txt", width=WIDE)
    assert plain_text([(line, 0, WIDE) for line in long]) == "y" * 200


def test_a_huge_change_is_cut_with_a_remark() -> None:
    old = "".join(f"old {number}\n" for number in range(10_000))
    lines = change_lines(FileDiff(path="x.py", old=old, new=old.replace("old", "new")), 100)
    assert len(lines) == MAX_DIFF_LINES
    assert plain(lines[-1]) == f"… {20_000 - MAX_DIFF_LINES + 1} more lines"


def test_a_file_that_was_emptied_says_so() -> None:
    assert plain(change_lines(FileDiff(path="x", old="a\n", new=""), 40)[0]) == "⋯ nothing is left of it"
