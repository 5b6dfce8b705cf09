"""Whether a rule matches: all of a call for one that allows, any part of it for one that denies or asks."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from core.permissions.access import Access
from core.permissions.hosts import domain_covers
from core.permissions.paths import holds_secrets
from core.permissions.patterns import star_match
from core.permissions.policy import Policy
from core.permissions.readonly.names import may_stand_before
from core.permissions.rules import ALIASES, Rule
from core.permissions.shell.script import Assignment, Command
from core.permissions.shell.spelling import spellings

FIELD = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<value>.*)", re.DOTALL)
PRIMARY = frozenset("command file_path path notebook_path url pattern prompt".split())
"""Fields with a syntax of their own in rules, which a rule cannot name."""
NEVER_BY_PATTERN = frozenset("watch setsid ionice flock".split())
"""Programs that run what follows; such a command is allowed by its exact text only, as is ``find -exec``."""
FIND_ACTIONS = ("-exec", "-ok", "-delete", "-fprint", "-fls")
SAFE_VARIABLES = frozenset(
    "CI DEBUG NODE_ENV PYTHONUNBUFFERED RAILS_ENV RUST_BACKTRACE RUST_LOG GOOS GOARCH CGO_ENABLED".split()
)
"""Set before a command they change what it says or builds, not which program runs; beside those before any command."""
BELOW = "/**"
ANY_DEPTH = re.compile(r"(?!~/)(?:\./)?[^/]+/\*\*")


# One call as a whole


def allows(rule: Rule, tool: str, access: Access, policy: Policy) -> bool:
    """Whether a rule allows a call that is not a shell line: each of its paths, each host, its name."""
    if not _speaks_for(rule, tool, access, policy):
        return False
    if not rule.spec:
        return True
    if access.hosts:
        return _names(rule, tool) and all(domain_covers(rule.spec, host) for host in access.hosts)
    if access.name:
        return _names(rule, tool) and text_matches(rule.spec, access.name)
    return allows_paths(rule, (*access.reads, *access.writes), policy)


def concerns(rule: Rule, tool: str, access: Access, policy: Policy) -> bool:
    """Whether a rule that denies or asks matches any part of a call that is not a shell line."""
    if not _speaks_for(rule, tool, access, policy, is_strict=True):
        return False
    if not rule.spec or _names_field(rule, access):
        return True
    if access.hosts and _names(rule, tool):
        return any(domain_covers(rule.spec, host, is_strict=True) for host in access.hosts)
    if access.name and _names(rule, tool):
        # A skill is denied whatever it is given.
        return any(text_matches(rule.spec, text) for text in (access.name, access.name.partition(" ")[0]))
    return concerns_paths(rule, (*access.reads, *access.writes), policy)


def is_bare(rule: Rule, tool: str) -> bool:
    """Whether a rule speaks for every call of the tool."""
    return not rule.spec and _is_for(rule, tool)


def _speaks_for(rule: Rule, tool: str, access: Access, policy: Policy, *, is_strict: bool = False) -> bool:
    if _is_for(rule, tool):
        return True
    if rule.tool == "Edit":
        # Who may edit a folder may read it, but for what holds secrets.
        reads = bool(access.reads) and not any(holds_secrets(policy.resolve(path)) for path in access.reads)
        return bool(access.writes) or (not is_strict and bool(rule.spec) and reads)
    return rule.tool == "Read" and bool(access.reads or (is_strict and access.writes))


def _names(rule: Rule, tool: str) -> bool:
    return rule.tool in (tool, ALIASES.get(tool))


def _is_for(rule: Rule, tool: str) -> bool:
    names = (tool, ALIASES.get(tool, tool))
    if rule.tool in names or ("*" in rule.tool and any(fnmatchcase(name, rule.tool) for name in names)):
        return True
    return rule.tool.startswith("mcp__") and "__" not in rule.tool[5:] and tool.startswith(f"{rule.tool}__")


def _names_field(rule: Rule, access: Access) -> bool:
    match = FIELD.fullmatch(rule.spec)
    if match is None or match["name"] in PRIMARY or access.fields.get(match["name"]) is None:
        return False
    value = access.fields[match["name"]]
    return fnmatchcase(str(value).lower() if isinstance(value, bool) else str(value), match["value"].strip())


# Commands


def allows_command(rule: Rule, command: Command) -> bool:
    """Whether a rule allows a command by itself; what stands in its substitutions is judged apart."""
    text = command.text
    if not text or command.doubt or not all(_is_safe(item, command) for item in command.assignments):
        return False
    if rule.spec == text:
        return True
    if command.name in NEVER_BY_PATTERN or not command.name or _acts(command):
        return False
    return text_matches(rule.spec, text)


def _is_safe(item: Assignment, command: Command) -> bool:
    return item.name in SAFE_VARIABLES or may_stand_before(item, command.name)


def concerns_command(rule: Rule, command: Command) -> bool:
    """Whether a rule that denies or asks names a command, however that is spelled."""
    return any(text_matches(rule.spec, text) for text in spellings(command))


def _acts(command: Command) -> bool:
    is_find = command.name in ("find", "bfs")
    return is_find and any(not word.values or word.head.startswith(FIND_ACTIONS) for word in command.words)


def text_matches(spec: str, text: str) -> bool:
    """Whether a pattern covers a text: ``*`` is anything, `` *`` or ``:*`` at the end nothing or more words."""
    if spec == text:
        return True
    pattern = spec[:-2] + " *" if spec.endswith(":*") else spec
    if pattern.endswith(" *"):
        head = pattern[:-2]
        return star_match(head, text) or star_match(f"{head} *", text)
    return star_match(pattern, text)


# Paths


def allows_paths(rule: Rule, paths: tuple[Path, ...], policy: Policy) -> bool:
    """Whether a rule covers every path, as it is named and where it leads to."""
    return bool(paths) and all(
        _path_matches(rule, rule.spec, spelling, policy, _base(rule, policy))
        for path in paths
        for spelling in policy.spellings(path)
    )


def concerns_paths(rule: Rule, paths: tuple[Path, ...], policy: Policy) -> bool:
    """Whether a rule that denies or asks covers any path, as it is named or where it leads to.

    A relative path in such a rule is one in any folder that the agent is in or works in: no ``cd`` leads out of it.
    """
    # Of one folder it is any folder of that name: ``secrets/**`` denies pkg/secrets too.
    spec = f"**/{rule.spec.removeprefix('./')}" if ANY_DEPTH.fullmatch(rule.spec) else rule.spec
    is_relative = not spec.startswith(("/", "~/"))
    bases = (policy.cwd, *policy.roots) if is_relative else (_base(rule, policy),)
    found = {spelling for path in paths for spelling in policy.spellings(path)}
    return any(_path_matches(rule, spec, path, policy, base) for path in found for base in bases)


def _base(rule: Rule, policy: Policy) -> Path:
    """What the path of a rule is relative to."""
    if rule.spec.startswith("//"):
        return Path("/")
    if rule.spec.startswith("~/"):
        return policy.home
    return (rule.base or policy.anchor) if rule.spec.startswith("/") else policy.root


def _path_matches(rule: Rule, spec: str, path: Path, policy: Policy, base: Path) -> bool:
    pattern = spec[1:] if spec.startswith(("//", "~/")) else spec.removeprefix("./")
    folds = policy.ignores_case and rule.behavior != "allow"
    for root in {base, policy.resolve(base)}:
        if path.is_relative_to(root):
            name = path.relative_to(root).as_posix()
            if folds:
                pattern, name = pattern.casefold(), name.casefold()
            if pattern.endswith(BELOW) and _is_folder_of(pattern, name):
                return True
            # A pattern that cannot be compiled matches nothing: it then denies at least the file that is called so.
            is_named = rule.behavior != "allow" and name == pattern.removeprefix("/")
            return is_named or bool(_compiled(pattern).match_file(name))
    return False


def _is_folder_of(pattern: str, name: str) -> bool:
    """Whether it is the folder itself of which the pattern names all that is in it: it is listed, searched, removed."""
    folder = pattern.removesuffix(BELOW)
    anchored = folder if folder.startswith(("/", "**/")) else f"/{folder}"
    return bool(_compiled(anchored).match_file(name))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([pattern])
