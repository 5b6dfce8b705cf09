"""What is selected in the conversation, and the text of it: what was written, not how it was drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.rendering.copying import plain_text
from tui.rendering.line import Line, graphemes, line_width, plain
from tui.rendering.line import cell_len as width_of
from tui.widgets.transcript.layout import Layout

# What a double click takes as one word: paths, addresses and identifiers in one piece.
_WORD = re.compile(r"[\w./~:@%+#?=&$-]+")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A cell of the conversation: block, row in it with its margin, column."""

    at: int
    row: int
    column: int

    def shifted(self, gone: int) -> Point:
        """The same cell after another block was taken away."""
        return Point(self.at - (self.at > gone), self.row, self.column)


@dataclass(frozen=True, slots=True)
class Selection:
    """From one cell to another; the cell of the end is not in it."""

    first: Point
    last: Point

    @classmethod
    def between(cls, anchor: Point, head: Point) -> Selection:
        """Whatever the order in which they were touched; the cell under the mouse is in it."""
        first, last = sorted((anchor, head))
        return cls(first, Point(last.at, last.row, last.column + 1))

    def columns(self, at: int, row: int, width: int) -> tuple[int, int] | None:
        """The selected columns of a row; None where there are none."""
        place = (at, row)
        if not (self.first.at, self.first.row) <= place <= (self.last.at, self.last.row):
            return None
        start = self.first.column if place == (self.first.at, self.first.row) else 0
        end = self.last.column if place == (self.last.at, self.last.row) else width
        return (start, min(end, width)) if start < min(end, width) else None

    def without(self, at: int) -> Selection | None:
        """The same selection after a block was taken away; None where it began or ended in that block."""
        if at in (self.first.at, self.last.at):
            return None
        return Selection(self.first.shifted(at), self.last.shifted(at))


def whole_cells(line: Line, start: int, end: int) -> tuple[int, int]:
    """The columns widened so that no wide character is torn apart."""
    column, first, last = 0, start, end
    for text, _ in line:
        if text.isascii():
            column += len(text)
            continue
        for cluster in graphemes(text):
            behind = column + width_of(cluster)
            if column < start < behind:
                first = column
            if column < end < behind:
                last = behind
            column = behind
    return first, last


def word_at(line: Line, column: int) -> tuple[int, int]:
    """The columns of the word at a column; of the one character there where it is no word."""
    text = plain(line)
    for match in _WORD.finditer(text):
        start = width_of(text[: match.start()])
        end = start + width_of(match[0])
        if start <= column < end:
            return start, end
    used = 0
    for cluster in graphemes(text):
        if used <= column < used + width_of(cluster):
            return used, used + width_of(cluster)
        used += width_of(cluster)
    return column, column


def selected_text(layout: Layout, selection: Selection) -> str:
    """Blocks that are selected as a whole and not folded give their source, the others what is read in the part."""
    pieces: list[str] = []
    for at in range(selection.first.at, min(selection.last.at + 1, len(layout))):
        piece = _piece(layout, selection, at)
        if piece:
            pieces.append(piece if not pieces else ("\n\n" if layout[at].block.margin else "\n") + piece)
    return "".join(pieces)


def _piece(layout: Layout, selection: Selection, at: int) -> str:
    block = layout[at].block
    # What is folded away was not seen, and nobody meant to take it.
    hides = block.is_foldable and block.folded
    if selection.first.at < at < selection.last.at and not hides:
        return block.source
    lines = layout.lines(at)
    margin = block.margin if lines else 0
    rows: list[tuple[Line, int, int]] = []
    is_whole = True
    for number, line in enumerate(lines):
        columns = selection.columns(at, number + margin, layout.width)
        is_whole = is_whole and columns is not None and columns[0] <= _indent(line) and columns[1] >= line_width(line)
        if columns is not None:
            rows.append((line, *whole_cells(line, *columns)))
        elif rows and number + margin <= selection.last.row:
            rows.append((line, 0, 0))
    return block.source if is_whole and not hides and len(lines) > 1 and block.source else plain_text(rows)


def _indent(line: Line) -> int:
    text = plain(line)
    return len(text) - len(text.lstrip())
