"""Reads a word as bash does: takes its quotes off, and finds the variables and commands in it.

It goes by the text alone and asks the tree only where a substitution ends. Where the two disagree about what a word is,
somebody is deceived: that is a doubt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Protocol

from core.permissions.shell.ansi import ansi_c
from core.permissions.shell.marks import (
    MANY,
    MAX_VALUES,
    NOTHING,
    ONE,
    bytewise,
    expanded,
    fields_of,
    plain,
    plain_text,
    quoted,
    splits_at_blank,
)
from core.permissions.shell.script import Command, Word
from core.permissions.shell.tree import Node, Tree

MAX_DEPTH = 20
"""Expansions within expansions."""

SIMPLE = re.compile(r"[A-Za-z0-9_./,:@%+-][A-Za-z0-9_./,:@%+=-]*")
"""A word that is what it looks like."""

LITERAL = re.compile(r"[^'\"\\$`<>|&;() \t\n}]+")
IN_DOUBLE = re.compile(r'[^"\\$`]+')
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-]")
ARITHMETIC = re.compile(r"[0-9 \t\n+*/%()<>=!&|^~?:,-]*")
"""Numbers and operators: nothing in it can name a variable, whose text would be evaluated in turn."""
VARIABLE = re.compile(r"(\"?)\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})\1", re.ASCII)
"""A word that is one variable and nothing else."""

PLAIN_TAIL = re.compile(r"[\w./,:@%+^~=-]*", re.ASCII)
INDEX = re.compile(r"\[(?:[0-9]+|[@*])\]")
OPERATOR = re.compile(r":?[-+?]|##?|%%?|//?|/[#%]|\^\^?|,,?")

DISAGREE = "it can be read in more than one way"
EVALUATES = "an arithmetic expression may run what its variables hold"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a variable: all that it may hold, or else what that begins with."""

    values: tuple[str, ...] = ()
    head: str = ""
    lists: tuple[Command, ...] = ()
    """The pipeline that puts out what it holds, as of ``Word.lists``."""
    matches: tuple[str, ...] = ()
    """The globs whose matches it holds, as of ``Word.matches``."""


class Surroundings(Protocol):
    """What a word's reader asks of the line that the word stands in."""

    def known(self, name: str) -> Known | None:
        """What the variable holds there. It is told of each variable that is expanded."""
        ...

    def home(self) -> str | None:
        """What ``~`` means there."""
        ...

    def splits_at_blanks(self) -> bool:
        """Whether ``IFS`` is what it was."""
        ...

    def doubt(self, reason: str) -> None:
        """Something makes the line unjudgeable."""
        ...

    def run(self, node: Node) -> tuple[Command, ...]:
        """The commands of a substitution, if they are one pipeline."""
        ...

    def run_text(self, text: str) -> tuple[Command, ...]:
        """The commands of a text, one character for each byte, that the tree does not show as such."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A word, and each way in which it may become words."""

    word: Word
    ways: tuple[tuple[str, ...], ...]


