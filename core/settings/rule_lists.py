"""Takes apart the lists of permission rules of a command line."""

from __future__ import annotations

import re

_RULE = r"[^\s,()]+(?=[\s,(]|\Z)"
_START = re.compile(r"[\s,]*")
_NAME = re.compile(r"[^\s,(]+")
_FOLLOWS = re.compile(rf"[\s,]*\Z|[\s,]+{_RULE}")
"""What may come behind the parenthesis that closes a rule: nothing more, or another rule."""


def split_rules(text: str) -> tuple[str, ...]:
    """Rules separated by commas or blanks: ``Bash(git commit -m "a, b"), Edit``.

    What is in parentheses belongs to the rule, whatever it is: further ones, and quotes with any of them in it.
    """
    rules: list[str] = []
    at = _skip(text, 0)
    while at < len(text):
        name = _NAME.match(text, at)
        end = name.end() if name else at
        if text[end : end + 1] == "(":
            end = _closing(text, end, heeds_quotes=True) or _closing(text, end, heeds_quotes=False) or len(text)
        rules.append(text[at:end])
        at = _skip(text, end)
    return tuple(rules)


def _closing(text: str, at: int, *, heeds_quotes: bool) -> int | None:
    """Where the rule ends whose parenthesis opens at ``at``; None where nothing closes it."""
    depth, quote = 0, ""
    for place in range(at, len(text)):
        char = text[place]
        if quote:
            quote = "" if char == quote else quote
        elif heeds_quotes and char in "\"'":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(depth - 1, 0)
            if depth == 0 and _FOLLOWS.match(text, place + 1):
                return place + 1
    return None


def _skip(text: str, at: int) -> int:
    match = _START.match(text, at)
    return match.end() if match else at
