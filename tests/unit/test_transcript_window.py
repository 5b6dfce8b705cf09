"""The windowed conversation without a screen: heights, layout, viewport. Laws first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from tui.rendering.line import Line, plain
from tui.rendering.palette import Palette
from tui.widgets.transcript.blocks import Block
from tui.widgets.transcript.drawing import Pencil
from tui.widgets.transcript.heights import HeightIndex
from tui.widgets.transcript.layout import Layout
from tui.widgets.transcript.search import Search
from tui.widgets.transcript.selection import whole_cells
from tui.widgets.transcript.viewport import Viewport


class Stack(Block):
    """A block of numbered lines; the narrower, the more of them. Counts how often it is rendered."""

    def __init__(self, block_id: str, size: int, margin: int = 1) -> None:
        super().__init__(block_id)
        self.size = size
        self.margin = margin
        self.rendered = 0
        self.folded = False

    @property
    def is_foldable(self) -> bool:
        return True

    def lines(self, width: int) -> list[Line]:
        self.rendered += 1
        count = 1 if self.folded else self.size * max(1, 80 // width)
        return [((f"{self.id}:{number}", "text"),) for number in range(count)] if self.size else []


class Preview(Block):
    """Shows its first line and what is said of it while folded, six lines with hits in two of them otherwise."""

    def __init__(self, block_id: str, source: str = "hit one\n\n\n\n\nhit two") -> None:
        super().__init__(block_id)
        self._source = source

    @property
    def is_foldable(self) -> bool:
        return True

    @property
    def source(self) -> str:
        return self._source

    def lines(self, width: int) -> list[Line]:
        rows = self._source.replace("hit hidden", "hit\nhidden").split("\n")
        return [((row, "text"),) for row in (rows[:1] if self.folded else rows)]


def window(sizes: list[int], height: int = 10, width: int = 80) -> tuple[Layout, Viewport]:
    layout = Layout()
    for number, size in enumerate(sizes):
        layout.append(Stack(f"b{number}", size, margin=number % 2))
    viewport = Viewport(layout)
    viewport.resize(width, height)
    return layout, viewport


def texts(layout: Layout, viewport: Viewport) -> list[str]:
    """What stands in the rows; empty for a margin."""
    shown: list[str] = []
    for at, row in viewport.rows:
        number = row - layout[at].block.margin
        shown.append(plain(layout.lines(at)[number]) if number >= 0 else "")
    return shown


def everything(layout: Layout) -> list[str]:
    """The rows of the whole conversation."""
    rows: list[str] = []
    for entry in layout:
        lines = entry.block.lines(layout.width)
        rows += [""] * (entry.block.margin if lines else 0) + [plain(line) for line in lines]
    return rows


heights = st.lists(st.integers(0, 9), max_size=60)
sizes = st.lists(st.integers(0, 12), min_size=1, max_size=40)


@given(heights, st.lists(st.tuples(st.integers(0, 100), st.integers(0, 9)), max_size=20), st.integers(-3, 400))
def test_an_index_agrees_with_a_plain_list(given_heights: list[int], changes: list[tuple[int, int]], line: int) -> None:
    index, plain_list = HeightIndex(), list[int]()
    for height in given_heights:
        index.append(height)
        plain_list.append(height)
    for at, height in changes:
        if plain_list and height == 9:
            del plain_list[at % len(plain_list)]
            index.remove(at % (len(plain_list) + 1))
        elif plain_list:
            plain_list[at % len(plain_list)] = height
            index.set(at % len(plain_list), height)
    assert [index[at] for at in range(len(index))] == plain_list
    assert [index.top(at) for at in range(len(index) + 1)] == [sum(plain_list[:at]) for at in range(len(index) + 1)]
    at, row = index.find(line)
    if 0 <= line < index.total:
        assert index.top(at) + row == line
        assert 0 <= row < index[at]
    elif line >= index.total:
        assert (at, row) == (len(index), 0)


@given(sizes, st.lists(st.integers(-40, 40), max_size=12), st.integers(1, 20))
def test_rows_are_a_piece_of_the_whole_wherever_one_scrolls(
    given_sizes: list[int], moves: list[int], height: int
) -> None:
    layout, viewport = window(given_sizes, height)
    for lines in moves:
        viewport.move(lines)
        shown, whole = texts(layout, viewport), everything(layout)
        assert len(shown) == min(height, len(whole))
        assert any(whole[start : start + len(shown)] == shown for start in range(len(whole) - len(shown) + 1))
        if viewport.following:
            assert shown == whole[len(whole) - len(shown) :]


@given(sizes, st.integers(1, 60), st.integers(1, 60))
def test_moving_down_and_up_again_comes_back(given_sizes: list[int], away: int, height: int) -> None:
    layout, viewport = window(given_sizes, height)
    viewport.go_to_end(-1)
    whole = everything(layout)
    room = len(whole) - len(viewport.rows)
    first = texts(layout, viewport)
    viewport.move(min(away, room))
    assert texts(layout, viewport) == whole[min(away, room) :][: len(first)]
    viewport.move(-min(away, room))
    assert texts(layout, viewport) == first


@given(sizes, st.integers(1, 80), st.data())
def test_nothing_that_happens_moves_a_reader_who_has_scrolled_up(
    given_sizes: list[int], back: int, data: st.DataObject
) -> None:
    layout, viewport = window(given_sizes)
    viewport.move(-back)
    if viewport.following:
        return
    before, first = texts(layout, viewport), viewport.top[0]
    for number in range(data.draw(st.integers(1, 5))):
        layout.append(Stack(f"new{number}", data.draw(st.integers(0, 9))))
        changed = data.draw(st.integers(0, max(0, first - 1)))
        block = layout[changed].block
        assert isinstance(block, Stack)
        if changed < first:
            block.size = data.draw(st.integers(0, 20))
            block.touch()
            layout.measure(changed)
        viewport.settle()
        assert texts(layout, viewport) == before


@given(sizes, st.integers(0, 30))
@settings(max_examples=50)
def test_a_follower_always_sees_the_end(given_sizes: list[int], grown: int) -> None:
    layout, viewport = window(given_sizes)
    last = layout[len(layout) - 1].block
    assert isinstance(last, Stack)
    last.size += grown
    last.touch()
    viewport.settle()
    whole = everything(layout)
    assert viewport.following
    assert texts(layout, viewport) == whole[max(0, len(whole) - 10) :]


@given(sizes, st.integers(0, 39), st.integers(0, 11), st.integers(0, 4))
def test_what_is_revealed_is_in_view(given_sizes: list[int], at: int, row: int, margin: int) -> None:
    layout, viewport = window(given_sizes)
    at %= len(given_sizes)
    height = layout.measure(at)
    if not height:
        return
    viewport.reveal((at, row % height), margin=margin)
    assert (at, row % height) in viewport.rows


@given(sizes, st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
def test_what_was_put_first_is_first_in_a_window_of_any_height(
    given_sizes: list[int], at: int, height: int, later: int
) -> None:
    layout, view = window(given_sizes, height)
    place = (min(at, len(layout) - 1), 0)
    view.put_first(place)
    view.resize(80, later)
    _other, fresh = window(given_sizes, later)
    fresh.put_first(place)
    assert view.rows == fresh.rows


def test_only_what_is_in_view_is_rendered() -> None:
    layout, viewport = window([5] * 5_000)
    viewport.go_to_end(-1)
    viewport.go_to_end(1)
    viewport.go_to_line(9_000)
    viewport.resize(40, 12)
    rendered = sum(entry.block.rendered for entry in layout if isinstance(entry.block, Stack))
    assert rendered < 30


def test_lines_looked_at_long_ago_are_let_go_and_come_back() -> None:
    layout, viewport = window([20] * 300)
    layout_small = Layout(kept_lines=100)
    for entry in layout:
        layout_small.append(entry.block)
    viewport = Viewport(layout_small)
    viewport.resize(80, 10)
    viewport.go_to_end(-1)
    first = texts(layout_small, viewport)
    for _ in range(200):
        viewport.move(10)
    kept = sum(len(entry.lines) for entry in layout_small if entry.lines is not None)
    assert kept <= 100 + 20
    viewport.go_to_end(-1)
    assert texts(layout_small, viewport) == first


def test_folding_a_block_above_the_view_leaves_the_view_alone() -> None:
    layout, viewport = window([30, 30, 30, 30])
    viewport.go_to_end(-1)
    viewport.move(70)
    before = texts(layout, viewport)
    layout[0].block.toggle()
    layout.measure(0)
    viewport.settle()
    assert texts(layout, viewport) == before
    viewport.move(-50)
    assert len(texts(layout, viewport)) == 10


def test_a_block_that_goes_above_the_view_leaves_the_view_alone() -> None:
    layout, viewport = window([4] * 20)
    viewport.go_to_end(-1)
    viewport.move(30)
    before = texts(layout, viewport)
    layout.drop(1)
    viewport.drop(1)
    assert texts(layout, viewport) == before
    viewport.settle()
    assert texts(layout, viewport) == before


def test_a_block_that_goes_in_view_leaves_no_row_of_it() -> None:
    layout, viewport = window([4, 4, 4])
    layout.drop(2)
    viewport.drop(2)
    assert max(at for at, _ in viewport.rows) == 1
    viewport.settle()
    assert texts(layout, viewport)[-1] == "b1:3"


def test_large_blocks_in_view_are_not_let_go() -> None:
    layout = Layout(kept_lines=50)
    blocks = [Stack(f"b{number}", 60) for number in range(2)]
    for block in blocks:
        layout.append(block)
    viewport = Viewport(layout)
    viewport.resize(80, 20)
    viewport.go_to_end(-1)
    viewport.move(50)
    assert {at for at, _ in viewport.rows} == {0, 1}
    texts(layout, viewport)
    rendered = [block.rendered for block in blocks]
    for _ in range(3):
        viewport.move(1)
        texts(layout, viewport)
    assert [block.rendered for block in blocks] == rendered


def test_a_search_goes_to_hits_that_a_preview_leaves_out() -> None:
    layout = Layout()
    layout.append(Preview("b0"))
    layout.set_width(80)
    search = Search(layout, "hit")
    places = [search.step(1, (0, 0)) for _ in range(3)]
    assert places == [(0, 1), (0, 6), (0, 1)]


def test_a_search_that_unfolding_does_not_help_leaves_the_fold() -> None:
    layout = Layout()
    layout.append(Preview("b0", "hit hidden"))
    layout.set_width(80)
    search = Search(layout, "hidden")
    search.step(1, (0, 0))
    assert not layout[0].block.folded
    layout[0].block.toggle()
    search = Search(layout, "hit")
    search.step(1, (0, 0))
    assert layout[0].block.folded


@given(st.text("a漢 é👍", min_size=1, max_size=12), st.integers(0, 30), st.integers(0, 30))
def test_a_mark_never_tears_a_wide_character(text: str, start: int, end: int) -> None:
    line: Line = ((text, "text"),)
    pencil = Pencil(Palette({"text": "#aaaaaa", "selection": "on #003300"}), 40, Style.null())
    strip = pencil.with_ranges(pencil.row(line), [whole_cells(line, start, end)], "selection")
    assert strip.text == pencil.row(line).text
