"""From lines of the conversation to the strips of rows: gutter, marks of selection and search, the pill."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.rendering.line import Line, cell_len
from tui.rendering.palette import Palette

GUTTER = 1
"""Columns at the left: the bar beside the block that has the focus."""
BAR = "▌"


class Pencil:
    """Draws rows of one width in the colours of one theme."""

    def __init__(self, palette: Palette, width: int, base: Style) -> None:
        self._palette = palette
        self.width = width
        self.base = base
        self.blank = Strip.blank(width, base)
        self._gutter = Segment(" " * GUTTER, base)
        self._bar = Segment(BAR, base + palette.style("accent"))

    def row(self, line: Line) -> Strip:
        """A line behind an empty gutter, as wide as the row."""
        strip = Strip([self._gutter, *self._palette.segments(line)])
        return strip.adjust_cell_length(self.width, self.base).apply_style(self.base)

    def with_bar(self, strip: Strip) -> Strip:
        """The row of the block that has the focus."""
        return Strip.join([Strip([self._bar], GUTTER), strip.crop(GUTTER)])

    def with_ranges(self, strip: Strip, ranges: Sequence[tuple[int, int]], style: str) -> Strip:
        """Mark columns of the line in a row; ranges ascend."""
        mark = self._palette.style(style)
        pieces: list[Strip] = []
        done = 0
        for start, end in ranges:
            start, end = max(start + GUTTER, done), min(end + GUTTER, self.width)
            if start < end:
                pieces += [strip.crop(done, start), _restyled(strip.crop(start, end), mark)]
                done = end
        return Strip.join([*pieces, strip.crop(done)])

    def centered(self, text: str, style: str) -> Strip:
        """A short text in the middle of a row of its own."""
        left = max(0, (self.width - cell_len(text)) // 2)
        return self.row(((" " * max(0, left - GUTTER), "text"), (text, style)))


def _restyled(strip: Strip, style: Style) -> Strip:
    """A mark wins over what is under it."""
    return Strip([Segment(text, (under or Style.null()) + style, control) for text, under, control in strip])
