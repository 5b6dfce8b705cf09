"""Finds what changed between two texts, line by line and word by word, in bounded time.

Lines that occur once on both sides anchor the comparison; only the short stretches between anchors are compared in
full. So an edit in a long file is found at once, and two files with nothing in common cost little more. No drawing.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

# Two stretches without an anchor are compared in full up to this product of their lengths.
_FULL = 40_000
_MAX_WORD_LINE = 600
_ALIKE = 0.4
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


class Edit(NamedTuple):
    """Lines old..old_end were replaced by lines new..new_end; counted from 0, ends exclusive."""

    old: int
    old_end: int
    new: int
    new_end: int


def split_lines(text: str) -> list[str]:
    """Lines with their "\\n"; a last line without one stays without."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def compare_lines(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """The edits that turn one list of lines into the other, in order."""
    edits: list[Edit] = []
    todo = [Edit(0, len(old), 0, len(new))]
    while todo:
        found = _trimmed(old, new, todo.pop())
        if found.old == found.old_end and found.new == found.new_end:
            continue
        if found.old == found.old_end or found.new == found.new_end:
            edits.append(found)
            continue
        parts = _between_anchors(old, new, found)
        if parts:
            todo.extend(reversed(parts))
        else:
            edits.extend(_in_full(old, new, found))
    return edits


def compare_words(old: str, new: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The changed character ranges of two versions of a line; none if they have little in common."""
    if old == new or max(len(old), len(new)) > _MAX_WORD_LINE:
        return [], []
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    blocks = matcher.get_matching_blocks()
    same = sum(len(word) for block in blocks for word in before[block.a : block.a + block.size] if not word.isspace())
    letters = sum(len(word) for word in before + after if not word.isspace())
    if 2 * same < _ALIKE * letters:
        return [], []
    kept_old = [(block.a, block.a + block.size) for block in blocks]
    kept_new = [(block.b, block.b + block.size) for block in blocks]
    return _gaps(before, kept_old), _gaps(after, kept_new)


def _gaps(words: list[str], kept: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The character ranges of the words that are in no kept range."""
    offsets = [0]
    for word in words:
        offsets.append(offsets[-1] + len(word))
    gaps: list[tuple[int, int]] = []
    position = 0
    for start, end in kept:
        if start > position:
            gaps.append((offsets[position], offsets[start]))
        position = end
    return gaps


def _trimmed(old: Sequence[str], new: Sequence[str], part: Edit) -> Edit:
    """Take equal lines off both ends."""
    start_old, end_old, start_new, end_new = part
    while start_old < end_old and start_new < end_new and old[start_old] == new[start_new]:
        start_old += 1
        start_new += 1
    while start_old < end_old and start_new < end_new and old[end_old - 1] == new[end_new - 1]:
        end_old -= 1
        end_new -= 1
    return Edit(start_old, end_old, start_new, end_new)


def _between_anchors(old: Sequence[str], new: Sequence[str], part: Edit) -> list[Edit]:
    """Split a stretch at the lines that are unique on both sides and keep their order; empty if there are none."""
    where_old = _unique(old, part.old, part.old_end)
    where_new = _unique(new, part.new, part.new_end)
    pairs = [(position, where_new[line]) for line, position in where_old.items() if line in where_new]
    parts: list[Edit] = []
    last_old, last_new = part.old, part.new
    for anchor_old, anchor_new in _increasing(sorted(pairs)):
        parts.append(Edit(last_old, anchor_old, last_new, anchor_new))
        last_old, last_new = anchor_old + 1, anchor_new + 1
    if parts:
        parts.append(Edit(last_old, part.old_end, last_new, part.new_end))
    return parts


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Positions of the lines that occur once."""
    seen: dict[str, int] = {}
    for position in range(start, end):
        seen[lines[position]] = -1 if lines[position] in seen else position
    return {line: position for line, position in seen.items() if position >= 0}


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that rises on both sides; the input rises on the first."""
    tails: list[int] = []  # The smallest end of a run of each length, and which pair that is.
    tail_pairs: list[int] = []
    before: list[int] = []
    for index, (_, value) in enumerate(pairs):
        place = bisect_left(tails, value)
        before.append(tail_pairs[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        tail_pairs[place : place + 1] = [index]
    run: list[tuple[int, int]] = []
    index = tail_pairs[-1] if tail_pairs else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _in_full(old: Sequence[str], new: Sequence[str], part: Edit) -> list[Edit]:
    if (part.old_end - part.old) * (part.new_end - part.new) > _FULL:
        return [part]
    matcher = SequenceMatcher(None, old[part.old : part.old_end], new[part.new : part.new_end], autojunk=False)
    return [
        Edit(part.old + a, part.old + a_end, part.new + b, part.new + b_end)
        for kind, a, a_end, b, b_end in matcher.get_opcodes()
        if kind != "equal"
    ]
