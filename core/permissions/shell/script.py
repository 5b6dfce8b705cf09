"""A shell line as data: its commands, wherever they stand in it, with their words, redirections and surroundings.

Nothing here says what is harmless: that is ``core.permissions.readonly``; nor what is allowed: that is the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a command, as far as it is known what bash makes of it."""

    source: str
    """As it is written, quotes and all."""
    values: tuple[str, ...] = ()
    """All the texts that it may stand for: one for a literal, several for a loop's variable; empty where unknown."""
    head: str = ""
    """What it certainly begins with; of a literal, all of it."""
    is_one: bool = True
    """Whether it is certainly one word: an unquoted ``$x`` or ``*`` may become none or many, each among ``values``."""
    has_glob: bool = False
    """Whether it becomes names of files: it holds ``*``, ``?``, ``[`` or braces outside quotes."""
    lists: tuple[Command, ...] = ()
    """Where the word is nothing but one ``$(…)`` or ``<(…)`` of one pipeline: the commands of that pipeline. Also where
    it is a variable that holds what such a pipeline puts out, or a part of it."""
    begins: tuple[Command, ...] = ()
    """Where the word begins with a ``$(…)`` of one pipeline and nothing but plain text follows: as of ``lists``."""
    tail: str = ""
    """The text that follows."""
    matches: tuple[str, ...] = ()
    """Where the word is nothing but a glob: that, with all before its first special character as it will be. Also where
    it is a variable of a loop over such globs and literal words: all of these."""

    @property
    def value(self) -> str | None:
        """The text, where there is only one that it may stand for."""
        return self.values[0] if len(self.values) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One redirection. ``target`` is None for a heredoc, whose body cannot change anything by itself."""

    source: str
    kind: Literal["read", "write", "duplicate", "heredoc", "here_string"]
    """``duplicate``: ``2>&1`` and its like, from one descriptor to another."""
    target: Word | None = None
    text: str | None = None
    """What a heredoc feeds, where that is written word for word."""
    cwd: Path | None = None
    """Where a relative target is; None where that is not known."""
    folders: tuple[Path, ...] = ()
    """All that ``cwd`` may be, where these are few; empty where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """``NAME=value`` before a command, or on its own."""

    name: str
    value: Word
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command, wherever it stands: in a pipe, a loop, a substitution, or as what another command runs."""

    words: tuple[Word, ...] = ()
    """Its name first; empty for assignments alone."""
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    cwd: Path | None = None
    """Where it runs; None where that is not known, after ``cd "$x"`` say."""
    folders: tuple[Path, ...] = ()
    """All that ``cwd`` may be, where these are few: after ``cd src;`` both, for it may have failed. Empty: unknown."""
    piped_from: tuple[Command, ...] = ()
    """The simple commands before it in its pipeline, the first one first."""
    runs: tuple[Command, ...] = ()
    """What it runs itself: the command behind ``timeout 5``, ``sudo``, ``xargs``, ``find -exec``, ``bash -c``."""
    is_wrapper: bool = False
    """Whether allowing rules look through it at what it runs (``timeout``, ``nice``, bare ``xargs``)."""
    doubt: str = ""
    """Why it is not known what it runs; empty where it is known."""

    @property
    def name(self) -> str:
        """The program's name without its folder; empty where only bash knows it."""
        value = self.words[0].value if self.words else None
        return (value or "").rpartition("/")[2]

    @property
    def text(self) -> str:
        """The command as it is written, without assignments and redirections, blanks between words made one."""
        return " ".join(word.source for word in self.words)

    def all(self) -> Iterator[Command]:
        """This command and everything that it runs, at any depth."""
        pending: list[Command] = [self]
        while pending:
            command = pending.pop()
            yield command
            pending += command.runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole shell line."""

    source: str
    commands: tuple[Command, ...] = ()
    """Every simple command in it, in order, also those in substitutions; not those that a command runs itself."""
    redirects: tuple[Redirect, ...] = ()
    """Redirections of loops, groups and nothing at all; those of a command are with it."""
    variables: frozenset[str] = frozenset()
    """Names of variables that it expands and has not set itself."""
    loop_names: frozenset[str] = frozenset()
    """Names of variables that ``for`` and ``select`` set, here or in a text that a command of it runs."""
    doubts: tuple[str, ...] = ()
    """Why it cannot be judged as a whole: syntax that is not understood, characters that deceive. Empty: it can."""
    refusal: str = ""
    """Why it cannot run at all."""

    def all_commands(self) -> Iterator[Command]:
        """Every command in it, also those that others run."""
        for command in self.commands:
            yield from command.all()

    def all_redirects(self) -> Iterator[Redirect]:
        """Every redirection in it."""
        yield from self.redirects
        for command in self.all_commands():
            yield from command.redirects
