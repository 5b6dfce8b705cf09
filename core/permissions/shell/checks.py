"""What the bare text of a shell line tells before anything is parsed: whether it can run, and what in it deceives.

Everything here looks at characters only. A parser may be led astray by exactly these, so none of it relies on one.
"""

from __future__ import annotations

import re
import unicodedata

MAX_READ = 10_000
"""Characters; nobody reads more of a command before answering."""

MAX_RUN = 131_071
"""Bytes; Linux starts no program with a longer argument (MAX_ARG_STRLEN less its end)."""

CONTINUATION = re.compile(r"\\\n")

CLEAN_CONTINUATION = re.compile(r"(?<=[ \t])\\\n")
"""After a blank, where it can only stand between two words; the line must hold more than that blank."""

LEADING_BACKSLASH = re.compile(r"^[ \t]*\\(?!\n)", re.MULTILINE)


def refusal_of(source: str) -> str:
    """Why the line cannot run at all; empty where it can."""
    if "\0" in source:
        return "it holds a NUL character, which no command can"
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        return "it holds half of a character (a lone surrogate)"
    return f"it is longer than the {MAX_RUN:,} bytes that a program can be started with" if size > MAX_RUN else ""


def doubts_of(source: str) -> tuple[str, ...]:
    """Why what is seen of the line may not be what runs, in words that a user reads."""
    doubts = [f"it is longer than {MAX_READ:,} characters"] if len(source) > MAX_READ else []
    if source.isascii():
        odd = {char for char in source if (char < " " or char == "\x7f") and char not in "\n\t"}
    else:
        odd = {char for char in source if is_odd(char)}
    if odd:
        doubts.append(
            f"it holds characters that do not show: {', '.join(f'U+{ord(char):04X}' for char in sorted(odd))}"
        )
    if "\\" in source:
        if any(not _is_clean_continuation(source, match.start()) for match in CONTINUATION.finditer(source)):
            doubts.append("a backslash at a line's end joins two lines into one word")
        if LEADING_BACKSLASH.search(source):
            doubts.append("a line begins with a backslash")
    return tuple(doubts)


def is_odd(char: str) -> bool:
    """Whether a character is invisible, turns the text around, or looks like a blank and is none."""
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return char not in "\n\t"
    return (
        category in ("Cf", "Cs", "Co") or (category == "Zs" and char != " ") or char in "\u115f\u1160\u3164\uffa0\u2800"
    )


def unfolded(source: str) -> tuple[str, ...]:
    """Other readings of a line that holds backslashes where parsers go wrong; rules look for commands in these too."""
    joined = CONTINUATION.sub("", source)
    readings = (joined, LEADING_BACKSLASH.sub("", source), LEADING_BACKSLASH.sub("", joined))
    return tuple(dict.fromkeys(reading for reading in readings if reading != source))


def _is_clean_continuation(source: str, at: int) -> bool:
    line = source[source.rfind("\n", 0, at) + 1 : at]
    return line.endswith((" ", "\t")) and bool(line.strip())
