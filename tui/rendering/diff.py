"""Diffs as styled lines: unified, or side by side where the screen is wide.

Takes two texts and returns lines for a width. Reads no files. The rows come from `tui.rendering.diff_rows`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tui.rendering.compare import compare_lines, split_lines
from tui.rendering.diff_rows import SIDES, Hunk, Row, Sign, find_hunks, rows_of
from tui.rendering.highlight import language_for_path
from tui.rendering.line import DECOR, DECOR_ROW, Line, pad, truncate, wrap

SIDE_BY_SIDE = 140
"""From this width on the old and the new text stand beside each other."""
_SIGN = {" ": "diff.context", "+": "added.sign", "-": "removed.sign"}
_MIN_TEXT = 10
_DIVIDER = "│"


def diff_lines(
    old: str, new: str, *, path: str, width: int, context: int = 3, max_lines: int | None = None
) -> list[Line]:
    """The changes between two texts; runs of unchanged lines are folded. Beyond `max_lines` it says what is missing."""
    before, after = split_lines(old), split_lines(new)
    hunks = find_hunks(before, after, compare_lines(before, after), context)
    # What is all new, or all gone, has nothing to stand beside.
    is_wide = width >= SIDE_BY_SIDE and bool(old) and bool(new)
    return _draw(hunks, path, width, max_lines, len(before), is_wide)


def _draw(hunks: Sequence[Hunk], path: str, width: int, max_lines: int | None, total: int, is_wide: bool) -> list[Line]:
    width = max(1, width)
    language = language_for_path(path)
    digits = len(str(max((_last_number(hunk) for hunk in hunks), default=1)))
    lines: list[Line] = []
    ends: list[int] = []  # The number of lines on the screen after each line of the diff.
    reached = 1  # The old line that would come next if nothing were left out.
    for hunk in hunks:
        lines += _fold(hunk.old_start - reached, width)
        rows = rows_of(_bounded(hunk, max_lines), language)
        for count, drawn in _side_by_side(rows, digits, width) if is_wide else _unified(rows, digits, width):
            lines += drawn
            ends += [len(lines)] * count
            if max_lines is not None and len(lines) > max_lines:
                break
        reached = hunk.old_start + sum(1 for sign, _ in hunk.lines if sign != "+")
        if max_lines is not None and len(lines) > max_lines:
            break
    else:
        if hunks:
            lines += _fold(total - reached + 1, width)
    if max_lines is None or len(lines) <= max_lines:
        return lines
    room = max(0, max_lines - 1)
    hidden = sum(len(hunk.lines) for hunk in hunks) - bisect_right(ends, room)
    return [*lines[:room], _note(f"… {_counted(hidden, 'more line')}", width)]


def _last_number(hunk: Hunk) -> int:
    return max(hunk.old_start, hunk.new_start) + len(hunk.lines)


def _fold(count: int, width: int) -> list[Line]:
    return [_note(f"⋯ {_counted(count, 'unchanged line')}", width)] if count > 0 else []


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _note(text: str, width: int) -> Line:
    return truncate(((text, f"diff.fold {DECOR_ROW}"),), width)


def _bounded(hunk: Hunk, limit: int | None) -> Hunk:
    """No more of a hunk than can be shown, and one line to tell that there is more; of each side that much."""
    if limit is None or len(hunk.lines) <= limit:
        return hunk
    kept: list[tuple[Sign, str]] = []
    counts = {" ": 0, "+": 0, "-": 0}
    for sign, text in hunk.lines:
        counts[sign] += 1
        if counts[sign] <= limit + 1:
            kept.append((sign, text))
    return replace(hunk, lines=tuple(kept))


def _unified(rows: Iterable[Row], digits: int, width: int) -> Iterator[tuple[int, list[Line]]]:
    for row in rows:
        yield 1, _draw_row(row, digits, width)


def _side_by_side(rows: Iterable[Row], digits: int, width: int) -> Iterator[tuple[int, list[Line]]]:
    """Pairs of rows, the old one at the left; how many lines of the diff each stands for, and what it looks like."""
    room = (width - 1) // 2
    for old, new in _paired(rows):
        before = [_decoration(line) for line in _pane(old, old.old if old else None, digits, room)]
        after = _pane(new, new.new if new else None, digits, width - 1 - room)
        drawn: list[Line] = []
        for number in range(max(len(before), len(after))):
            left = before[number] if number < len(before) else _nothing(old, room)
            right = after[number] if number < len(after) else _nothing(new, width - 1 - room)
            # Whoever copies a diff gets the new text.
            decor = DECOR if number < len(after) else DECOR_ROW
            drawn.append((*left, (_DIVIDER, f"faint {decor}"), *right))
        yield (1 if old is new or old is None or new is None else 2), drawn


def _paired(rows: Iterable[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Removed rows beside the added ones that took their place; an unchanged row stands on both sides."""
    removed: list[Row] = []
    added: list[Row] = []
    for row in (*rows, None):
        if row is not None and row.sign == "-" and not added:
            removed.append(row)
        elif row is not None and row.sign == "+":
            added.append(row)
        else:
            for number in range(max(len(removed), len(added))):
                yield (
                    removed[number] if number < len(removed) else None,
                    added[number] if number < len(added) else None,
                )
            removed, added = ([row] if row is not None and row.sign == "-" else []), []
            if row is not None and row.sign == " ":
                yield row, row


def _pane(row: Row | None, number: int | None, digits: int, width: int) -> list[Line]:
    if row is None:
        return []
    sign = f"{_SIGN[row.sign]} {DECOR}"
    first: Line = ((f"{number or '':>{digits}} ", f"diff.number {DECOR}"), (f"{row.sign} ", sign))
    rest: Line = ((" " * (digits + 1), f"diff.number {DECOR}"), ("↪ ", sign))
    lines = wrap(row.spans, width, first_prefix=first, rest_prefix=rest, words=False)
    return [pad(line, width, SIDES[row.sign]) for line in lines]


def _nothing(row: Row | None, width: int) -> Line:
    """The part of a pane that has no text, in the colour of the row that ends above it."""
    return ((" " * width, f"{SIDES[row.sign] if row else 'faint'} {DECOR}"),)


def _decoration(line: Line) -> Line:
    return tuple((text, f"{style.removesuffix(' glued')} {DECOR}") for text, style in line)


def _draw_row(row: Row, digits: int, width: int) -> list[Line]:
    """One line of a diff; what does not fit goes on below, beside an empty gutter."""
    side = SIDES[row.sign]
    numbers = f"{row.old or '':>{digits}} {row.new or '':>{digits}} "
    # Whoever copies a diff gets the new text.
    decor = DECOR_ROW if row.sign == "-" else DECOR
    sign = f"{_SIGN[row.sign]} {decor}"
    first: Line = ((numbers, f"diff.number {DECOR}"), (f"{row.sign} ", sign))
    rest: Line = ((" " * len(numbers), f"diff.number {DECOR}"), ("↪ ", sign))
    if width - len(numbers) - 2 < _MIN_TEXT:
        first, rest = first[1:], rest[1:]  # The sign matters more than the numbers.
    lines = wrap(row.spans, width, first_prefix=first, rest_prefix=rest, words=False)
    return lines if row.sign == " " else [pad(line, width, side) for line in lines]
