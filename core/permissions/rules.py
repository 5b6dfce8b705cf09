"""Permission rules in memory: ``Tool`` or ``Tool(specifier)``.

``Bash(git commit:*)`` matches a plain command by prefix, ``Bash(make test)`` by its whole text,
``Edit(src/**)`` and ``Read(//etc/**)`` paths in gitignore form. ``Edit`` speaks for every tool that writes
files, ``Read`` for every one that reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from core.permissions.access import Access
from core.permissions.paths import resolve

RULE = re.compile(r"(?P<tool>[A-Za-z0-9_*-]+)(?:\((?P<spec>.*)\))?", re.DOTALL)
SHELL_SYNTAX = re.compile(r"[;&|<>`$(){}\n\\]")
"""Characters with which a command may hold more than one; such a command never matches by prefix."""
SEPARATORS = re.compile(r"&&|\|\||[;&|\n(){}`]|\$\(")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule and where it came from (a file, ``--allowedTools``, this session)."""

    tool: str
    spec: str = ""
    source: str = ""

    def __str__(self) -> str:
        return f"{self.tool}({self.spec})" if self.spec else self.tool


def parse_rule(text: str, source: str) -> Rule:
    """Raises ``ValueError`` for what is not a rule: a malformed one must never allow."""
    match = RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rule: write Tool or Tool(specifier)")
    spec = (match["spec"] or "").strip()
    return Rule(match["tool"], "" if spec == "*" else spec, source)


def first_allowing(rules: Iterable[Rule], tool: str, access: Access, cwd: Path) -> Rule | None:
    """The rule that allows the whole call: each of its paths, or its command as it stands."""
    return next((rule for rule in rules if _allows(rule, tool, access, cwd)), None)


def first_denying(rules: Iterable[Rule], tool: str, access: Access, cwd: Path) -> Rule | None:
    """The rule that denies any part of the call: one path, or any command in the line."""
    return next((rule for rule in rules if _denies(rule, tool, access, cwd)), None)


def _allows(rule: Rule, tool: str, access: Access, cwd: Path) -> bool:
    if not _speaks_for(rule, tool, access):
        return False
    if not rule.spec:
        return True
    if access.command:
        return _command_matches(rule.spec, access.command)
    paths = [*access.reads, *access.writes]
    return bool(paths) and all(
        _path_matches(rule.spec, path, cwd) and _path_matches(rule.spec, resolve(path), cwd) for path in paths
    )


def _denies(rule: Rule, tool: str, access: Access, cwd: Path) -> bool:
    if not _speaks_for(rule, tool, access, denying=True):
        return False
    if not rule.spec:
        return True
    if access.command:
        parts = [part.strip() for part in SEPARATORS.split(access.command)]
        return any(_command_matches(rule.spec, part) for part in [access.command, *parts] if part)
    paths = [*access.reads, *access.writes]
    return any(_path_matches(rule.spec, path, cwd) or _path_matches(rule.spec, resolve(path), cwd) for path in paths)


def _speaks_for(rule: Rule, tool: str, access: Access, *, denying: bool = False) -> bool:
    if rule.tool in (tool, "*"):
        return True
    if rule.tool == "Edit":
        return bool(access.writes) or (not denying and bool(rule.spec) and bool(access.reads))
    if rule.tool == "Read":
        return bool(access.reads) or (denying and bool(access.writes))
    return False


def _command_matches(spec: str, command: str) -> bool:
    command = command.strip()
    if spec == command:
        return True
    if SHELL_SYNTAX.search(command):
        return False
    pattern = spec[:-2] + " *" if spec.endswith(":*") else spec
    if pattern.endswith(" *"):
        head = pattern[:-2]
        return command == head or _glob(head + " ", command, is_prefix=True)
    return "*" in pattern and _glob(pattern, command, is_prefix=False)


def _glob(pattern: str, text: str, *, is_prefix: bool) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.match(expression if is_prefix else expression + r"\Z", text, re.DOTALL) is not None


def _path_matches(spec: str, path: Path, cwd: Path) -> bool:
    if spec.startswith("//"):
        base, pattern = Path("/"), spec[1:]
    elif spec.startswith("~/"):
        base, pattern = Path.home(), spec[1:]
    else:
        base, pattern = cwd, spec.removeprefix("./")
    for root in {base, resolve(base)}:
        if path.is_relative_to(root):
            return _compiled(pattern).match_file(path.relative_to(root).as_posix())
    return False


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([pattern])
