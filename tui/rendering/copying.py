"""Rows of the screen back to text: what a selection with the mouse copies.

Takes lines as they were drawn and leaves out what is decoration, by the style words that `tui.rendering.line` defines:
wrapped rows are put together again, bullets and boxes become those of Markdown. It finds no rows and copies nothing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tui.rendering.line import DECOR, DECOR_ROW, GLUED, JOINED, Line, Span, cell_len, graphemes
from tui.rendering.tables import DIVIDER, ROW_GOES_ON

_MARKS = (("•", "-"), ("◦", "-"), ("☐", "[ ]"), ("☑", "[x]"))


class _Row(NamedTuple):
    """The text of a row by cells (one where there is no table), and how each goes on the cell above it."""

    cells: tuple[str, ...]
    joints: tuple[str | None, ...]
    goes_on: bool


def plain_text(rows: Sequence[tuple[Line, int, int]]) -> str:
    """The text of parts of rows; each is a line, its first selected column and the column behind the last, in cells."""
    texts: list[list[str]] = []
    for line, first, end in rows:
        if any(DECOR_ROW in style.split() for _, style in line):
            continue
        row = _table_row(line, first, end) if _is_table_row(line) else _text_row(line, first, end)
        if row.goes_on and texts and len(texts[-1]) == len(row.cells):
            texts[-1] = [
                above + (joint or "") + cell if cell else above
                for above, joint, cell in zip(texts[-1], row.joints, row.cells, strict=True)
            ]
        else:
            texts.append(list(row.cells))
    return "\n".join(" | ".join(cell.rstrip() for cell in cells).rstrip() for cells in texts)


def _is_table_row(line: Line) -> bool:
    return any(DIVIDER in style.split() for _, style in line)


def _text_row(line: Line, first: int, end: int) -> _Row:
    words = [style.split() for _, style in line]
    # What stands before the text of a row that goes on another is there to align it.
    start = next((index for index, found in enumerate(words) if JOINED in found or GLUED in found), 0)
    goes_on = bool(line) and (JOINED in words[start] or GLUED in words[start])
    joint = " " if goes_on and JOINED in words[start] else ""
    marks = [index for index, found in enumerate(words) if any(word.startswith("list.mark") for word in found)]
    text = ""
    for index, (part, _) in enumerate(_clipped(line, first, end)):
        if index < start or DECOR in words[index]:
            continue
        if "list.indent" in words[index] and (not marks or index > marks[-1]):
            continue
        text += _marked(part) if index in marks else "---" if "rule" in words[index] and part else part
    return _Row((text,), (joint,), goes_on)


def _table_row(line: Line, first: int, end: int) -> _Row:
    cells, joints = [""], [""]
    goes_on = False
    for part, style in _clipped(line, first, end):
        words = style.split()
        if DIVIDER in words:
            cells.append("")
            joints.append("")
        elif ROW_GOES_ON in words:
            goes_on = True
        elif DECOR not in words:
            if JOINED in words:
                joints[-1] = " "
            cells[-1] += part
    return _Row(tuple(cells), tuple(joints), goes_on)


def _marked(mark: str) -> str:
    """The mark of a list item as Markdown writes it."""
    for sign, written in _MARKS:
        if mark.startswith(sign) and written.startswith("["):
            written = f"- {written}"
        mark = mark.replace(sign, written)
    return mark


def _clipped(line: Line, first: int, end: int) -> Iterator[Span]:
    """The spans with the text that stands in the columns first..end; a cluster belongs to its first column."""
    column = 0
    for text, style in line:
        width = cell_len(text)
        if first <= column and column + width <= end:
            yield text, style
        elif column + width <= first or column >= end:
            yield "", style
        else:
            yield _clipped_text(text, first - column, end - column), style
        column += width


def _clipped_text(text: str, first: int, end: int) -> str:
    kept = ""
    column = 0
    for cluster in graphemes(text):
        if first <= column < end:
            kept += cluster
        column += cell_len(cluster)
    return kept