class WordReader:
    """Reads the words of one tree."""

    def __init__(self, tree: Tree, surroundings: Surroundings) -> None:
        self._text = tree.text
        self._nodes = tree.expansions
        self._around = surroundings
        self._lists: tuple[Command, ...] = ()
        self._matches: tuple[str, ...] = ()
        self._depth = 0
        self._is_glued = False

    def read(self, start: int, end: int, *, is_value: bool = False, is_loose: bool = False) -> Reading:
        """The word between two offsets; a value of an assignment stays one word; a loose one may hold operators."""
        text = self._text[start:end]
        if SIMPLE.fullmatch(text):
            return Reading(Word(source=text, values=(text,), head=text), ((text,),))
        pieces, _end = self._begun(start, end, is_loose=is_loose)
        return self._reading(start, end, pieces, is_value=is_value)

    def read_next(self, start: int, end: int, stops: str, *, is_value: bool = False) -> tuple[Reading, int]:
        """The word up to one of the characters ``stops``, and where that stands."""
        pieces, at = self._begun(start, end, stops=stops)
        at = max(at, start + 1)
        return self._reading(start, at, pieces, is_value=is_value), at

    def _begun(
        self, start: int, end: int, *, is_loose: bool = False, stops: str = ""
    ) -> tuple[list[tuple[str, ...]], int]:
        self._lists = ()
        self._matches = ()
        self._is_glued = False
        return self._bare(start, end, is_loose=is_loose, stops=stops)

    def _reading(self, start: int, end: int, pieces: list[tuple[str, ...]], *, is_value: bool) -> Reading:
        text = self._text[start:end]
        if self._is_glued and any("{" in way for piece in pieces for way in piece):
            # Braces come first: ``$x{1,2}`` is ``$x1 $x2``.
            self._around.doubt(DISAGREE)
        if ("$",) in pieces and any(splits_at_blank(way) for piece in pieces for way in piece):
            # bash splits no word that ends in a bare ``$``.
            pieces = [*pieces, (MANY,)]
        fields = fields_of(_combined(pieces), self._around.home(), is_value=is_value)
        values = tuple(dict.fromkeys(value for way in fields.ways for value in way))
        if len(values) > MAX_VALUES:
            values = ()
        is_variable = VARIABLE.fullmatch(text) is not None
        node = self._nodes.get(start + text.startswith('"'))
        tail = _behind_substitution(text, node, start)
        lists = self._lists if is_variable or _is_one_substitution(text, node, start) else ()
        matches = self._matches if is_variable else ()
        if fields.has_glob and not is_variable:
            matches = _pattern(text, fields.head) or _known_pattern(_combined(pieces), fields.head)
        word = Word(
            source=plain_text(text),
            values=values,
            head=fields.head,
            is_one=fields.is_one,
            has_glob=fields.has_glob,
            lists=lists,
            begins=self._lists if tail else (),
            tail=tail or "",
            matches=matches,
        )
        return Reading(word, fields.ways)

    def read_body(self, start: int, end: int) -> None:
        """Find what a heredoc's body runs and expands."""
        at = start
        while at < end:
            char = self._text[at]
            if char == "\\":
                at += 2
            elif char in "$`":
                _piece, at = self._expansion(at, end, in_quotes=True)
            else:
                at += 1

    def read_arithmetic(self, start: int, end: int) -> None:
        """Find what an arithmetic expression runs; only numbers and operators are beyond doubt."""
        if not ARITHMETIC.fullmatch(self._text, start, end):
            self._around.doubt(EVALUATES)
            self.read_body(start, end)

    def _bare(
        self, at: int, end: int, *, is_loose: bool = False, is_operand: bool = False, stops: str = ""
    ) -> tuple[list[tuple[str, ...]], int]:
        """The pieces of a word outside quotes; an operand stands in ``${x:-…}``, which the first bare brace closes."""
        text, pieces = self._text, list[tuple[str, ...]]()
        while at < end:
            char = text[at]
            if match := LITERAL.match(text, at, end):
                pieces.append((match[0],))
                at = match.end()
            elif char == "'":
                close = text.find("'", at + 1, end)
                if close < 0:
                    self._around.doubt(DISAGREE)
                    close = end
                pieces.append((quoted(text[at + 1 : close]),))
                at = close + 1
            elif char == '"':
                found, at = self._double(at + 1, end)
                pieces += found
            elif char == "\\":
                following = text[at + 1 : at + 2] if at + 1 < end else ""
                if following != "\n":
                    pieces.append((quoted(following or "\\"),))
                at += 2
            elif char == "$" and text.startswith("'", at + 1) and at + 1 < end:
                value, at = ansi_c(text, at + 2, end)
                pieces.append((quoted(value),))
            elif char == "$" and text.startswith('"', at + 1) and at + 1 < end:
                at += 1
            elif char in "$`":
                is_name = char == "$" and not text.startswith(("{", "(", "["), at + 1)
                piece, at = self._expansion(at, end, in_quotes=False)
                self._is_glued = self._is_glued or (is_name and at < end and text[at] in "{,}")
                pieces.append(piece)
            elif char in "<>" and text.startswith("(", at + 1) and at + 1 < end:
                piece, at = self._process(at, end)
                pieces.append(piece)
            elif char in stops:
                break
            else:
                if is_operand if char == "}" else not (is_loose or is_operand):
                    self._around.doubt(DISAGREE)
                pieces.append((char,))
                at += 1
        return pieces, at

    def _double(self, at: int, end: int) -> tuple[list[tuple[str, ...]], int]:
        """The pieces within double quotes, and where these are closed."""
        text, pieces = self._text, list[tuple[str, ...]]()
        while at < end:
            char = text[at]
            if match := IN_DOUBLE.match(text, at, end):
                pieces.append((quoted(match[0]),))
                at = match.end()
            elif char == '"':
                return pieces or [(NOTHING,)], at + 1
            elif char == "\\":
                following = text[at + 1 : at + 2] if at + 1 < end else ""
                if following != "\n":
                    is_escape = following != "" and following in '$`"\\'
                    pieces.append((quoted(following if is_escape else "\\" + following),))
                at += 2
            else:
                piece, at = self._expansion(at, end, in_quotes=True)
                pieces.append(piece)
        self._around.doubt(DISAGREE)
        return pieces, end

    def _expansion(self, at: int, end: int, *, in_quotes: bool) -> tuple[tuple[str, ...], int]:
        """One ``$…`` or backtick: what it may yield, and where it ends."""
        text = self._text
        unknown = (ONE,) if in_quotes else (MANY,)
        if text[at] == "`":
            return unknown, self._backtick(at, end, in_quotes)
        following = text[at + 1] if at + 1 < end else ""
        if following in ("(", "[", "{") and following:
            node = self._nodes.get(at)
            if node is not None and node.end <= end:
                if following == "{":
                    return self._braced(at + 2, node.end - 1, in_quotes), node.end
                return self._substitution(node, in_quotes), node.end
            if following == "[":
                return ("$",), at + 1
            self._around.doubt(DISAGREE)
            self._around.run_text(text[at + 2 : end])
            return unknown, end
        if match := PARAMETER.match(text, at + 1, end):
            name = match[0] if not match[0].isdigit() else match[0][0]
            return self._parameter(name, in_quotes), at + 1 + len(name)
        return (quoted("$") if in_quotes else "$",), at + 1

    def _substitution(self, node: Node, in_quotes: bool) -> tuple[str, ...]:
        inner = self._text[node.start + 3 : node.end - 2]
        if node.kind == "arithmetic_expansion" or (
            self._text.startswith("$((", node.start)
            and self._text.startswith("))", node.end - 2)
            and ARITHMETIC.fullmatch(inner)
        ):
            is_old = self._text.startswith("$[", node.start)
            self.read_arithmetic(node.start + (2 if is_old else 3), node.end - (1 if is_old else 2))
            return (ONE,)
        self._lists = self._around.run(node)
        return (ONE,) if in_quotes else (MANY,)

    def _process(self, at: int, end: int) -> tuple[tuple[str, ...], int]:
        node = self._nodes.get(at)
        if node is None or node.kind != "process_substitution" or node.end > end:
            self._around.doubt(DISAGREE)
            self._around.run_text(self._text[at + 2 : end])
            return (MANY,), end
        found = self._around.run(node)
        self._lists = found if self._text[at] == "<" else ()
        return (quoted("/dev/fd/") + ONE,), node.end

    def _backtick(self, at: int, end: int, in_quotes: bool) -> int:
        text, close = self._text, at + 1
        while close < end and text[close] != "`":
            close += 2 if text[close] == "\\" else 1
        node = self._nodes.get(at)
        if close >= end or node is None or node.end != close + 1:
            self._around.doubt(DISAGREE)
        inner = re.sub(r'\\([`$\\"])' if in_quotes else r"\\([`$\\])", r"\1", text[at + 1 : close])
        self._lists = self._around.run_text(inner)
        return min(close + 1, end)

    def _parameter(self, name: str, in_quotes: bool) -> tuple[str, ...]:
        """What ``$name`` may yield."""
        if name in ("#", "?", "$", "!"):
            return (ONE,)
        if name in ("@", "*", "-") or name.isdigit():
            return (ONE,) if in_quotes and name != "@" else (MANY,)
        known = self._around.known(name)
        if known is not None:
            self._lists, self._matches = known.lists, known.matches
        if known is None or not (in_quotes or self._around.splits_at_blanks()):
            return (ONE,) if in_quotes else (MANY,)
        if not known.values and not known.head:
            return (ONE,) if in_quotes else (MANY,)
        if known.values:
            return tuple(quoted(bytewise(value)) if in_quotes else expanded(bytewise(value)) for value in known.values)
        head = bytewise(known.head)
        return (quoted(head) + ONE,) if in_quotes else (expanded(head) + MANY,)

    def _braced(self, at: int, stop: int, in_quotes: bool) -> tuple[str, ...]:
        """What ``${…}`` may yield, between its braces."""
        text = self._text
        unknown = (ONE,) if in_quotes else (MANY,)
        is_length = text.startswith("#", at) and at + 1 < stop
        if is_length:
            at += 1
        name = PARAMETER.match(text, at, stop)
        if name is None or (text.startswith("!", at) and at + 1 < stop):
            self._around.doubt("${!…} expands a variable whose name another one holds")
            self.read_body(at, stop)
            return unknown
        at = name.end()
        if text.startswith("[", at):
            index = INDEX.match(text, at, stop)
            if index is None:
                self._around.doubt("the index of an array may run what its variables hold")
                self.read_body(at, stop)
                return unknown
            at = index.end()
            if at == stop:
                self._around.known(name[0])
                return (ONE,) if is_length else unknown
        if at == stop:
            value = self._parameter(name[0], in_quotes)
            return (ONE,) if is_length else value
        self._parameter(name[0], in_quotes)
        self._depth += 1
        self._operation(at, stop, in_quotes)
        self._depth -= 1
        return unknown

    def _operation(self, at: int, stop: int, in_quotes: bool) -> None:
        """What follows the name in ``${name…}``."""
        text = self._text
        if self._depth > MAX_DEPTH:
            self._around.doubt("it is too long or too deep to be understood")
            self._around.run_text(text[at:stop])
            return
        operator = OPERATOR.match(text, at, stop)
        if operator is not None:
            at = operator.end()
        elif text[at] == "@":
            self._around.doubt("${…@…} may run what a variable holds")
        elif text[at] == "=" or text.startswith(":=", at):
            self._around.doubt("${…=…} sets a variable on the way")
        elif text[at] == ":":
            self.read_arithmetic(at + 1, stop)
            return
        else:
            self._around.doubt("it holds an expansion that is not known")
        if in_quotes:
            self.read_body(at, stop)
        else:
            self._bare(at, stop, is_operand=True)


