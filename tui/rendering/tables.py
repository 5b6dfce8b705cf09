"""Tables: box-drawn when they fit, as records of `name: value` lines when they do not.

Takes cells as spans, returns lines; columns shrink and cells wrap before anything is given up.
"""

from collections.abc import Sequence

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


def render_table(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], aligns: Sequence[str], width: int
) -> list[Line]:
    """The lines of a table; `aligns` holds "left", "center", "right" or "" for every column."""
    columns = len(header)
    room = width - 3 * columns - 1
    widths = _fit([header, *rows], room) if columns else None
    if widths is None:
        return _records(header, rows, width)
    body = [_row(cells, widths, aligns) for cells in rows]
    lines = [_rule("┌", "┬", "┐", widths), *_row(header, widths, aligns)]
    middle = _rule("├", "┼", "┤", widths)
    # Once a row takes several lines, a reader needs to see where it ends.
    separated = any(len(row) > 1 for row in body)
    for number, row in enumerate(body):
        if number == 0 or separated:
            lines.append(middle)
        lines.extend(row)
    lines.append(_rule("└", "┴", "┘", widths))
    return lines


def _fit(rows: Sequence[Sequence[Cell]], room: int) -> list[int] | None:
    """Column widths that fit the room, or none if a column would become too narrow to read."""
    columns = list(zip(*rows, strict=True))
    natural = [max(1, *(line_width(cell) for cell in column)) for column in columns]
    if sum(natural) <= room:
        return natural
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
    lines: list[Line] = []
    for number, row in enumerate(rows):
        if number:
            lines.append(())
        for name, value in zip(header, row, strict=True):
            lines.extend(wrap([*name, (": ", _BORDER), *value], width, rest_prefix=(("  ", "text"),)))
    return lines
