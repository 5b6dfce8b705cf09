"""Whether a command only reads: each program by its own grammar, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

from core.permissions.readonly import archives, awk, edits, find, git, jq, rg, sed, shell_builtins, system_programs
from core.permissions.readonly.edits import EDITS
from core.permissions.readonly.file_programs import FILES
from core.permissions.readonly.grammar import Grammar, NotReadOnlyError, long_options, short_options
from core.permissions.readonly.listing import plain_root
from core.permissions.readonly.look import Look
from core.permissions.readonly.names import holds_no_secret, is_ordinary, may_stand_alone, may_stand_before
from core.permissions.readonly.options import is_literal, parse
from core.permissions.readonly.removals import critical_of
from core.permissions.readonly.verdict import Judged, Verdict
from core.permissions.readonly.versions import tells_version
from core.permissions.readonly.wrappers import FINDERS, WRAPPERS, feeds_whole_lines, look_at_wrapper, runs_of
from core.permissions.shell.script import Command, Redirect, Script, Word

MAX_READINGS = 256
"""So many combinations of what a command's words may stand for are looked at."""

SYSTEM_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")

PROGRAMS: dict[str, Grammar] = {
    **FILES,
    **system_programs.OTHERS,
    **dict.fromkeys(("sed", "gsed"), sed.GRAMMAR),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), awk.GRAMMAR),
    **dict.fromkeys(("fd", "fdfind"), find.FD),
    "rg": rg.GRAMMAR,
}

SPECIAL: dict[str, Callable[[Look], None]] = {
    "find": find.look_at_find,
    "bfs": find.look_at_find,
    "git": git.look_at_git,
    "jq": jq.look_at_jq,
    "yq": jq.look_at_yq,
    "tar": archives.look_at_tar,
    "tee": shell_builtins.look_at_tee,
    "cd": shell_builtins.look_at_cd,
    "echo": shell_builtins.look_at_words,
    "printf": shell_builtins.look_at_printf,
    "test": shell_builtins.look_at_words,
    "[": shell_builtins.look_at_words,
    "[[": shell_builtins.look_at_words,
    "read": shell_builtins.look_at_read,
    "set": shell_builtins.look_at_set,
    "shopt": shell_builtins.look_at_shopt,
    "ip": system_programs.look_at_ip,
    **dict.fromkeys(("ulimit", "hash", "history", "alias"), shell_builtins.look_at_limits),
    "type": shell_builtins.look_at_names,
    **dict.fromkeys(("jobs", "wait"), shell_builtins.look_at_jobs),
    **dict.fromkeys(("declare", "typeset", "export", "readonly", "local"), shell_builtins.look_at_declarations),
    **dict.fromkeys(("printenv", "env"), shell_builtins.look_at_environment),
    **dict.fromkeys(
        "true false : exit return break continue times pwd umask dirs help".split(),
        shell_builtins.look_at_nothing,
    ),
}


def judge(
    command: Command, home: Path | None = None, start: Path | None = None, *, keeps_names: bool = False
) -> Verdict:
    """One command by itself; ``start`` is the folder in which the line begins to run.

    ``keeps_names``: the line makes no files, so that names on the disk are those that its commands will list.
    """
    if keeps_names:
        command = replace(command, words=tuple(map(_listed, command.words)))
    feeds_names = keeps_names and feeds_whole_lines(command)
    runs = [judge(run, home, start, keeps_names=feeds_names) for run in runs_of(command)]
    looks = [
        _look(Look(command=placed, words=words, home=home, start=start), runs)
        for placed in _placed(command)
        for words in _readings(command.words[1:])
    ]
    if not looks:
        looks = [(Look(command=command, words=command.words[1:], home=home, start=start), "too many things it may do")]
    verdict = _verdict(looks)
    return _with_runs(command, verdict, runs) if runs else verdict


