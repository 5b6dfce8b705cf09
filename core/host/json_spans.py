"""Where the values of a JSON text stand, so that one can be changed and the rest stays byte for byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=True)


@dataclass(frozen=True, slots=True)
class Span:
    """A value in the text, and where what introduces it begins: its key, or itself in a list."""

    head: int
    start: int
    end: int


def members(text: str, at: int) -> dict[str, Span]:
    """The values of the object at ``at``, by key. The text must be valid JSON."""
    found: dict[str, Span] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        head = at
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)  # behind the colon
        end = _DECODER.raw_decode(text, start)[1]
        found[key] = Span(head, start, end)
        at = _next(text, end)
    return found


def elements(text: str, at: int) -> list[Span]:
    """The values of the list at ``at``, in order. The text must be valid JSON."""
    found: list[Span] = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        found.append(Span(at, at, end))
        at = _next(text, end)
    return found


def root(text: str) -> int:
    """Where the outermost value begins."""
    return _skip(text, 0)


def own_line(text: str, at: int) -> str | None:
    """The indentation of the line that begins with what is at ``at``; None where something stands before it."""
    before = text[text.rfind("\n", 0, at) + 1 : at]
    return before if not before.strip() and "\n" in text[:at] else None


def _next(text: str, at: int) -> int:
    """From the end of a value to the next one, or to the end of what holds it."""
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
