"""Every text under which a rule that forbids or asks may mean a command. Allowing rules see ``Command.text`` alone."""

from __future__ import annotations

from itertools import product

from core.permissions.shell.script import Command, Word

MAX_SPELLINGS = 64


def spellings(command: Command) -> tuple[str, ...]:
    """The command as written, with its quotes off, with each value that its words may have, without its folder."""
    if not command.words:
        return tuple(assignment.source for assignment in command.assignments)
    found = [command.text]
    for words in _choices(command.words):
        found.append(" ".join(words))
        program = words[0].rpartition("/")[2]
        if program and program != words[0]:
            found.append(" ".join((program, *words[1:])))
    if command.words[-1].source == "{}":
        # What comes out of a pipe may be nothing.
        found += [text.removesuffix(" {}") for text in found if text.endswith(" {}")]
    return tuple(dict.fromkeys(found))


def _choices(words: tuple[Word, ...]) -> list[tuple[str, ...]]:
    """The words with their quotes off, in each combination of values; the first of each where those are too many."""
    options = [_texts(word) for word in words]
    count = 1
    for each in options:
        count *= len(each)
    if count > MAX_SPELLINGS:
        longest = max(map(len, options))
        # Each value at least once.
        return [tuple(each[at % len(each)] for each in options) for at in range(longest)]
    return list(product(*options))


def _texts(word: Word) -> tuple[str, ...]:
    if not word.values:
        return (word.source,)
    return word.values if word.is_one else (" ".join(word.values), *word.values)