def judge_script(script: Script, home: Path) -> Judged:
    """A whole shell line: each command and each redirection of it."""
    start = script.commands[0].cwd if script.commands else None
    unsafe = sorted(name for name in script.variables if not holds_no_secret(name))
    loops = tuple(
        f"a loop sets {name}, which may have a meaning" for name in sorted(script.loop_names) if not is_ordinary(name)
    )
    redirects = [
        (redirect, _judge_redirect(redirect, home)) for redirect in script.all_redirects() if _is_of_file(redirect)
    ]
    keeps_names = not any(
        command.name in EDITS or command.name == "tee" or (command.name == "sed" and _may_edit(command.words))
        for command in script.all_commands()
    ) and all(verdict.is_read_only for _redirect, verdict in redirects)
    return Judged(
        commands=tuple((command, judge(command, home, start, keeps_names=keeps_names)) for command in script.commands),
        redirects=tuple(redirects),
        doubts=(*script.doubts, *loops) or ((script.refusal,) if script.refusal else ()),
        secret=f"${unsafe[0]} may hold a secret" if unsafe else "",
    )


def _listed(word: Word) -> Word:
    """A word out of a listing, with what all that it lists begins with."""
    if word.values or word.head or not word.lists:
        return word
    return replace(word, head=plain_root(word.lists))


def _placed(command: Command) -> list[Command]:
    """The command in each folder that it may run in."""
    if command.cwd is not None or not command.folders:
        return [command]
    return [replace(command, cwd=folder) for folder in command.folders]


