"""Programs that run another command: harmless where that one is, and their own options are."""

from __future__ import annotations

from dataclasses import replace

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError
from core.permissions.readonly.look import Look
from core.permissions.readonly.names import may_stand_before
from core.permissions.readonly.options import is_literal, literal, parse
from core.permissions.readonly.verdict import Verdict
from core.permissions.shell.script import Assignment, Command, Word

PLACE = "{}"
"""Where find and xargs put the names of files."""

WHOLE = frozenset("-0 --null -r --no-run-if-empty -n --max-args -P --max-procs -I -L -t --verbose".split())
"""Options of xargs with which it does not cut names up."""

FINDERS = frozenset({"find", "bfs"})

WRAPPERS: dict[str, Grammar] = {
    "timeout": Grammar(short="k:s:v", long="kill-after: signal: preserve-status foreground verbose", is_ordered=True),
    "nice": Grammar(short="n:", long="adjustment:", has_numbers=True, is_ordered=True),
    "nohup": Grammar(is_ordered=True),
    "time": Grammar(short="pvf:", long="portability verbose format:", is_ordered=True),
    "stdbuf": Grammar(short="i:o:e:", long="input: output: error:", is_ordered=True),
    "command": Grammar(short="p", is_ordered=True),
    "builtin": Grammar(is_ordered=True),
    "env": Grammar(is_ordered=True),
    "xargs": Grammar(
        short="0rtn:P:I:L:d:s:xE:i?l?",
        long="null no-run-if-empty verbose max-args: max-procs: replace? max-lines? delimiter: max-chars: exit",
        is_ordered=True,
    ),
    **dict.fromkeys(
        ("bash", "sh", "dash"), Grammar(short="cneuxf", long="norc noprofile", operands="text", is_ordered=True)
    ),
}


def look_at_wrapper(look: Look, runs: list[Verdict]) -> None:
    """Looks at a wrapper whose commands were judged."""
    command = look.command
    parsed = parse(look.words, WRAPPERS[command.name])
    for word in parsed.given("-d", "--delimiter", "-I"):
        if not is_literal(word):
            raise NotReadOnlyError("it is not known what xargs runs")
    if command.name in ("bash", "sh", "dash") and parsed.has("-n") and not parsed.has("-c"):
        # Behind the file nothing is an option any more; ``+n`` before it would have it run.
        words = look.words
        if len(words) < 2 or words[0].value != "-n" or not words[1].head or words[1].head[0] in "-+":
            raise NotReadOnlyError(f"{command.name} reads a script without running it only as {command.name} -n FILE")
        for word in parsed.operands:
            look.read(word)
        return
    if command.name in ("bash", "sh", "dash") and (not parsed.has("-c") or len(parsed.operands) != 1):
        raise NotReadOnlyError(f"{command.name} runs what it is given")
    if command.name == "xargs" and not parsed.operands:
        return
    if command.name == "env":
        _check_settings(parsed.operands, command)
    if not runs:
        raise NotReadOnlyError(f"it is not known what {command.name} runs")


def _check_settings(words: tuple[Word, ...], command: Command) -> None:
    """The variables that env sets for what it runs."""
    program = command.runs[0].name if command.runs else ""
    for word in words:
        name, equals, value = word.head.partition("=")
        if not equals or not is_literal(word):
            return
        if not may_stand_before(Assignment(name=name, value=literal(value), source=word.source), program):
            raise NotReadOnlyError(f"{name} may change what the command does")


def runs_of(command: Command) -> tuple[Command, ...]:
    """What a command runs; words that it fills in itself are traced to where they come from."""
    if command.name == "xargs":
        try:
            parsed = parse(command.words[1:], WRAPPERS["xargs"])
        except NotReadOnlyError:
            return command.runs
        marks = [word.value or PLACE for word in parsed.given("-I", "-i", "--replace")]
        return tuple(_fed(run, command.piped_from, marks[-1] if marks else PLACE) for run in command.runs)
    if command.name in FINDERS:
        return tuple(_fed(run, (command,), PLACE) for run in command.runs)
    return command.runs


def feeds_whole_lines(command: Command) -> bool:
    """Whether what it runs is given the lines or words of the pipe before it, whole."""
    if any(redirect.kind in ("read", "heredoc", "here_string", "duplicate") for redirect in command.redirects):
        return False
    if command.name != "xargs":
        return True
    try:
        parsed = parse(command.words[1:], WRAPPERS["xargs"])
    except NotReadOnlyError:
        return False
    is_usual = all(option.name in WHOLE or option.name in ("-d", "--delimiter") for option in parsed.options)
    return is_usual and all(word.value == "\\n" for word in parsed.given("-d", "--delimiter"))


def _fed(run: Command, source: tuple[Command, ...], mark: str) -> Command:
    words = tuple(
        replace(word, lists=source) if not word.values and word.source in (PLACE, mark) else word for word in run.words
    )
    return replace(run, words=words, runs=tuple(_fed(inner, source, mark) for inner in run.runs))
