"""Texts against patterns with ``*``, in linear time: both may come from somebody who wants the matching to hang."""

from __future__ import annotations

STAR = "*"


def star_match(pattern: str, text: str) -> bool:
    """Whether the pattern covers the whole text; ``*`` stands for anything, also for nothing."""
    first, *parts = pattern.split(STAR)
    if not parts:
        return first == text
    *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        # The first place that fits leaves the most room for the rest.
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
