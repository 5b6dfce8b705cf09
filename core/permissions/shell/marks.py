"""What bash makes of a word whose quotes are already off: braces, ``~``, splitting at blanks, names of files.

Whether a character stood in quotes decides all of that, so each carries it along. A text has one character for each
byte: below 0x100 one that stood bare, from 0x100 on one that was quoted, from 0x200 on one out of an unquoted ``$x``.
Above them are marks for what is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_VALUES = 20
MAX_BRACES = 12
"""Opening braces in one word; more of them multiply beyond what is listed here anyway."""

ONE = "\u0400"
"""Text that is not known, all of it within the one word."""
MANY = "\u0401"
"""Text that is not known and may split, vanish or name files."""
NOTHING = "\u0402"
"""An empty pair of quotes, which makes a word where there is no other."""
VOID = "\u0403"
"""An unquoted ``$x`` that holds nothing."""

_QUOTE = {code: code + 0x100 for code in range(0x100)}
_EXPAND = {code: code + 0x200 for code in range(0x100)}
_BARE = {code: code & 0xFF for code in range(0x300)} | {ord(NOTHING): None, ord(VOID): None}

_EXPANDED_BLANKS = re.compile("[" + " \t\n".translate(_EXPAND) + "]+")
_ANY = re.compile(f"[*?{'*?'.translate(_EXPAND)}]")
_OPENING = re.compile(rf"[\[{'['.translate(_EXPAND)}]")
_CLOSING = re.compile(rf"[\]{']'.translate(_EXPAND)}]")
_NUMBERS = re.compile(r"(-?\d{1,9})\.\.(-?\d{1,9})(?:\.\.(-?\d{1,9}))?")
_LETTERS = re.compile(r"([a-z])\.\.([a-z])|([A-Z])\.\.([A-Z])")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


@dataclass(frozen=True, slots=True)
class Fields:
    """The words that a written word becomes."""

    ways: tuple[tuple[str, ...], ...]
    """Each way it may turn out, as the words it becomes then; empty where that is not known."""
    head: str
    is_one: bool
    has_glob: bool


def common_head(texts: Sequence[str]) -> str:
    """What all of the texts begin with."""
    if not texts:
        return ""
    first, last = min(texts), max(texts)
    return first[: next((at for at, char in enumerate(first) if not last.startswith(char, at)), len(first))]


def quoted(text: str) -> str:
    """The text as it stands in quotes."""
    return text.translate(_QUOTE) or NOTHING


def expanded(text: str) -> str:
    """The text as an unquoted ``$x`` yields it."""
    return text.translate(_EXPAND) or VOID


def bytewise(text: str) -> str:
    """The text with one character for each of its bytes."""
    return text if text.isascii() else text.encode(errors="surrogateescape").decode("latin-1")


def plain_text(text: str) -> str:
    """The reverse of ``bytewise``."""
    return text if text.isascii() else text.encode("latin-1").decode(errors="surrogateescape")


def plain(marked: str) -> str:
    """The text itself, in characters."""
    return plain_text(marked.translate(_BARE))


def splits_at_blank(marked: str) -> bool:
    """Whether an unquoted ``$x`` put blanks into it."""
    return _EXPANDED_BLANKS.search(marked) is not None


def fields_of(marked: tuple[str, ...], home: str | None, *, is_value: bool) -> Fields:
    """What becomes of a word that may stand for each of these texts.

    ``is_value``: of an assignment's value, which is kept whole. ``home`` is None where it is not known.
    """
    ways: list[tuple[str, ...]] = []
    heads: list[str] = []
    is_known = is_one = True
    has_glob = False
    for text in marked:
        texts = [text] if is_value else _braced(text)
        is_assigning = _ASSIGNMENT.match(text) is not None
        if texts is None:
            return Fields((), "", False, True)
        has_glob = has_glob or len(texts) > 1
        fields: list[str] = []
        for field in (
            part for each in texts for part in _split(_with_home(each, home, is_value, is_assigning), is_value)
        ):
            end = _known_end(field, is_value)
            has_glob = has_glob or (not is_value and _glob_start(field) is not None)
            is_known = is_known and end == len(field)
            heads.append("" if MANY in field else plain(field[:end]))
            fields.append(heads[-1])
            is_one = is_one and (is_value or MANY not in field)
        is_one = is_one and len(fields) == 1
        ways.append(tuple(fields))
    return Fields(tuple(ways) if is_known else (), common_head(heads), is_one and not has_glob, has_glob)


def _known_end(field: str, is_value: bool) -> int:
    ends = [at for at in (field.find(ONE), field.find(MANY)) if at >= 0]
    if not is_value and (start := _glob_start(field)) is not None:
        ends.append(start)
    return min(ends, default=len(field))


def _glob_start(field: str) -> int | None:
    """Where the pattern of a name begins."""
    found = [match.start() for match in (_ANY.search(field), _OPENING.search(field)) if match]
    bracket = _OPENING.search(field)
    if bracket and not _CLOSING.search(field, bracket.end()):
        found.remove(bracket.start())
    return min(found, default=None)


def _split(text: str, is_value: bool) -> list[str]:
    if is_value:
        return [text]
    return [part for part in _EXPANDED_BLANKS.split(text) if part.strip(VOID)]


def _with_home(text: str, home: str | None, is_value: bool, is_assigning: bool) -> str:
    """``~`` at the start, and in an assignment also after ``=`` and each ``:``."""
    if "~" not in text:
        return text
    start = 0
    if not is_value:
        match = _ASSIGNMENT.match(text) if is_assigning else None
        if match is None:
            return _tilde(text, home)
        start = match.end()
    return text[:start] + ":".join(_tilde(part, home) for part in text[start:].split(":"))


def _tilde(text: str, home: str | None) -> str:
    if not text.startswith("~"):
        return text
    user, slash, rest = text[1:].partition("/")
    if not user:
        return (ONE if home is None else quoted(bytewise(home))) + slash + rest
    # Another user's folder, ``~+`` or ``~-``.
    if any(ord(char) > 0xFF for char in user):
        return MANY if ":" in user else text
    return ONE + slash + rest


def _braced(text: str) -> list[str] | None:
    """All that ``{a,b}`` and ``{1..3}`` make of it; None where they are too many."""
    if "{" not in text:
        return [text]
    if text.count("{") > MAX_BRACES:
        return None
    found = _expanded_braces(text)
    return found if found is None or len(found) <= MAX_VALUES else None


def _expanded_braces(text: str) -> list[str] | None:
    start = text.find("{")
    while start >= 0:
        parts = _brace_parts(text, start)
        if parts is not None:
            inner, end = parts
            tails = _braced(text[end + 1 :])
            if inner is None or tails is None or len(inner) * len(tails) > MAX_VALUES:
                return None
            return [text[:start] + part + tail for part in inner for tail in tails]
        start = text.find("{", start + 1)
    return [text]


def _brace_parts(text: str, start: int) -> tuple[list[str] | None, int] | None:
    """What a brace offers and where it ends; None where it is a mere character."""
    depth, commas = 0, [start]
    for at in range(start, len(text)):
        char = text[at]
        if char == "{":
            depth += 1
        elif char == "," and depth == 1:
            commas.append(at)
        elif char == "}":
            depth -= 1
            if depth:
                continue
            if len(commas) == 1:
                numbers = _sequence(text[start + 1 : at])
                return None if numbers is None else (numbers or None, at)
            cuts = [text[left + 1 : right] for left, right in zip(commas, [*commas[1:], at], strict=True)]
            offers = [_braced(cut) for cut in cuts]
            return [each for offer in offers for each in offer or ()] if all(offers) else None, at
    return None


def _sequence(body: str) -> list[str] | None:
    """The members of ``1..3`` or ``a..c``; empty where they are too many, None where it is no sequence."""
    if match := _NUMBERS.fullmatch(body):
        first, last, step = int(match[1]), int(match[2]), abs(int(match[3] or 1)) or 1
        width = max(len(match[1]), len(match[2])) if any(re.match(r"-?0\d", match[i]) for i in (1, 2)) else 0
        count = abs(last - first) // step + 1
        signed = step if last >= first else -step
        return [] if count > MAX_VALUES else [f"{first + i * signed:0{width}d}" for i in range(count)]
    if match := _LETTERS.fullmatch(body):
        first, last = (ord(letter) for letter in match.groups() if letter)
        step = 1 if last >= first else -1
        letters = [chr(code) for code in range(first, last + step, step)]
        return letters if len(letters) <= MAX_VALUES else []
    # ``{a..Z}`` and a letter's step run over characters that are not letters.
    return [] if re.fullmatch(r"[A-Za-z]\.\.[A-Za-z](\.\.-?\d+)?", body) else None
