"""The rows of a diff, before they are laid out: numbered, with syntax colours, changed words marked.

Takes two texts and gives hunks, takes a hunk and gives rows. What changed is found by `tui.rendering.compare`, where
rows stand on the screen is decided by `tui.rendering.diff`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from tui.rendering.compare import Edit, compare_words
from tui.rendering.highlight import PLAIN, highlight
from tui.rendering.line import DECOR, Line, Span
from tui.rendering.reveal import reveal
from tui.rendering.sanitize import clean

Sign = Literal[" ", "+", "-"]

SIDES = {" ": "diff.context", "+": "added", "-": "removed"}
"""The style that lies below the text of a row."""
_WORD = {"+": "added.word", "-": "removed.word"}
_NO_NEWLINE = "no newline at end of file"


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines with their signs; line numbers count from 1. A line may keep its "\\n"."""

    old_start: int
    new_start: int
    lines: tuple[tuple[Sign, str], ...]


class Row(NamedTuple):
    """A line of a diff; the number on the side where it does not stand is none."""

    sign: Sign
    old: int | None
    new: int | None
    spans: Line


def find_hunks(before: list[str], after: list[str], edits: list[Edit], context: int) -> list[Hunk]:
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


def rows_of(hunk: Hunk, language: str) -> Iterator[Row]:
    """The rows of a hunk: numbered, coloured, changed words marked."""
    shown, marked = _shown(hunk)
    coloured = _coloured(hunk, shown, language)
    old, new = hunk.old_start, hunk.new_start
    for (sign, text), line, words in zip(hunk.lines, coloured, marked, strict=True):
        spans = line if sign == " " else _emphasised(line, sign, words)
        if not text.endswith("\n") and sign != " " and _keeps_newlines(hunk):
            spans = (*spans, (f" ⟨{_NO_NEWLINE}⟩", f"{SIDES[sign]} diff.fold {DECOR}"))
        yield Row(sign, old if sign != "+" else None, new if sign != "-" else None, spans)
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
    side = SIDES[sign]
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
