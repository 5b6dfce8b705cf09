"""Diffs as styled lines: line numbers, signs, syntax colours, changed words.

Takes two texts and returns lines for a width. Reads no files. The comparing itself is in `tui.rendering.compare`.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

from tui.rendering.compare import Edit, compare_lines, compare_words, split_lines
from tui.rendering.highlight import PLAIN, highlight, language_for_path
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, pad, truncate, wrap
from tui.rendering.reveal import reveal
from tui.rendering.sanitize import clean

Sign = Literal[" ", "+", "-"]

_SIDE = {" ": "diff.context", "+": "added", "-": "removed"}
_SIGN = {" ": "diff.context", "+": "added.sign", "-": "removed.sign"}
_WORD = {"+": "added.word", "-": "removed.word"}
_NO_NEWLINE = "no newline at end of file"
_MIN_TEXT = 10


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines with their signs; line numbers count from 1. A line may keep its "\\n"."""

    old_start: int
    new_start: int
    lines: tuple[tuple[Sign, str], ...]


class _Row(NamedTuple):
    sign: Sign
    old: int | None
    new: int | None
    spans: Line


def diff_lines(
    old: str, new: str, *, path: str, width: int, context: int = 3, max_lines: int | None = None
) -> list[Line]:
    """The changes between two texts as a unified view; runs of unchanged lines are folded."""
    before, after = split_lines(old), split_lines(new)
    hunks = _hunks(before, after, compare_lines(before, after), context)
    return _draw(hunks, path, width, max_lines, len(before))


def _hunks(before: list[str], after: list[str], edits: list[Edit], context: int) -> list[Hunk]:
    """Edits with the lines around them; neighbours whose lines touch become one hunk."""
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.old - groups[-1][-1].old_end <= 2 * context + 1:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    hunks: list[Hunk] = []
    for group in groups:
        start = max(0, group[0].old - context)
        lines: list[tuple[Sign, str]] = []
        position = start
        for edit in group:
            lines += _signed(" ", before[position : edit.old])
            lines += _signed("-", before[edit.old : edit.old_end])
            lines += _signed("+", after[edit.new : edit.new_end])
            position = edit.old_end
        lines += _signed(" ", before[position : position + context])
        hunks.append(Hunk(start + 1, group[0].new - (group[0].old - start) + 1, tuple(lines)))
    return hunks


def _signed(sign: Sign, lines: Sequence[str]) -> list[tuple[Sign, str]]:
    return [(sign, line) for line in lines]


def _draw(hunks: Sequence[Hunk], path: str, width: int, max_lines: int | None, total: int) -> list[Line]:
    width = max(1, width)
    language = language_for_path(path)
    digits = len(str(max((_last_number(hunk) for hunk in hunks), default=1)))
    lines: list[Line] = []
    ends: list[int] = []  # The number of lines after each row.
    reached = 1  # The old line that would come next if nothing were left out.
    for hunk in hunks:
        lines += _fold(hunk.old_start - reached, width)
        for row in _rows(replace(hunk, lines=hunk.lines[:max_lines]), language):  # No more than can be shown.
            lines += _draw_row(row, digits, width)
            ends.append(len(lines))
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
    return [*lines[:room], _note(f"⋯ {_counted(hidden, 'more line')}", width)]


def _last_number(hunk: Hunk) -> int:
    return max(hunk.old_start, hunk.new_start) + len(hunk.lines)


def _fold(count: int, width: int) -> list[Line]:
    return [_note(f"⋯ {_counted(count, 'unchanged line')}", width)] if count > 0 else []


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _note(text: str, width: int) -> Line:
    return truncate(((text, f"diff.fold {DECOR_ROW}"),), width)


def _draw_row(row: _Row, digits: int, width: int) -> list[Line]:
    """One line of a diff; what does not fit goes on below, beside an empty gutter."""
    side = _SIDE[row.sign]
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


def _rows(hunk: Hunk, language: str) -> Iterator[_Row]:
    """The rows of a hunk: numbered, coloured, changed words marked."""
    shown, marked = _shown(hunk)
    coloured = _coloured(hunk, shown, language)
    old, new = hunk.old_start, hunk.new_start
    for (sign, text), line, words in zip(hunk.lines, coloured, marked, strict=True):
        spans = line if sign == " " else _emphasised(line, sign, words)
        if not text.endswith("\n") and sign != " " and _keeps_newlines(hunk):
            spans = (*spans, (f" ⟨{_NO_NEWLINE}⟩", f"diff.fold {DECOR}"))
        yield _Row(sign, old if sign != "+" else None, new if sign != "-" else None, spans)
        old += sign != "+"
        new += sign != "-"


def _keeps_newlines(hunk: Hunk) -> bool:
    return any(text.endswith("\n") for _, text in hunk.lines)


def _shown(hunk: Hunk) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """What every line of a hunk looks like, and the ranges of its changed words."""
    shown = [clean(text.removesuffix("\n").removesuffix("\r")) for _, text in hunk.lines]
    marked: list[list[tuple[int, int]]] = [[] for _ in shown]
    for removed, added in _pairs(hunk.lines):
        if shown[removed] == shown[added]:
            # The change is in characters that are not drawn: line ends, tabs, invisible ones.
            shown[removed], shown[added] = (_laid_open(hunk.lines[index][1]) for index in (removed, added))
        marked[removed], marked[added] = compare_words(shown[removed], shown[added])
    return shown, marked


def _laid_open(text: str) -> str:
    return reveal(text.removesuffix("\n").replace("\t", "⇥   ").replace("\r", "␍"))


def _pairs(lines: Sequence[tuple[Sign, str]]) -> Iterator[tuple[int, int]]:
    """Indexes of removed lines and of the added lines that took their place."""
    index = 0
    while index < len(lines):
        start = index
        while index < len(lines) and lines[index][0] == "-":
            index += 1
        middle = index
        while index < len(lines) and lines[index][0] == "+":
            index += 1
        yield from zip(range(start, middle), range(middle, index), strict=False)
        if index == start:
            index += 1


def _coloured(hunk: Hunk, shown: list[str], language: str) -> list[Line]:
    """Syntax colours for every line; both sides are coloured as the texts they are parts of."""
    if not language:
        return [((text, PLAIN),) if text else () for text in shown]
    lines: list[Line] = [()] * len(shown)
    for skipped in ("+", "-"):
        chosen = [index for index, (sign, _) in enumerate(hunk.lines) if sign != skipped]
        code = highlight("\n".join(shown[index] for index in chosen) + "\n", language) if chosen else []
        for index, line in zip(chosen, code, strict=True):
            lines[index] = line
    return lines


def _emphasised(line: Line, sign: Sign, words: list[tuple[int, int]]) -> Line:
    """Lay a line over the colour of its side and mark its changed words."""
    side = _SIDE[sign]
    spans: list[Span] = []
    position = 0
    borders = sorted({border for word in words for border in word})
    for text, style in line:
        start, end = position, position + len(text)
        position = end
        for left, right in _between(start, end, borders):
            changed = any(word[0] <= left < word[1] for word in words)
            layers = f"{side} {style} {_WORD[sign]}" if changed else f"{side} {style}"
            spans.append((text[left - start : right - start], layers))
    return tuple(spans)


def _between(start: int, end: int, borders: list[int]) -> Iterator[tuple[int, int]]:
    edges = [start, *(border for border in borders if start < border < end), end]
    return pairwise(edges)
