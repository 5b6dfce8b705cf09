"""Checks permission cases: lines of JSON that say what a command is, or what rules make of a call.

``{"id", "command", "readonly"}`` with ``auto_allow``, ``hard`` and ``soft``: whether the command runs unasked.
``{"id", "rules", "tool", "input", "cwd", "expect"}`` with ``mode``, ``fs`` (symlinks), ``rules_source``,
``additional_dirs`` and ``platform``: what is decided. Home is ``/home/u``, the folder trusted, no file is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.permissions.decide import decide
from core.permissions.paths import normal
from core.permissions.policy import Policy
from core.permissions.rules import ALIASES, Rule, parse_rule
from core.programs.permission_calls import access_of
from core.protocol.errors import AgentError
from core.protocol.views import Behavior

HOME = Path("/home/u")
BEHAVIORS: tuple[Behavior, ...] = ("allow", "ask", "deny")
MAX_LINKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case checked. ``expected`` and ``actual`` are true or false for a command, a decision for a call."""

    id: str
    ok: bool
    expected: bool | str
    actual: bool | str
    reason: str
    is_soft: bool = False
    """Whether either answer is fine."""


def check_cases(lines: Iterator[str]) -> Iterator[CaseResult]:
    """Each case of a file. Raises ``AgentError`` for a line that is no case."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case: dict[str, Any] = json.loads(line)
            yield _check_command(case) if "command" in case else _check_call(case)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AgentError(f"Line {number} is no case ({type(error).__name__}: {error}).") from error


def _check_command(case: Mapping[str, Any]) -> CaseResult:
    access = access_of("Bash", {"command": case["command"]}, Path.cwd())
    assert access.shell is not None
    judged = access.shell.judged
    actual = access.is_read_only and not judged.secrets and not access.shell.script.refusal
    expected = bool(case.get("auto_allow", case["readonly"]))
    is_soft = bool(case.get("soft"))
    # A hard one may be asked about, never the other way round.
    ok = actual == expected or is_soft or bool(case.get("hard") and not actual)
    verdicts = [verdict for _part, verdict in (*judged.commands, *judged.redirects)]
    reasons = [*judged.doubts, *judged.secrets, *(verdict.reason for verdict in verdicts if not verdict.is_read_only)]
    return CaseResult(
        id=str(case["id"]), ok=ok, expected=expected, actual=actual, reason="; ".join(reasons), is_soft=is_soft
    )


def _check_call(case: Mapping[str, Any]) -> CaseResult:
    cwd = Path(case["cwd"])
    policy = Policy(
        mode=case.get("mode", "default"),
        cwd=cwd,
        roots=(cwd, *(Path(folder) for folder in case.get("additional_dirs", ()))),
        rules=tuple(_rules(case, cwd)),
        home=HOME,
        ignores_case=case.get("platform") == "macos",
        resolve=_links(case.get("fs", {}), cwd),
    )
    try:
        tool = str(case["tool"])
        tool = ALIASES.get(tool, tool)
        decision = decide(tool, access_of(tool, case["input"], cwd, HOME), policy)
        actual, reason = decision.behavior, decision.reason
    except AgentError as error:
        actual, reason = "deny", str(error)
    expected, is_soft = str(case["expect"]), bool(case.get("soft"))
    return CaseResult(
        id=str(case["id"]),
        ok=actual == expected or is_soft,
        expected=expected,
        actual=actual,
        reason=reason,
        is_soft=is_soft,
    )


def _rules(case: Mapping[str, Any], cwd: Path) -> Iterator[Rule]:
    """The rules that can be used; a malformed one is left out, as it is from a settings file."""
    base = HOME / ".claude" if case.get("rules_source") == "user" else cwd
    for behavior in BEHAVIORS:
        for text in case["rules"].get(behavior, ()):
            try:
                yield parse_rule(text, behavior, layer="project", source="the case", base=base)
            except ValueError:
                continue


def _links(links: Mapping[str, str], cwd: Path) -> Callable[[Path], Path]:
    """Follows the symlinks of a case: ``{"links/key": "-> /home/u/.ssh/id_rsa"}``."""
    targets = {
        cwd / name: cwd / target.removeprefix("->").strip() for name, target in links.items() if target.startswith("->")
    }

    def resolve(path: Path) -> Path:
        path = normal(path)
        for _ in range(MAX_LINKS):
            link = next((folder for folder in (path, *path.parents) if folder in targets), None)
            if link is None:
                break
            path = normal(targets[link] / path.relative_to(link))
        return path

    return resolve
