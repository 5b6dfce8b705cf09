"""Where vi's motions go in a text. Pure: text and offset in, offset out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

Kind = Literal["exclusive", "inclusive", "lines"]
FINDS = "fFtT"
MAX_COUNT = 9_999
OPPOSITE = {"f": "F", "F": "f", "t": "T", "T": "t"}


class Motion(NamedTuple):
    """Where it goes, and what an operator takes on the way."""

    target: int
    kind: Kind = "exclusive"


def line_start(text: str, at: int) -> int:
    """Offset of the first character of the line."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Offset of the line break, or of the end of the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def first_word(text: str, at: int) -> int:
    """Offset of the first character of the line that is no blank."""
    at, end = line_start(text, at), line_end(text, at)
    while at < end and text[at].isspace():
        at += 1
    return at


def down(text: str, at: int, count: int) -> int:
    """The same column so many lines below (above where negative), as far as there are any."""
    column = at - line_start(text, at)
    for _ in range(abs(count)):
        edge = line_end(text, at) if count > 0 else line_start(text, at) - 1
        if not 0 <= edge < len(text):
            break
        at = edge + 1 if count > 0 else line_start(text, edge)
    return min(line_start(text, at) + column, line_end(text, at))


def move(key: str, text: str, at: int, count: int | None) -> Motion | None:
    """The motion of one key; None for a key that is none."""
    times = count or 1
    match key:
        case "h" | "backspace":
            return Motion(max(line_start(text, at), at - times))
        case "l" | " ":
            return Motion(min(line_end(text, at), at + times))
        case "j":
            return Motion(down(text, at, times), "lines")
        case "k":
            return Motion(down(text, at, -times), "lines")
        case "0":
            return Motion(line_start(text, at))
        case "^":
            return Motion(first_word(text, at))
        case "$":
            end = line_end(text, down(text, line_start(text, at), times - 1))
            return Motion(max(line_start(text, end), end - 1), "inclusive")
        case "gg" | "G":
            last = text.count("\n")
            row = last if key == "G" and count is None else min(times - 1, last)
            return Motion(first_word(text, down(text, 0, row)), "lines")
        case "w":
            return Motion(_words(_next_word, text, at, times))
        case "b":
            return Motion(_words(_word_before, text, at, times))
        case "e":
            return Motion(_words(_word_end, text, at, times), "inclusive")
        case _:
            return None


def find(key: str, character: str, text: str, at: int, times: int) -> Motion | None:
    """``f F t T``: to or before a character of the line; None where it is not there so often."""
    start, end, step = line_start(text, at), line_end(text, at), 1 if key in "ft" else -1
    place = at
    for _ in range(times):
        place += step
        while start <= place < end and text[place] != character:
            place += step
        if not start <= place < end:
            return None
    if key in "tT":
        place -= step
    return Motion(place, "inclusive" if step > 0 else "exclusive")


def _words(step: Callable[[str, int], int], text: str, at: int, times: int) -> int:
    for _ in range(times):
        at = step(text, at)
    return at


def _class(character: str) -> int:
    """Blank, letter, or other: runs of one class are a word."""
    if character.isspace():
        return 0
    return 1 if character.isalnum() or character == "_" else 2


def _next_word(text: str, at: int) -> int:
    end = len(text)
    if at < end:
        kind = _class(text[at])
        while at < end and kind and _class(text[at]) == kind:
            at += 1
    while at < end and not _class(text[at]):
        at += 1
    return at


def _word_before(text: str, at: int) -> int:
    while at and not _class(text[at - 1]):
        at -= 1
    if at:
        kind = _class(text[at - 1])
        while at and _class(text[at - 1]) == kind:
            at -= 1
    return at


def _word_end(text: str, at: int) -> int:
    last = max(len(text) - 1, 0)
    at = min(at + 1, last)
    while at < last and not _class(text[at]):
        at += 1
    while at < last and _class(text[at + 1]) == _class(text[at]):
        at += 1
    return at


def split_count(keys: list[str]) -> tuple[int | None, list[str]]:
    """The number before a command, and the command."""
    digits = 0
    while digits < len(keys) and keys[digits] in "0123456789" and (digits or keys[digits] != "0"):
        digits += 1
    number = int("".join(keys[:digits])) if digits else None
    return (None if number is None else min(number, MAX_COUNT)), keys[digits:]
