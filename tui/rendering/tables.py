"""Tables: box-drawn when they fit, as records of `name: value` lines when they do not.

Takes cells as spans, returns lines; columns shrink and cells wrap before anything is given up.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, line_width, plain, wrap

Cell = Sequence[Span]

DIVIDER = "decor.divider"
"""A style word of the border between two cells."""
ROW_GOES_ON = "decor.more"
"""A style word of the first border where the cells go on those of the line above."""
_BORDER = "table.border"
# A column narrower than this shows fragments, not words.
_MIN_COLUMN = 5
_WORD = 14
_SAMPLE_ROWS = 40
_SAMPLE_CHARACTERS = 4_000


class TableLayout(NamedTuple):
    """How wide the columns are; none if they do not fit and rows become records."""

    widths: tuple[int, ...] | None
    separated: bool
    """Whether a rule stands between all rows."""


def sample_size(lengths: Sequence[int]) -> int:
    """How many of the first rows decide on the layout, by the lengths of their sources."""
    total = 0
    for number, length in enumerate(lengths):
        if number == _SAMPLE_ROWS or total > _SAMPLE_CHARACTERS:
            return number
        total += length
    return len(lengths)


def table_layout(header: Sequence[Cell], rows: Sequence[Sequence[Cell]], sample: int, width: int) -> TableLayout:
    """The layout of a table; rows behind the sample have no say, so that a long table can be drawn while it arrives."""
    columns = len(header)
    seen = [header, *rows[:sample]]
    widths = _fit(seen, width - 3 * columns - 1, is_long=len(rows) > sample) if columns else None
    if widths is None:
        return TableLayout(None, False)
    # Once a row takes several lines, a reader needs to see where it ends.
    separated = any(line_width(cell) > size for row in seen[1:] for cell, size in zip(row, widths, strict=True))
    return TableLayout(tuple(widths), separated)


def whole_table(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], aligns: Sequence[str], width: int, layout: TableLayout
) -> list[Line]:
    """The lines of a table; `aligns` holds "left", "center", "right" or "" for every column."""
    widths = layout.widths
    if widths is None:
        return _records(header, rows, width)
    lines = [_rule("┌", "┬", "┐", widths), *_row(header, widths, aligns)]
    if rows and not layout.separated:
        lines.append(_rule("├", "┼", "┤", widths))
    return lines + continue_table(header, rows, aligns, width, layout)


def continue_table(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], aligns: Sequence[str], width: int, layout: TableLayout
) -> list[Line]:
    """The lines of the rows that follow on rows which were drawn before, and the end of the table."""
    widths = layout.widths
    if widths is None:
        return [line for row in rows for line in ((), *_record(header, row, width))]
    lines: list[Line] = []
    for row in rows:
        if layout.separated:
            lines.append(_rule("├", "┼", "┤", widths))
        lines.extend(_row(row, widths, aligns))
    lines.append(_rule("└", "┴", "┘", widths))
    return lines


def _fit(rows: Sequence[Sequence[Cell]], room: int, *, is_long: bool) -> list[int] | None:
    """Column widths that fit the room, or none if a column would become too narrow to read."""
    columns = list(zip(*rows, strict=True))
    natural = [max(1, *(line_width(cell) for cell in column)) for column in columns]
    if sum(natural) <= room:
        # The cells of a long table that nobody has seen yet may be wider.
        return _shrink([size + max(2, size // 4) for size in natural], natural, room) if is_long else natural
    words = [max(_MIN_COLUMN, _longest_word(column)) for column in columns]
    for wanted in (words, [_MIN_COLUMN] * len(columns)):
        floors = [min(size, floor) for size, floor in zip(natural, wanted, strict=True)]
        if sum(floors) <= room:
            return _shrink(natural, floors, room)
    return None


def _longest_word(column: Sequence[Cell]) -> int:
    """Columns of the longest word; what is longer than a usual word may be broken."""
    words = [word for cell in column for word in plain(cell).split()]
    return min(_WORD, max((line_width(((word, ""),)) for word in words), default=1))


def _shrink(natural: list[int], floors: list[int], room: int) -> list[int]:
    """Cap all columns at the greatest common width that fits, then hand out what is left."""
    low, high = 1, max(natural)
    while low < high:
        cap = (low + high + 1) // 2
        if sum(max(floor, min(size, cap)) for size, floor in zip(natural, floors, strict=True)) <= room:
            low = cap
        else:
            high = cap - 1
    widths = [max(floor, min(size, low)) for size, floor in zip(natural, floors, strict=True)]
    spare = room - sum(widths)
    for index, size in enumerate(natural):
        if spare > 0 and widths[index] < size:
            widths[index] += 1
            spare -= 1
    return widths


def _rule(left: str, middle: str, right: str, widths: Sequence[int]) -> Line:
    return ((left + middle.join("─" * (width + 2) for width in widths) + right, f"{_BORDER} {DECOR_ROW}"),)


def _row(cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[str]) -> list[Line]:
    wrapped = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines: list[Line] = []
    for number in range(max(len(cell) for cell in wrapped)):
        spans: list[Span] = []
        lead, style = "│ ", f"{_BORDER} {ROW_GOES_ON if number else DECOR}"
        for cell, width, align in zip(wrapped, widths, aligns, strict=True):
            line = cell[number] if number < len(cell) else ()
            spare = width - line_width(line)
            before = spare if align == "right" else spare // 2 if align == "center" else 0
            spans += [(lead + " " * before, style), *line]
            lead, style = " " * (spare - before) + " │ ", f"{_BORDER} {DIVIDER}"
        lines.append((*spans, (lead[:-1], f"{_BORDER} {DECOR}")))
    return lines


def _records(header: Sequence[Cell], rows: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    """Every row as lines of `name: value`, for a screen too narrow for a table."""
    if not rows:
        return wrap([span for cell in header for span in (*cell, (" ", "text"))], width)
    lines = _record(header, rows[0], width)
    for row in rows[1:]:
        lines += [(), *_record(header, row, width)]
    return lines


def _record(header: Sequence[Cell], row: Sequence[Cell], width: int) -> list[Line]:
    lines: list[Line] = []
    for name, value in zip(header, row, strict=True):
        lines.extend(wrap([*name, (": ", _BORDER), *value], width, rest_prefix=(("  ", "text"),)))
    return lines
