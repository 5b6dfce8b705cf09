"""What a command changes of the shell that it runs in: its folder, and its variables."""

from __future__ import annotations

import re
from dataclasses import replace

from core.permissions.shell.script import Command, Word
from core.permissions.shell.state import Flow, State, gone_to
from core.permissions.shell.words import Known

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WRITERS = frozenset(
    "read printf mapfile readarray getopts let unset export declare typeset local readonly wait select ((".split()
)
"""What may set the variables that its words name."""

FORGETTING = frozenset("eval source . trap enable unalias alias coproc shopt set jobs".split())
"""What may change anything at all, at once or later."""

HARMLESS_OPTION = re.compile(
    r"-[su]|[-+][euxvfC]*o?|pipefail|errexit|nounset|xtrace|verbose|noglob|noclobber"
    r"|globstar|nullglob|dotglob|nocaseglob|failglob"
)
"""What ``set`` and ``shopt`` are told when no variable and no later command means anything else for it."""

MOVING = frozenset({"cd", "pushd", "popd"})
TRANSPARENT = frozenset({"command", "builtin", "time"})
PLAIN_DECLARATIONS = frozenset({"export", "readonly", "declare", "typeset", "local"})


NO_CDPATH = Known(("",))


def effect_of(command: Command, state: State) -> Flow:
    """What is known after the command; ``state`` is what was known before."""
    if not command.words:
        for assignment in command.assignments:
            is_plain = assignment.source.startswith(f"{assignment.name}=")
            value = assignment.value
            known = Known(value.values, value.head, value.lists, value.matches) if is_plain else Known()
            state = state.with_variable(assignment.name, known)
        return Flow(state, state)
    name = command.words[0].value
    if name in ("set", "shopt") and all(HARMLESS_OPTION.fullmatch(word.value or "") for word in command.words[1:]):
        return Flow(state, state)
    if name == "jobs" and not command.runs:
        return Flow(state, state)
    if name is None or name in FORGETTING:
        return Flow(state.forgotten(), state.forgotten())
    if name in TRANSPARENT and len(command.words) > 1:
        if not command.runs:
            return _forgetful(state, command)
        run = command.runs[0]
        redirects, assignments = command.redirects + run.redirects, command.assignments + run.assignments
        return effect_of(replace(run, redirects=redirects, assignments=assignments), state)
    if name == "exit":
        return Flow(None, None)
    if name in MOVING:
        return Flow(_moved(command.words, state), state if name == "cd" else state.moved(None))
    if name in WRITERS:
        state = _written(command, state)
    return Flow(state, state)


def written_names(text: str) -> frozenset[str] | None:
    """The variables that a command of ``WRITERS`` may set, going by its text; None where its text does not say."""
    return None if "$" in text or "`" in text else frozenset(IDENTIFIER.findall(text))


def _forgetful(state: State, command: Command) -> Flow:
    """``command -v x`` changes nothing; of anything else that is not looked into, nothing is known."""
    is_lookup = any((word.value or "").startswith(("-v", "-V")) for word in command.words[1:2])
    after = state if is_lookup else state.forgotten()
    return Flow(after, after)


def _written(command: Command, state: State) -> State:
    if command.name in PLAIN_DECLARATIONS:
        return _declared(command, state)
    if command.name == "printf" and command.words[1:2] and command.words[1].head[:1] not in ("", "-"):
        return state
    names = written_names(command.text)
    if command.name == "read" and names is not None:
        # It sets them whether it finds anything or not.
        words = [word.value for word in command.words[1:]]
        # ``-d ''`` reads up to a NUL: still a name, or all of them.
        at = next((at for at, text in enumerate(words) if text in ("-d", "-rd") and words[at + 1 : at + 2] == [""]), -1)
        rest = words if at < 0 else words[:at] + words[at + 2 :]
        operands = [text or "" for text in rest if not (text or "").startswith("-")]
        is_whole = all(each.name == "IFS" and each.value.value == "" for each in command.assignments)
        is_line = len(operands) == 1 and is_whole and not command.redirects
        known = Known(lists=command.piped_from if is_line else ())
        for name in operands or ["REPLY"]:
            state = state.with_variable(name, known)
        return state
    return state.forgotten() if names is None else state.without(names)


def _declared(command: Command, state: State) -> State:
    options = "".join(word.value or "-?" for word in command.words[1:] if word.head.startswith("-"))
    is_plain = re.fullmatch(r"[-xrg]*", options) is not None
    for word in command.words[1:]:
        match = re.match(r"([A-Za-z_][A-Za-z0-9_]*)=", word.head)
        if match is None:
            if (names := written_names(word.source)) is None:
                return state.forgotten()
            state = state.without(names)
            continue
        cut = len(match[0])
        known = Known(tuple(value[cut:] for value in word.values), word.head[cut:]) if is_plain else Known()
        state = state.with_variable(match[1], known)
    return state


def _moved(words: tuple[Word, ...], state: State) -> State:
    """After a ``cd`` that succeeded."""
    operands = list(words[1:])
    while operands and operands[0].value in ("-L", "--"):
        if operands.pop(0).value == "--":
            break
    if words[0].value != "cd" or len(operands) > 1:
        return state.moved(None)
    if not operands:
        home = state.variables.get("HOME")
        return state.moved(gone_to(None, home.values) if home and home.values else None)
    target = operands[0]
    if (
        not target.values
        or not target.is_one
        or any(value in ("", "-") or value.startswith("-") for value in target.values)
    ):
        return state.moved(None)
    if state.variables.get("CDPATH") != NO_CDPATH and not all(
        value.startswith(("/", "./", "../")) or value in (".", "..") for value in target.values
    ):
        return state.moved(None)
    return state.moved(gone_to(state.folders, target.values))
