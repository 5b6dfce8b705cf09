"""The words of a command told apart into options and operands, by the grammar of its program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.permissions.readonly.grammar import (
    Grammar,
    NotReadOnlyError,
    Option,
    Parsed,
    Takes,
    long_options,
    short_options,
)
from core.permissions.shell.script import Word

NUMBER = re.compile(r"-\d+")


def literal(text: str) -> Word:
    """A word that is just this text."""
    return Word(source=text, values=(text,), head=text)


def is_literal(word: Word) -> bool:
    """Whether it is certainly this one text."""
    return word.value is not None and word.is_one


def may_be_option(word: Word) -> bool:
    """Whether it may begin with a dash: also what may be empty, or another word altogether."""
    if word.values and word.is_one:
        return any(value.startswith("-") and value != "-" for value in word.values)
    return not word.head or word.head.startswith("-")


def parse(words: tuple[Word, ...], grammar: Grammar) -> Parsed:
    """Tells the words behind the program's name apart; NotReadOnlyError where an option may do harm."""
    reader = _Reader(words=words, grammar=grammar)
    while reader.at < len(reader.words):
        reader.step()
    count = len(reader.operands)
    if grammar.most is not None:
        uncertain = any(not word.is_one for word in reader.operands)
        if count > grammar.most or uncertain:
            raise NotReadOnlyError("more operands than a harmless call has")
    if count < grammar.least:
        raise NotReadOnlyError("it lacks operands")
    return Parsed(options=tuple(reader.options), operands=tuple(reader.operands))


@dataclass(slots=True, kw_only=True)
class _Reader:
    words: tuple[Word, ...]
    grammar: Grammar
    at: int = 0
    options: list[Option] = field(default_factory=list[Option])
    operands: list[Word] = field(default_factory=list[Word])

    def step(self) -> None:
        """Takes the next word, and the next but one where that is its argument."""
        word = self.words[self.at]
        self.at += 1
        if not may_be_option(word):
            self._operand(word)
        elif not is_literal(word):
            self._uncertain(word)
        elif word.head == "--":
            self.operands += self.words[self.at :]
            self.at = len(self.words)
        elif word.head.startswith("--"):
            self._long(word.head)
        elif self.grammar.has_numbers and NUMBER.fullmatch(word.head):
            self.options.append(Option(name="-NUM", argument=literal(word.head[1:])))
        else:
            self._cluster(word.head)

    def _operand(self, word: Word) -> None:
        self.operands.append(word)
        if self.grammar.is_ordered:
            self.operands += self.words[self.at :]
            self.at = len(self.words)

    def _uncertain(self, word: Word) -> None:
        """A word of which not all is known: ``--include=$x``, ``-n$x``, ``$x``, ``*``."""
        name, equals, rest = word.head.partition("=")
        if word.is_one and equals and long_options(self.grammar.long).get(name, "nothing") != "nothing":
            self.options.append(Option(name=name, argument=_rest(word, rest)))
        elif word.is_one and short_options(self.grammar.short).get(word.head[:2], "nothing") in ("text", "file"):
            self.options.append(Option(name=word.head[:2], argument=_rest(word, word.head[2:])))
        elif self.grammar.is_harmless:
            self.operands.append(word)
        else:
            raise NotReadOnlyError(f"{word.source} may become an option")

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        takes = long_options(self.grammar.long).get(name)
        if takes is None or (takes == "nothing" and equals):
            raise NotReadOnlyError(f"its option {name} is not known to be harmless")
        if takes in ("text", "file") and not equals:
            self.options.append(Option(name=name, argument=self._argument(name, takes)))
        else:
            self.options.append(Option(name=name, argument=literal(value) if equals else None))

    def _cluster(self, text: str) -> None:
        """``-nuo x``, ``-oFILE``: letters up to the first that takes something."""
        table = short_options(self.grammar.short)
        for index, char in enumerate(text[1:], start=2):
            name = f"-{char}"
            takes = table.get(name)
            if takes is None:
                raise NotReadOnlyError(f"its option {name} is not known to be harmless")
            if takes == "nothing":
                self.options.append(Option(name=name))
                continue
            glued = literal(text[index:]) if text[index:] else None
            if glued is None and takes != "optional":
                glued = self._argument(name, takes)
            self.options.append(Option(name=name, argument=glued))
            return

    def _argument(self, name: str, takes: Takes) -> Word:
        if self.at >= len(self.words):
            raise NotReadOnlyError(f"its option {name} lacks its argument")
        word = self.words[self.at]
        if not word.is_one and not self.grammar.is_harmless:
            raise NotReadOnlyError(f"{word.source} may become several words")
        if not word.is_one and takes == "file":
            raise NotReadOnlyError(f"{word.source} may be any file")
        self.at += 1
        return word


def _rest(word: Word, known: str) -> Word:
    """What is behind the option's own letters in a word of which not all is known."""
    return Word(source=word.source, head=known, is_one=True, has_glob=word.has_glob)
