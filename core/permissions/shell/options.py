"""Options of programs that run another one: where they end, and where the other one's words begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.permissions.shell.script import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What may stand between a program's name and the command that it runs."""

    flags: str = ""
    """Short options without a value, by letter."""
    valued: str = ""
    """Short options with one, attached or as the next word."""
    long_flags: frozenset[str] = frozenset()
    long_valued: frozenset[str] = frozenset()
    number: bool = False
    """Whether ``-5`` is an option."""
    operands: tuple[re.Pattern[str], ...] = field(default=())
    """Words of its own that come after the options, each matching all of its pattern."""
    assignments: bool = False
    """Whether ``NAME=value`` may come before the command."""


ANYTHING = re.compile(r".+", re.DOTALL)
DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[smhd]?")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def longs(*names: str) -> frozenset[str]:
    """Long options by name."""
    return frozenset(f"--{name}" for name in names)


def command_start(words: Sequence[Word], grammar: Grammar) -> int | None:
    """Where the command begins among the words of its wrapper, past their end where there is none; None: unknown."""
    at = options_end(words, grammar)
    if at is None:
        return None
    for pattern in grammar.operands:
        if at >= len(words):
            return at
        value = literal(words[at])
        if value is None or not pattern.fullmatch(value):
            return None
        at += 1
    while grammar.assignments and at < len(words) and ASSIGNMENT.fullmatch(words[at].source):
        at += 1
    return at


def options_end(words: Sequence[Word], grammar: Grammar) -> int | None:
    """Where the options end; None where one is not known."""
    at = 1
    while at < len(words):
        value = literal(words[at])
        if value is None:
            # Text that is not known may be an option, unless it is clear how it begins.
            return at if words[at].is_one and words[at].head and not words[at].head.startswith("-") else None
        if not value.startswith("-") or value == "-":
            return at
        at += 1
        if value == "--":
            return at
        taken = _taken(value, grammar)
        if taken is None:
            return None
        at += taken
    return len(words)


def literal(word: Word) -> str | None:
    """The word's text, where it is certainly that one word."""
    return word.value if word.is_one else None


def _taken(value: str, grammar: Grammar) -> int | None:
    """How many words the option's value takes; None for an unknown option."""
    if value.startswith("--"):
        name, equals, _text = value.partition("=")
        if name in grammar.long_valued:
            return 0 if equals else 1
        return 0 if name in grammar.long_flags and not equals else None
    if grammar.number and re.fullmatch(r"--?[0-9]+", value):
        return 0
    for at, letter in enumerate(value[1:], start=2):
        if letter in grammar.valued:
            return 0 if at < len(value) else 1
        if letter not in grammar.flags:
            return None
    return 0