def _readings(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    """Every combination of what words of several texts may stand for; none where there are too many."""
    choices = [
        [replace(word, values=(value,), head=value) for value in word.values]
        if len(word.values) > 1 and word.is_one
        else [word]
        for word in words
    ]
    count = 1
    for choice in choices:
        count *= len(choice)
    return [] if count > MAX_READINGS else [tuple(reading) for reading in product(*choices)]


def _look(look: Look, runs: list[Verdict]) -> tuple[Look, str]:
    """What is found, and why it is not read-only; empty where it is."""
    try:
        _look_at(look, runs)
    except NotReadOnlyError as refusal:
        return look, str(refusal)
    return look, ""


def _look_at(look: Look, runs: list[Verdict]) -> None:
    command = look.command
    if not command.words:
        if not command.assignments or not all(map(may_stand_alone, command.assignments)):
            raise NotReadOnlyError("it sets a variable that may have a meaning")
        return
    first = command.words[0]
    if not is_literal(first) or first.has_glob or not command.name:
        raise NotReadOnlyError("it is not known which program it runs")
    name = command.name
    look.critical = critical_of(look)
    if "/" in first.head and first.head not in (folder + name for folder in SYSTEM_FOLDERS):
        raise NotReadOnlyError(f"{first.head} is a program that is not known")
    edits_files = name in EDITS or (name == "sed" and _may_edit(look.words))
    if edits_files or name == "tee":
        _look_at_edit(look, is_plain=not command.assignments)
    for assignment in command.assignments:
        if not may_stand_before(assignment, name):
            raise NotReadOnlyError(f"{assignment.name} before a command may change what it does")
    if command.doubt:
        raise NotReadOnlyError(command.doubt)
    _look_at_program(look, name, runs)


def _look_at_edit(look: Look, *, is_plain: bool) -> None:
    if look.command.name == "tee":
        edits.look_at_targets(look)
        return
    try:
        edits.look_at_edit(look)
    finally:
        look.is_file_edit = look.is_file_edit and is_plain


def _may_edit(words: tuple[Word, ...]) -> bool:
    return any(word.head.startswith("-") and ("i" in word.head) for word in words)


def _look_at_program(look: Look, name: str, runs: list[Verdict]) -> None:
    if name == "command" and look.words and look.words[0].value in ("-v", "-V"):
        return
    if name == "env" and not runs:
        shell_builtins.look_at_environment(look)
    elif name in WRAPPERS and not tells_version(name, look.words, look.command.cwd):
        look_at_wrapper(look, runs)
    elif runs and name not in FINDERS:
        raise NotReadOnlyError(f"{name} runs another program")
    elif name in SPECIAL:
        SPECIAL[name](look)
    elif name in PROGRAMS:
        _look_at_grammar(look, PROGRAMS[name])
    elif not tells_version(name, look.words, look.command.cwd):
        raise NotReadOnlyError(f"{name} is not known to only read")


def _look_at_grammar(look: Look, grammar: Grammar) -> None:
    parsed = parse(look.words, grammar)
    for option in parsed.options:
        if option.argument is not None and _takes_file(grammar, option.name):
            look.read(option.argument)
    operands = list(parsed.operands)
    if grammar.operands == "none" and operands:
        raise NotReadOnlyError("it changes something with an operand")
    if grammar.operands == "pattern" and not parsed.has(*grammar.pattern_options) and operands and operands[0].is_one:
        operands.pop(0)
    if grammar.operands in ("files", "pattern"):
        for word in operands:
            look.read(word, names_only=grammar.names_only)
    if grammar.check is not None:
        grammar.check(look, parsed)


def _takes_file(grammar: Grammar, name: str) -> bool:
    return (short_options(grammar.short) | long_options(grammar.long)).get(name) == "file"


def _verdict(looks: list[tuple[Look, str]]) -> Verdict:
    """All readings of a command in one verdict."""
    reason = next((reason for _look, reason in looks if reason), "")
    return Verdict(
        is_read_only=not reason,
        reason=reason or "it only reads",
        reads=_unique(path for look, _ in looks for path in look.reads),
        writes=_unique(path for look, _ in looks for path in look.writes),
        is_file_edit=all(look.is_file_edit for look, _ in looks),
        secret=next((look.secret for look, _ in looks if look.secret), ""),
        critical=next((look.critical for look, _ in looks if look.critical), ""),
        uses_git=any(look.uses_git for look, _ in looks),
    )


def _with_runs(command: Command, verdict: Verdict, runs: list[Verdict]) -> Verdict:
    """A wrapper's verdict with those of what it runs."""
    refused = [run for run in runs if not run.is_read_only]
    return Verdict(
        is_read_only=verdict.is_read_only and not refused,
        reason=refused[0].reason if verdict.is_read_only and refused else verdict.reason,
        reads=_unique(path for each in (verdict, *runs) for path in each.reads),
        writes=_unique(path for each in (verdict, *runs) for path in each.writes),
        is_file_edit=command.is_wrapper and verdict.is_read_only and all(run.is_file_edit for run in runs),
        secret=next((each.secret for each in (verdict, *runs) if each.secret), ""),
        critical=next((each.critical for each in (verdict, *runs) if each.critical), ""),
        uses_git=any(each.uses_git for each in (verdict, *runs)),
    )


def _unique(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def _is_of_file(redirect: Redirect) -> bool:
    if redirect.kind not in ("read", "write"):
        return False
    return redirect.target is None or redirect.target.value != "/dev/null" or not redirect.target.is_one


def _judge_redirect(redirect: Redirect, home: Path) -> Verdict:
    target = redirect.target
    if target is None:
        return Verdict(is_read_only=False, reason="it is not known what it reads")
    if target.head.startswith(("/dev/tcp", "/dev/udp")):
        return Verdict(is_read_only=False, reason=f"{redirect.source} opens a connection")
    places = redirect.folders if redirect.cwd is None and redirect.folders else (redirect.cwd,)
    looks = [Look(command=Command(cwd=place), words=(target,), home=home, start=None) for place in places]
    try:
        for look in looks:
            look.read(target)
    except NotReadOnlyError as refusal:
        if redirect.kind == "read":
            return Verdict(is_read_only=False, reason=str(refusal))
        return Verdict(is_read_only=False, reason=f"{redirect.source} writes a file that is not known")
    paths = _unique(path for look in looks for path in look.reads)
    if redirect.kind == "write":
        known = paths if is_literal(target) else ()
        return Verdict(is_read_only=False, reason=f"{redirect.source} writes a file", writes=known)
    secret = next((look.secret for look in looks if look.secret), "")
    return Verdict(is_read_only=True, reason="it only reads", reads=paths, secret=secret)
