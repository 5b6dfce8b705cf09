"""The decision for a shell line: every command and every redirection in it is judged on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from glob import iglob
from itertools import islice
from pathlib import Path

from core.permissions.access import ShellAccess
from core.permissions.concerns import is_guarded, read_concern, write_concern
from core.permissions.decision import Decision, allowed_by
from core.permissions.matching import allows_command, allows_paths, concerns_command, concerns_paths, is_bare
from core.permissions.policy import Policy
from core.permissions.readonly.verdict import Verdict
from core.permissions.rules import Rule
from core.permissions.shell.script import Command, Redirect
from core.protocol.views import CallPart

MAX_MATCHES = 200
TAIL = re.compile("[=@:]")
HARMLESS = "it only reads"
ACCEPTED = "edits in the working folder are accepted"


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """One command or redirection with what was decided for it."""

    part: Command | Redirect
    verdict: Verdict
    decision: Decision

    def shown(self) -> CallPart:
        """As the window shows it."""
        return CallPart(text=as_written(self.part), behavior=self.decision.behavior, reason=self.decision.reason)


def decide_line(tool: str, shell: ShellAccess, policy: Policy) -> Decision:
    """Rules that allow, then the mode and what is harmless. What denies or asks by rule was looked at before."""
    parts = judge_parts(tool, shell, policy)
    shown = tuple(part.shown() for part in parts)
    critical = critical_removal(shell)
    if critical:
        return Decision(behavior="ask", reason=critical, parts=shown)
    for judged in parts:
        # Allowing rules do not help there.
        if any(is_guarded(path, policy) for path in judged.verdict.writes):
            return Decision(behavior="ask", reason=judged.decision.reason, parts=shown)
    whole = whole_line_rule(tool, shell, policy)
    if whole:
        return allowed_by(whole, shown)
    doubts = [*shell.judged.doubts, *([shell.judged.secret] if shell.judged.secret else [])]
    if doubts:
        return Decision(behavior="ask", reason="; ".join(doubts), parts=shown)
    asking = next((judged for judged in parts if judged.decision.behavior == "ask"), None)
    if asking:
        return Decision(behavior="ask", reason=asking.decision.reason, parts=shown)
    ruling = next((judged.decision.rule for judged in parts if judged.decision.rule), None)
    if ruling:
        return allowed_by(ruling, shown)
    is_harmless = shell.judged.is_read_only
    reason = HARMLESS if is_harmless else ACCEPTED
    if not parts:
        return Decision(behavior="ask", reason="there is nothing in it that could be judged")
    return Decision(behavior="allow", reason=reason, parts=shown, is_harmless=is_harmless)


def judge_parts(tool: str, shell: ShellAccess, policy: Policy) -> list[JudgedPart]:
    """Each command and each redirection of the line, in order."""
    parts = [
        JudgedPart(part, verdict, _command(tool, part, verdict, policy)) for part, verdict in shell.judged.commands
    ]
    return parts + [
        JudgedPart(part, verdict, _redirect(part, verdict, policy)) for part, verdict in shell.judged.redirects
    ]


def whole_line_rule(tool: str, shell: ShellAccess, policy: Policy) -> Rule | None:
    """The allowing rule that speaks for all of the line: for every command, or for exactly this text."""
    source = shell.script.source.strip()
    for rule in policy.of("allow"):
        if is_bare(rule, tool) or (rule.tool == tool and rule.spec == source):
            return rule
    return None


def names_part(rule: Rule, tool: str, shell: ShellAccess, policy: Policy) -> bool:
    """Whether a rule that denies or asks names any command of the line, at any depth, or any file that it touches."""
    if rule.tool == tool:
        named = (concerns_command(rule, command) for command in shell.script.all_commands())
        return rule.spec == shell.script.source.strip() or any(named)
    if rule.tool not in ("Read", "Edit") or not rule.spec:
        return False
    for part, verdict in (*shell.judged.commands, *shell.judged.redirects):
        writes = verdict.writes if verdict.is_file_edit or isinstance(part, Redirect) else ()
        paths = writes if rule.tool == "Edit" else (*verdict.reads, *writes)
        if concerns_paths(rule, paths, policy):
            return True
    return False


def may_touch(rule: Rule, shell: ShellAccess, policy: Policy) -> bool:
    """Whether the line may touch a file that a denying rule names, although nobody knows what it does with it.

    Programs that are not known are told files by any of their words; a pattern is followed on the disk.
    """
    if rule.tool not in ("Read", "Edit") or not rule.spec:
        return False
    known = {id(command): verdict for command, verdict in shell.judged.commands}
    for command in shell.script.all_commands():
        verdict = known.get(id(command))
        is_read_only = verdict is not None and verdict.is_read_only
        if is_read_only and rule.tool == "Edit":
            continue
        paths = [*(verdict.writes if verdict else ()), *_matched(command)]
        if not is_read_only or command.name == "git":
            paths += _named(command)
        if concerns_paths(rule, tuple(paths), policy):
            return True
    return False


def _matched(command: Command) -> Iterator[Path]:
    """The files that patterns of its words stand for now."""
    for folder in command.folders:
        for pattern in {pattern for word in command.words for pattern in word.matches}:
            found = iglob(pattern, root_dir=folder)  # noqa: PTH207  a pattern may be absolute
            yield from (folder / name for name in islice(found, MAX_MATCHES))


def _named(command: Command) -> Iterator[Path]:
    """What any word, or the end of it behind ``=``, ``@`` or ``:``, would be as a file."""
    for value in (value for word in command.words[1:] for value in word.values):
        for text in {value, *TAIL.split(value)}:
            if text and "\0" not in text:
                yield from (folder / text for folder in command.folders)


def critical_removal(shell: ShellAccess) -> str:
    """Why the line is asked about in every mode: it removes a folder that everything hangs on."""
    return next((verdict.critical for _part, verdict in shell.judged.commands if verdict.critical), "")


def _command(tool: str, command: Command, verdict: Verdict, policy: Policy) -> Decision:
    for path in verdict.writes:
        if is_guarded(path, policy):
            return Decision(behavior="ask", reason=write_concern(path, policy))
    rule = _covering(tool, command, policy)
    if rule:
        return allowed_by(rule)
    concern = next((text for text in _concerns(verdict, policy) if text), "")
    if verdict.is_read_only:
        behavior = "ask" if concern else "allow"
        return Decision(behavior=behavior, reason=concern or HARMLESS, is_harmless=not concern)
    if policy.mode == "acceptEdits" and verdict.is_file_edit:
        return Decision(behavior="ask" if concern else "allow", reason=concern or ACCEPTED)
    return Decision(behavior="ask", reason=verdict.reason or "it may change something")


def _covering(tool: str, command: Command, policy: Policy) -> Rule | None:
    """The rule that allows a command, or what it runs where rules look through it."""
    for rule in policy.of("allow"):
        if rule.tool == tool and (not rule.spec or allows_command(rule, command)):
            return rule
    if not command.is_wrapper or not command.runs:
        return None
    covering = [_covering(tool, inner, policy) for inner in command.runs]
    return covering[0] if all(covering) else None


def _redirect(redirect: Redirect, verdict: Verdict, policy: Policy) -> Decision:
    for path in verdict.writes:
        if is_guarded(path, policy):
            return Decision(behavior="ask", reason=write_concern(path, policy))
    concern = next((text for text in _concerns(verdict, policy) if text), "")
    if verdict.writes:
        edits = (rule for rule in policy.of("allow") if rule.tool == "Edit")
        rule = next((rule for rule in edits if not rule.spec or allows_paths(rule, verdict.writes, policy)), None)
        if rule:
            return allowed_by(rule)
        if policy.mode == "acceptEdits" and not concern:
            return Decision(behavior="allow", reason=ACCEPTED)
        names = ", ".join(str(path) for path in verdict.writes)
        return Decision(behavior="ask", reason=concern or f"it writes {names}")
    if verdict.is_read_only:
        behavior = "ask" if concern else "allow"
        return Decision(behavior=behavior, reason=concern or HARMLESS, is_harmless=not concern)
    return Decision(behavior="ask", reason=verdict.reason or f"nobody knows where {redirect.source} leads")


def _concerns(verdict: Verdict, policy: Policy) -> Iterator[str]:
    yield verdict.secret
    for path in verdict.writes:
        yield write_concern(path, policy)
    for path in verdict.reads:
        yield read_concern(path, policy)


def as_written(part: Command | Redirect) -> str:
    """A part of a line as people read it."""
    if isinstance(part, Redirect):
        return part.source
    return " ".join([*(item.source for item in part.assignments), part.text]).strip()
