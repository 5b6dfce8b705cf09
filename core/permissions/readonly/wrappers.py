"""Programs that run another command: harmless where that one is, and their own options are."""

from __future__ import annotations

from core.permissions.readonly.grammar import Grammar, NotReadOnlyError
from core.permissions.readonly.look import Look
from core.permissions.readonly.options import is_literal, parse
from core.permissions.readonly.verdict import Verdict
from core.permissions.shell.script import Command, Word

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
        ("bash", "sh", "dash"), Grammar(short="ceuxf", long="norc noprofile", operands="text", is_ordered=True)
    ),
}


def look_at_wrapper(look: Look, runs: list[Verdict]) -> None:
    """Looks at a wrapper whose commands were judged."""
    command = look.command
    parsed = parse(look.words, WRAPPERS[command.name])
    for word in parsed.given("-d", "--delimiter", "-I"):
        if not is_literal(word):
            raise NotReadOnlyError("it is not known what xargs runs")
    if command.name in ("bash", "sh", "dash") and (not parsed.has("-c") or len(parsed.operands) != 1):
        raise NotReadOnlyError(f"{command.name} runs what it is given")
    if command.name == "xargs" and not parsed.operands:
        return
    if not runs:
        raise NotReadOnlyError(f"it is not known what {command.name} runs")


def given_by_xargs(command: Command) -> tuple[Command, ...]:
    """What xargs runs, with the words that it adds from its input."""
    grammar = WRAPPERS["xargs"]
    try:
        parsed = parse(command.words[1:], grammar)
    except NotReadOnlyError:
        return command.runs
    marks = [word.value or "{}" for word in parsed.given("-I", "--replace", "-i")]
    marks += ["{}"] if parsed.has("-i", "--replace") and not marks else []
    return tuple(_fed(run, command.piped_from, marks) for run in command.runs)


def _fed(run: Command, source: tuple[Command, ...], marks: list[str]) -> Command:
    unknown = Word(source="what xargs adds", is_one=False, lists=source)
    words = (*run.words, unknown) if not marks else tuple(_replaced(word, marks[-1], source) for word in run.words)
    return Command(
        words=words, assignments=run.assignments, redirects=run.redirects, cwd=run.cwd, runs=run.runs, doubt=run.doubt
    )


def _replaced(word: Word, mark: str, source: tuple[Command, ...]) -> Word:
    if not mark or not any(mark in value for value in word.values or (word.source,)):
        return word
    known = word.head.partition(mark)[0]
    return Word(source=word.source, head=known, lists=source if word.value == mark else ())
