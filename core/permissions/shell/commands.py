"""Puts one simple command together from its part of the tree: words, assignments, redirections, and what it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from core.permissions.shell.evaluations import evaluation_doubt
from core.permissions.shell.marks import plain_text
from core.permissions.shell.script import Assignment, Command, Redirect, Word
from core.permissions.shell.state import State
from core.permissions.shell.tree import Node, Tree
from core.permissions.shell.words import DISAGREE, Reading, WordReader
from core.permissions.shell.wrappers import DYNAMIC, looked_into

MAX_RUNS = 8
"""Wrappers around wrappers."""

MAX_GUESSES = 300
"""Commands that others may run, in one line."""

RESERVED = frozenset("{ } ! if then elif else fi while until do done for case esac select function [[ ]]".split())
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^\]]*\])?\+?=")
BLANKS = re.compile(r"(?:[ \t\n]|\\\n)*")
CONDITION_OPERATORS = re.compile(r"&&|\|\||[()<>]")

REDIRECTION = re.compile(r"([0-9]*|\{[^}]*\})(<<<|<<-?|&>>|&>|>>|>\||>&-?|<&-?|<>|>|<)")
Kind = Literal["read", "write", "duplicate", "here_string"]
KINDS: dict[str, Kind] = {
    "<": "read",
    "<>": "write",
    ">": "write",
    ">>": "write",
    ">|": "write",
    "&>": "write",
    "&>>": "write",
    "<<<": "here_string",
}
DESCRIPTOR = re.compile(r"\{.*\}|[0-9]+", re.DOTALL)

Span = tuple[int, int]


@dataclass(slots=True)
class Found:
    """What has been found in a line so far."""

    commands: list[Command] = field(default_factory=list[Command])
    redirects: list[Redirect] = field(default_factory=list[Redirect])
    variables: set[str] = field(default_factory=set[str])
    loop_names: set[str] = field(default_factory=set[str])
    doubts: dict[str, None] = field(default_factory=dict[str, None])

    def doubt(self, reason: str) -> None:
        """Something makes the line unjudgeable; told once."""
        self.doubts[reason] = None

    def add(self, other: Found) -> None:
        """What was found in a text within the line."""
        self.commands += other.commands
        self.redirects += other.redirects
        self.variables |= other.variables
        self.loop_names |= other.loop_names
        self.doubts |= other.doubts


Nested = Callable[[str, State], Found]
"""Reads a shell line within the line."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What belongs to a command but stands outside its part of the tree."""

    redirects: tuple[Redirect, ...] = ()
    words: tuple[Span, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.redirects or self.words)


NONE = Extras()


