"""Builtins that evaluate what their words say: an array's index among them may run a command, even out of quotes.

``test -v 'a[$(touch x)]'`` runs ``touch x``, as do ``read``, ``printf -v``, ``unset``, ``let``, ``declare`` and ``[[``
where it compares numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.permissions.shell.script import Command, Word

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NUMBER = re.compile(r"[+-]?[0-9]+")
ARITHMETIC = re.compile(r"[0-9 +*/%()<>=!&|^~?:,-]*")
COMPARISONS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
FILE_TESTS = frozenset(f"-{letter}" for letter in "abcdefghknoprstuwxzGLNOS")
OPERATORS = COMPARISONS | {"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", "-a", "-o", "=~"}
NAMING = frozenset({"read", "unset", "mapfile", "readarray", "getopts", "wait"})
DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})

CALLBACKS: dict[str, tuple[str, ...]] = {
    "mapfile": ("-C",),
    "readarray": ("-C",),
    "jobs": ("-x",),
    "compgen": ("-C", "-F", "-W"),
    "complete": ("-C", "-F", "-W"),
    "bind": ("-x",),
}

VARIABLE = "may run what stands in the name of a variable"
OPERATOR = "what it tests is only known when it runs"
VALUES = "may run what the values that it compares say"


def evaluation_doubt(command: Command) -> str:
    """Why the command may run more than it shows; empty where it does not."""
    name, operands = command.name, command.words[1:]
    if name in ("[", "[["):
        operands = operands[:-1]
    found = ""
    if name in ("test", "["):
        found = _test_doubt(operands)
    elif name == "[[":
        found = _condition_doubt(operands)
    elif name == "let":
        found = "" if all(ARITHMETIC.fullmatch(word.value or "x") for word in operands) else VARIABLE
    elif name in NAMING:
        found = "" if all(_is_harmless(word) for word in operands) else VARIABLE
    elif name in DECLARING:
        found = "" if all(_is_declaration(word) for word in operands) else VARIABLE
    elif name == "printf":
        found = _printf_doubt(operands)
    if not found and any(word.head.startswith(CALLBACKS.get(name, ())) for word in operands):
        found = "runs what an option of it says"
    return f"{name} {found}" if found else ""


def _is_harmless(word: Word) -> bool:
    """Whether it is certainly a plain name, a number or an option."""
    return word.value is not None and word.is_one and "[" not in word.value


def _is_declaration(word: Word) -> bool:
    if word.head.startswith("-"):
        # -i evaluates the value, -n makes it the name of another one, -a and -A take indices in it.
        return word.value is not None and not set(word.value) & set("inaA")
    match = re.match(r"[A-Za-z_][A-Za-z0-9_]*\+?=", word.head)
    if match is None:
        return _is_harmless(word) and NAME.fullmatch(word.value or "") is not None
    return word.is_one


def _printf_doubt(operands: Sequence[Word]) -> str:
    if not operands:
        return ""
    first = operands[0]
    if first.value is None and not first.head:
        return VARIABLE if not first.is_one or len(operands) > 1 else ""
    if first.head.startswith("-v"):
        name = (first.value or "[")[2:] or (operands[1].value or "[" if len(operands) > 1 else "")
        return "" if NAME.fullmatch(name) else VARIABLE
    return ""


def _test_doubt(operands: Sequence[Word]) -> str:
    """``test`` looks at its words, however they came about, to see which of them are operators."""
    values = [word.value for word in operands]
    if any(value in ("-v", "-R") for value in values):
        plain = all(
            NAME.fullmatch(value or "[") for at, value in enumerate(values) if at and values[at - 1] in ("-v", "-R")
        )
        if not plain or None in values:
            return VARIABLE
    if None not in values:
        return ""
    if not all(word.is_one for word in operands):
        return OPERATOR
    return "" if all(_is_clear(part) for part in _split(values)) else OPERATOR


def _split(values: Sequence[str | None]) -> list[list[str | None]]:
    parts: list[list[str | None]] = [[]]
    for value in values:
        if value in ("-a", "-o"):
            parts.append([])
        elif value not in ("(", ")"):
            parts[-1].append(value)
    return parts


def _is_clear(part: Sequence[str | None]) -> bool:
    """Whether it is written which word is the operator."""
    part = list(part)
    while part and part[0] == "!":
        part = part[1:]
    if len(part) == 2:
        return part[0] in FILE_TESTS
    return len(part) == 1 or (len(part) == 3 and part[1] in OPERATORS)


def _condition_doubt(operands: Sequence[Word]) -> str:
    values = [word.value for word in operands]
    for at, word in enumerate(operands):
        if word.source in ("-v", "-R") and not NAME.fullmatch((values[at + 1 : at + 2] or [""])[0] or "["):
            return VARIABLE
        if word.source in COMPARISONS:
            beside = values[max(at - 1, 0) : at] + values[at + 1 : at + 2]
            if not all(NUMBER.fullmatch(value or "x") for value in beside):
                return VALUES
    return ""
