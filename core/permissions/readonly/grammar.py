"""How one program's command line is read: which options it may have, what they take, what its operands are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from core.permissions.shell.script import Word

if TYPE_CHECKING:
    from core.permissions.readonly.look import Look

Takes = Literal["nothing", "text", "file", "optional"]
"""What an option takes; ``optional``: only glued to it, as in ``--color=always``."""

TAKES: dict[str, Takes] = {":": "text", "<": "file", "?": "optional"}

Operands = Literal["files", "text", "pattern", "none"]
"""``pattern``: the first operand is free text unless an option gave one, the others are files."""


class NotReadOnlyError(Exception):
    """The command is not known to be harmless; says why, in words that a user reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option as it was found, ``-n`` or ``--lines``, with what it was given."""

    name: str
    argument: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The words behind a program's name, told apart."""

    options: tuple[Option, ...] = ()
    operands: tuple[Word, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether one of the options was given."""
        return any(option.name in names for option in self.options)

    def given(self, *names: str) -> list[Word]:
        """What the options were given, in order."""
        return [option.argument for option in self.options if option.name in names and option.argument is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What is known to be harmless of one program. Everything else makes it ask, also a shortened long option.

    ``short`` and ``long`` list the options; a mark behind one says that it takes a text (``:``), a file that is
    read (``<``), or something glued to it that may be missing (``?``).
    """

    short: str = ""
    long: str = ""
    operands: Operands = "files"
    least: int = 0
    most: int | None = None
    """How many operands it may have; more would be written to, or mean something else."""
    is_harmless: bool = False
    """Whether no option of the program at all can do harm: words that may become anything are then fine."""
    has_numbers: bool = False
    """Whether ``-5`` is an option."""
    is_ordered: bool = False
    """Whether the first operand ends the options: what follows belongs to another command."""
    pattern_options: tuple[str, ...] = ()
    """Options that give the pattern, so that all operands are files."""
    names_only: bool = False
    """Whether it tells no more of a file than its name and size."""
    check: Callable[[Look, Parsed], None] | None = None
    """What remains to be looked at; raises NotReadOnlyError."""


@lru_cache(maxsize=1024)
def short_options(spec: str) -> dict[str, Takes]:
    """The table that a ``short`` text stands for."""
    table: dict[str, Takes] = {}
    for char, mark in zip(spec, spec[1:] + " ", strict=False):
        if char not in TAKES:
            table[f"-{char}"] = TAKES.get(mark, "nothing")
    return table


@lru_cache(maxsize=1024)
def long_options(spec: str) -> dict[str, Takes]:
    """The table that a ``long`` text stands for."""
    table: dict[str, Takes] = {}
    for name in spec.split():
        takes = TAKES.get(name[-1], "nothing")
        table["--" + (name if takes == "nothing" else name[:-1])] = takes
    return table