class CommandReader:
    """Reads the simple commands of one tree; the state is always the one just before the command."""

    def __init__(self, tree: Tree, words: WordReader, found: Found, nested: Nested) -> None:
        self._text = tree.text
        self._heredocs = tree.heredocs
        self._words = words
        self._found = found
        self._nested = nested
        self._left = MAX_GUESSES

    def read(self, node: Node, state: State, piped: tuple[Command, ...], extras: Extras = NONE) -> Command:
        """The command of a part of the tree."""
        # The tree puts those of the last command of a list around the list, which may begin in another folder.
        outer = tuple(replace(each, cwd=state.folder, folders=folders_of(state)) for each in extras.redirects)
        if node.kind == "test_command":
            return self._command(self._condition(node), state, piped, outer)
        redirects: list[Redirect] = []
        spans: list[Span] = []
        for child in node.children if node.kind != "variable_assignment" else [node]:
            if child.kind == "file_redirect":
                if spans and spans[-1][1] == child.start and self._text[child.start].isdigit():
                    self._found.doubt(DISAGREE)
                found, surplus = self.redirect(child, state)
                redirects.append(found)
                spans += surplus
            elif child.kind != "comment":
                _add_span(spans, child)
        spans += extras.words
        assignments: list[Assignment] = []
        is_declaration = node.kind == "declaration_command"
        while spans and not is_declaration and (match := ASSIGNMENT.match(self._text, *spans[0])):
            assignments.append(self._assignment(*spans.pop(0), match))
        if node.kind.startswith("variable_assignment") and spans:
            self._found.doubt(DISAGREE)
        readings = [self._declared(*span) if is_declaration else self._words.read(*span) for span in spans]
        for start, end in spans:
            if self._text[end : end + 1] in ("<", ">") and DESCRIPTOR.fullmatch(self._text, start, end):
                self._found.doubt("a redirection chooses its descriptor itself")
        command = self._command(readings, state, piped, (*redirects, *outer), tuple(assignments))
        return self._unreserved(command, state) if node.kind == "command" else command

    def redirect(self, node: Node, state: State) -> tuple[Redirect, list[Span]]:
        """A redirection, and the words that the tree counts to it although they are the command's."""
        spans: list[Span] = []
        match = REDIRECTION.match(self._text, node.start, node.end)
        start = match.end() if match else node.end
        for child in node.children:
            if child.start >= start and child.kind != "comment":
                _add_span(spans, child)
        if match is None or match[1].startswith("{"):
            self._found.doubt("a redirection chooses its descriptor itself")
        operator = match[2] if match else ">"
        if match and operator in ("<<", "<<-"):
            return self._heredoc(match.start(2), node, spans, state), spans[1:]
        target = self._words.read(*spans[0], is_value=operator == "<<<").word if spans else None
        kind: Kind = KINDS.get(operator, "duplicate")
        if kind == "duplicate" and target is not None and re.fullmatch(r"[0-9]+-?|-", target.value or "") is None:
            kind = "write" if operator == ">&" else "read"
            if target.value is None:
                self._found.doubt("a redirection goes to a descriptor that is only known when it runs")
        end = spans[0][1] if spans else node.end
        source = plain_text(self._text[node.start : end])
        found = Redirect(source=source, kind=kind, target=target, cwd=state.folder, folders=folders_of(state))
        return found, spans[1:]

    def _heredoc(self, at: int, node: Node, spans: list[Span], state: State) -> Redirect:
        """``<<EOF``; ``at`` is where its operator begins."""
        heredoc = self._heredocs.get(at)
        feeds: str | None = None
        if heredoc is None or not spans or spans[0][1] != heredoc.word_end:
            self._found.doubt("it is not clear where a heredoc ends")
        elif heredoc.is_quoted or not re.search(r"[$`\\]", self._text[heredoc.body : heredoc.body_end]):
            feeds = plain_text(self._text[heredoc.body : heredoc.body_end])
        else:
            self._words.read_body(heredoc.body, heredoc.body_end)
        source = plain_text(self._text[node.start : spans[0][1] if spans else node.end])
        return Redirect(source=source, kind="heredoc", text=feeds, cwd=state.folder, folders=folders_of(state))

    def _command(
        self,
        readings: Sequence[Reading],
        state: State,
        piped: tuple[Command, ...],
        redirects: tuple[Redirect, ...],
        assignments: tuple[Assignment, ...] = (),
    ) -> Command:
        words = tuple(reading.word for reading in readings)
        command = Command(
            words=words,
            assignments=assignments,
            redirects=redirects,
            cwd=state.folder,
            folders=folders_of(state),
            piped_from=piped,
        )
        if (words and words[0].value is None) or not all(word.is_one for word in words[:1]):
            base = words[0].source.rpartition("/")[2]
            # Of ``/???/touch`` the pattern leaves little doubt which program it finds.
            ways = readings[0].ways or (((base,),) if base.isalnum() and words[0].has_glob else ())
            runs = tuple(
                self.completed(
                    replace(command, words=(*map(plain_word, way), *words[1:]), assignments=(), redirects=()), state
                )
                for way in ways
            )
            return (
                replace(self.completed(command, state), runs=runs, doubt=DYNAMIC)
                if runs
                else self.completed(command, state)
            )
        return self.completed(command, state)

    def completed(self, command: Command, state: State, depth: int = 0) -> Command:
        """The command with what it runs."""
        self._left -= depth > 0
        if depth >= MAX_RUNS or self._left < 0:
            return replace(command, doubt="it runs too many commands within each other")
        run = looked_into(command)
        runs: list[Command] = []
        inner = state.moved(None) if run.is_elsewhere else state
        for words in run.commands:
            argv = Command(words=words, cwd=inner.folder, folders=folders_of(inner), piped_from=command.piped_from)
            runs.append(
                self._unreserved(self.completed(_with_assignments(argv, command), inner, depth + 1), inner, depth + 1)
            )
        doubts = [run.doubt]
        for text in run.texts:
            found = self._nested(text, inner if run.is_same_shell else inner.of_child())
            runs += found.commands
            if found.redirects:
                runs.append(Command(redirects=tuple(found.redirects)))
            doubts += found.doubts
            self._found.variables |= found.variables
            self._found.loop_names |= found.loop_names
        doubts.append(evaluation_doubt(command))
        doubt = next(filter(None, doubts), "")
        return replace(command, runs=(*command.runs, *runs), is_wrapper=run.is_wrapper, doubt=doubt)

    def _unreserved(self, command: Command, state: State, depth: int = 0) -> Command:
        """A reserved word is no command: the tree has missed what it begins."""
        if not command.words or command.words[0].source not in RESERVED:
            return command
        self._found.doubt(DISAGREE)
        rest = replace(command, words=command.words[1:], redirects=(), assignments=())
        if not rest.words or depth >= MAX_RUNS:
            return command
        inner = self._unreserved(self.completed(rest, state, depth + 1), state, depth + 1)
        return replace(command, runs=(*command.runs, inner))

    def _assignment(self, start: int, end: int, match: re.Match[str]) -> Assignment:
        text = self._text
        if match[2] and not re.fullmatch(r"\[[0-9]+\]", match[2]):
            self._found.doubt("the index of an array may run what its variables hold")
            self._words.read_body(start, match.end())
        value = self._array(match.end(), end) if text.startswith("(", match.end()) else None
        value = value or self._words.read(match.end(), end, is_value=True).word
        return Assignment(name=match[1], value=value, source=plain_text(text[start:end]))

    def _array(self, start: int, end: int) -> Word:
        at = start + 1
        while at < end - 1:
            at = BLANKS.match(self._text, at, end - 1).end()  # type: ignore[union-attr]
            if at >= end - 1:
                break
            if self._text[at] == "[" and not re.compile(r"\[[0-9]+\]=").match(self._text, at):
                self._found.doubt("the index of an array may run what its variables hold")
            _reading, at = self._words.read_next(at, end - 1, " \t\n")
        return Word(source=plain_text(self._text[start:end]), is_one=False)

    def _declared(self, start: int, end: int) -> Reading:
        """A word of ``export`` and its like, whose values are kept whole."""
        match = ASSIGNMENT.match(self._text, start, end)
        if match is None:
            return self._words.read(start, end)
        name = plain_text(match[0])
        value = self._assignment(start, end, match).value
        source = plain_text(self._text[start:end])
        values = tuple(name + each for each in value.values)
        return Reading(Word(source=source, values=values, head=name + value.head, lists=value.lists), ())

    def _condition(self, node: Node) -> list[Reading]:
        """The words of ``[ … ]`` and ``[[ … ]]``."""
        text, is_double = self._text, self._text.startswith("[[", node.start)
        opener, closer = ("[[", "]]") if is_double else ("[", "]")
        if not text.startswith(opener, node.start) or not text.endswith(closer, node.start, node.end):
            self._found.doubt(DISAGREE)
        stop = node.end - len(closer)
        readings = [Reading(plain_word(opener), ((opener,),))]
        at = node.start + len(opener)
        while True:
            blanks = BLANKS.match(text, at, stop)
            at = blanks.end() if blanks else stop
            if at >= stop:
                break
            operator = (
                CONDITION_OPERATORS.match(text, at, stop)
                if is_double and text[at : at + 2] not in ("<(", ">(")
                else None
            )
            if operator:
                readings.append(Reading(plain_word(operator[0]), ()))
                at = operator.end()
            else:
                reading, at = self._words.read_next(
                    at, stop, " \t\n()<>&|" if is_double else " \t\n", is_value=is_double
                )
                readings.append(reading)
        readings.append(Reading(plain_word(closer), ()))
        return readings


def folders_of(state: State) -> tuple[Path, ...]:
    """All the folders that it may be in, in a fixed order."""
    return () if state.folders is None else tuple(sorted(state.folders))


def plain_word(text: str) -> Word:
    """A word that is what it looks like."""
    return Word(source=text, values=(text,), head=text)


def _add_span(spans: list[Span], node: Node) -> None:
    """A word more, or more of the last word: nothing stands between."""
    if spans and spans[-1][1] == node.start:
        spans[-1] = (spans[-1][0], node.end)
    else:
        spans.append((node.start, node.end))


def _with_assignments(command: Command, outer: Command) -> Command:
    """``time`` is no program but part of the syntax, so assignments may follow it."""
    if outer.name not in ("time", "coproc"):
        return command
    assignments: list[Assignment] = []
    words = list(command.words)
    while words and (match := ASSIGNMENT.match(words[0].source)):
        word = words.pop(0)
        cut = len(match[0])
        value = Word(source=word.source[cut:], values=tuple(each[cut:] for each in word.values), head=word.head[cut:])
        assignments.append(Assignment(name=match[1], value=value, source=word.source))
    return replace(command, words=tuple(words), assignments=tuple(assignments))
