"""Permission rules in memory: ``Tool`` or ``Tool(specifier)``.

``Bash(git commit:*)`` matches a plain command by prefix, ``Bash(make test)`` by its whole text,
``Edit(src/**)`` and ``Read(//etc/**)`` paths in gitignore form, ``WebFetch(domain:example.com)`` a host. ``Edit``
speaks for every tool that writes files, ``Read`` for every one that reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from core.permissions.access import Access
from core.permissions.hosts import DOMAIN, check_domain, domain_covers
from core.permissions.paths import holds_secrets, resolve

RULE = re.compile(r"(?P<tool>[A-Za-z0-9_*-]+)(?:\((?P<spec>.*)\))?", re.DOTALL)
SHELL_SYNTAX = re.compile(r"[;&|<>`$(){}\n\\]")
"""Characters with which a command may hold more than one; such a command never matches by prefix."""
NEVER_BY_PATTERN = frozenset(("watch", "setsid", "ionice", "flock"))
"""Programs that run what follows; such a command is allowed by its exact text only, as is ``find -exec``."""
FIND_RUNS = ("-exec", "-ok", "-delete", "-fprint", "-fls")
WRAPPERS = NEVER_BY_PATTERN | set("timeout time nice nohup stdbuf command builtin exec env sudo doas xargs".split())
KEYWORDS = frozenset("! if then elif else while until do time".split())
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
UNQUOTED = str.maketrans("", "", "\"'\\")
ANY_DEPTH = re.compile(r"(?:\./)?[^/]+/\*\*")
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
    if spec.startswith(DOMAIN) or (match["tool"] == "WebFetch" and spec not in ("", "*")):
        check_domain(spec)
    return Rule(match["tool"], "" if spec == "*" else spec, source)


def first_allowing(rules: Iterable[Rule], tool: str, access: Access, cwd: Path) -> Rule | None:
    """The rule that allows the whole call: each of its paths, or its command as it stands."""
    return next((rule for rule in rules if _allows(rule, tool, access, cwd)), None)


def first_denying(rules: Iterable[Rule], tool: str, access: Access, bases: tuple[Path, ...]) -> Rule | None:
    """The rule that denies any part of the call: one path, or any command in the line.

    A relative path in a rule is one in any of ``bases``: no ``cd`` leads out of what is denied.
    """
    return next((rule for rule in rules if _denies(rule, tool, access, bases)), None)


def _allows(rule: Rule, tool: str, access: Access, cwd: Path) -> bool:
    if not _speaks_for(rule, tool, access):
        return False
    if not rule.spec:
        return True
    if access.command:
        return rule.tool in (tool, "*") and _command_matches(rule.spec, access.command)
    if access.hosts:
        return rule.tool in (tool, "*") and all(domain_covers(rule.spec, host) for host in access.hosts)
    paths = [*access.reads, *access.writes]
    return bool(paths) and all(
        _path_matches(rule.spec, path, cwd) and _path_matches(rule.spec, resolve(path), cwd) for path in paths
    )


def _denies(rule: Rule, tool: str, access: Access, bases: tuple[Path, ...]) -> bool:
    if not _speaks_for(rule, tool, access, denying=True):
        return False
    if not rule.spec:
        return True
    if access.command and rule.tool in (tool, "*"):
        return any(_matches(rule.spec, part) for part in _commands_in(access.command))
    if access.hosts and rule.tool in (tool, "*"):
        return any(domain_covers(rule.spec, host) for host in access.hosts)
    # Of one folder it is any folder of that name: ``secrets/**`` denies pkg/secrets too.
    spec = f"**/{rule.spec.removeprefix('./')}" if ANY_DEPTH.fullmatch(rule.spec) else rule.spec
    paths = {spelling for path in (*access.reads, *access.writes) for spelling in (path, resolve(path))}
    return any(_path_matches(spec, path, base) for path in paths for base in bases)


def _speaks_for(rule: Rule, tool: str, access: Access, *, denying: bool = False) -> bool:
    if rule.tool in (tool, "*"):
        return True
    if rule.tool == "Edit":
        # Who may edit a folder may read it, but for what holds secrets.
        reads = bool(access.reads) and not any(holds_secrets(path) for path in access.reads)
        return bool(access.writes) or (not denying and bool(rule.spec) and reads)
    if rule.tool == "Read":
        return bool(access.reads) or (denying and bool(access.writes))
    return False


def _command_matches(spec: str, command: str) -> bool:
    """Whether an allowing rule covers the command: its exact text, or a plain command by pattern."""
    command = command.strip()
    if spec == command:
        return True
    words = command.split()
    runs_another = bool(words) and (
        words[0] in NEVER_BY_PATTERN or (words[0] == "find" and any(word.startswith(FIND_RUNS) for word in words))
    )
    return not SHELL_SYNTAX.search(command) and not runs_another and _matches(spec, command)


def _matches(spec: str, command: str) -> bool:
    if spec == command:
        return True
    pattern = spec[:-2] + " *" if spec.endswith(":*") else spec
    if pattern.endswith(" *"):
        head = pattern[:-2]
        return command == head or _glob(head + " ", command, is_prefix=True)
    return "*" in pattern and _glob(pattern, command, is_prefix=False)


def _commands_in(line: str) -> Iterator[str]:
    """Everything in the line that may be a command, rather too much than too little: this is for denying."""
    yield line.strip()
    for part in SEPARATORS.split(line.replace("\\\n", "")):
        for text in (part.strip(), part.strip().translate(UNQUOTED)):
            words = text.split()
            yield " ".join(words)
            while words and (words[0] in KEYWORDS or ASSIGNMENT.match(words[0])):
                words = words[1:]
                yield " ".join(words)
            if words and words[0] in WRAPPERS:
                yield from (" ".join(words[start:]) for start in range(1, len(words)))


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
