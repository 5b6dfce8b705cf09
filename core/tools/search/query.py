"""What is searched for: a regular expression in the dialect that ripgrep and Python share."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

from core.tools.base import ToolError

TOKEN = re.compile(
    r"(?P<unicode>\\[pP](?:\{[^}]*\}|.))"
    r"|(?P<code>\\[xuU]\{(?P<hex>[0-9a-fA-F]+)\})"
    r"|(?P<escape>\\.)"
    r"|(?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])"
    r"|(?P<look>\(\?<?[=!]|\(\?>|\(\?P=)"
    r"|(?P<group>\(\?<(?=\w))"
    r"|(?P<repeat>\{\d+(?:,\d*)?\})"
    r"|(?P<brace>[{}])",
    re.DOTALL,
)

POSIX_SETS = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": r"0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search. ``pattern`` is as ripgrep takes it; ``before`` and ``after`` are lines of context. With ``names_only``
    the first match in a file is enough."""

    pattern: str
    ignore_case: bool = False
    multiline: bool = False
    before: int = 0
    after: int = 0
    names_only: bool = False


def checked_pattern(pattern: str, *, multiline: bool) -> str:
    """The pattern with braces that repeat nothing escaped, so that ``interface{}`` is found.

    Raises ``ToolError`` for what one of the engines does not know, and for a line break in a search by line.
    """

    def checked(token: re.Match[str]) -> str:
        if token["look"] or (token["escape"] and token["escape"][1] in "123456789"):
            raise invalid(pattern, "look-around and back-references are not supported")
        if token["escape"] == "\\n" and not multiline:
            raise invalid(pattern, "\\n matches only with multiline: true")
        return f"\\{token[0]}" if token["brace"] else token[0]

    if "\n" in pattern and not multiline:
        raise invalid(pattern, "a line break matches only with multiline: true")
    return TOKEN.sub(checked, pattern)


def python_regex(query: Query) -> re.Pattern[str]:
    """The query for Python's engine. Raises ``ToolError`` where it is no valid expression there."""

    def translated(token: re.Match[str]) -> str:
        if token["unicode"]:
            raise invalid(query.pattern, f"{token[0]} needs ripgrep, which is not installed")
        if token["code"]:
            return f"\\U{int(token['hex'], 16):08x}"
        if token["group"]:
            return "(?P<"
        if token["set"]:
            return _without_posix(token[0], query.pattern)
        return "\\Z" if token["escape"] == "\\z" else token[0]

    flags = re.MULTILINE
    if query.ignore_case:
        flags |= re.IGNORECASE
    if query.multiline:
        flags |= re.DOTALL
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(TOKEN.sub(translated, query.pattern), flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise invalid(query.pattern, str(error)) from error


def invalid(pattern: str, reason: str) -> ToolError:
    """The error for an expression that cannot be searched for."""
    return ToolError(f"Invalid regular expression {pattern!r}: {reason}.")


def _without_posix(characters: str, pattern: str) -> str:
    def expanded(name: re.Match[str]) -> str:
        if name[1] not in POSIX_SETS:
            raise invalid(pattern, f"unknown class {name[0]}")
        return POSIX_SETS[name[1]]

    return re.sub(r"\[:(\^?\w+):\]", expanded, characters)
