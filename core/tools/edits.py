"""Exact replacements in a text, and help for the model when one does not match."""

from __future__ import annotations

import difflib

from core.tools.base import ToolError

CANDIDATES = 3
MAX_SCANNED_LINES = 20_000
MIN_SIMILARITY = 0.6


def replace(text: str, old: str, new: str, *, replace_all: bool, where: str) -> tuple[str, int]:
    """The text with ``old`` replaced, and how often. Raises ``ToolError`` where that is not possible or not clear."""
    if not old:
        raise ToolError("old_string is empty.", "Use Write to create a file.")
    if old == new:
        raise ToolError("old_string and new_string are the same: nothing to change.")
    count = text.count(old)
    if count == 0 and "\r\n" in old:
        return replace(text, old.replace("\r\n", "\n"), new.replace("\r\n", "\n"), replace_all=replace_all, where=where)
    if count == 0:
        raise ToolError(f"old_string was not found in {where}.", _nearest(text, old))
    if count > 1 and not replace_all:
        lines = ", ".join(str(line) for line in _match_lines(text, old)[:10])
        raise ToolError(
            f"old_string is found {count} times in {where} (lines {lines}).",
            "Give more of the surrounding text so that it is unique, or set replace_all.",
        )
    return text.replace(old, new), count


def _match_lines(text: str, old: str) -> list[int]:
    lines: list[int] = []
    at = text.find(old)
    while at >= 0:
        lines.append(text.count("\n", 0, at) + 1)
        at = text.find(old, at + len(old))
    return lines


def _nearest(text: str, old: str) -> str:
    """The places that look most like ``old``, with their lines as they really are."""
    lines = text.split("\n")[:MAX_SCANNED_LINES]
    wanted = old.strip("\n").split("\n")
    first = max(wanted, key=lambda line: len(line.strip())).strip()
    if not first:
        return ""
    inside = wanted.index(next(line for line in wanted if line.strip() == first))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(first)
    scored: list[tuple[float, int]] = []
    for number, line in enumerate(lines):
        matcher.set_seq1(line.strip())
        if matcher.real_quick_ratio() > MIN_SIMILARITY and matcher.quick_ratio() > MIN_SIMILARITY:
            ratio = matcher.ratio()
            if ratio > MIN_SIMILARITY:
                scored.append((ratio, number))
    if not scored:
        return "Nothing in the file looks like it. Read the file again."
    best = sorted(scored, key=lambda item: (-item[0], item[1]))[:CANDIDATES]
    blocks: list[str] = []
    for _ratio, number in best:
        start = max(0, number - inside)
        chunk = lines[start : start + max(1, min(len(wanted), 12))]
        blocks.append("\n".join(f"{start + i + 1:6}\t{line}" for i, line in enumerate(chunk)))
    return "The nearest in the file:\n" + "\n  …\n".join(blocks)