def _combined(pieces: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Every text that a word of these pieces may be, or one with a mark where they are too many."""
    count = 1
    for piece in pieces:
        count *= len(piece)
        if count > MAX_VALUES:
            pieces = [piece if len(piece) == 1 else (MANY,) for piece in pieces]
            break
    return tuple("".join(parts) for parts in product(*pieces))


def _pattern(text: str, head: str) -> tuple[str, ...]:
    """A word that is nothing but a glob, with what is known of its beginning."""
    bare = re.sub("[\"']", "", text)
    special = re.search(r"[*?\[{]", bare)
    return (head + plain_text(bare[special.start() :]),) if special and not re.search("[$`\\\\]", text) else ()


def _is_one_substitution(text: str, node: Node | None, start: int) -> bool:
    if node is None or node.kind not in ("command_substitution", "process_substitution"):
        return False
    quotes = 1 if text.startswith('"') and text.endswith('"') else 0
    return node.start == start + quotes and node.end == start + len(text) - quotes


def _known_pattern(marked: tuple[str, ...], head: str) -> tuple[str, ...]:
    """A glob behind variables that are known, ``$x/*.py``; none where what it matches may lie elsewhere."""
    if len(marked) != 1 or splits_at_blank(marked[0]) or any(mark in marked[0] for mark in (ONE, MANY)):
        return ()
    text = plain(marked[0])
    special = re.search(r"[*?\[{\\~]", text)
    is_clear = special is not None and special.start() == len(head) and text.startswith(head)
    return (text,) if is_clear and not re.search(r"[{\\~]|\.\.", text[len(head) :]) else ()


def _behind_substitution(text: str, node: Node | None, start: int) -> str | None:
    """The plain text behind the one ``$(…)`` that a word begins with; None where it is no such word."""
    if node is None or node.kind != "command_substitution":
        return None
    is_quoted = text.startswith('"')
    if node.start != start + is_quoted:
        return None
    rest = text[node.end - start :]
    if is_quoted:
        if '"' not in rest:
            return None
        inner, _quote, behind = rest.partition('"')
        rest = inner + behind
    return rest if PLAIN_TAIL.fullmatch(rest) else None
