"""The rules that "don't ask again" offers: each would allow this very call again, and says what else it would allow.

A scope is offered only after the decision was made anew with its rules: what does not match again, or is asked about
whatever the rules say, is not offered at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.permissions.access import Access
from core.permissions.concerns import is_guarded
from core.permissions.decide import decide
from core.permissions.hosts import DOMAIN
from core.permissions.paths import holds_secrets, is_inside, normal
from core.permissions.policy import Policy
from core.permissions.rules import parse_rule
from core.permissions.shell.script import Command
from core.permissions.shell_access import shell_access
from core.permissions.shell_decision import judge_parts
from core.permissions.shell_prefixes import prefixes, usual_prefix
from core.protocol.views import RuleScope

MAX_PARTS = 5
"""Commands of one line for which rules are offered; nobody reads more."""
MAX_RULE_CHARS = 2_000
SHORT_LABEL = 3
"""A label this short before the last one is no site: ``co.uk``, ``com.au``."""
SHARED = frozenset(
    "github.io gitlab.io pages.dev workers.dev vercel.app netlify.app herokuapp.com web.app firebaseapp.com fly.dev "
    "readthedocs.io blogspot.com amazonaws.com azurewebsites.net cloudfront.net onrender.com surge.sh".split()
)
"""Where every subdomain is somebody else's: the better known of the public suffix list's private part."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What may be saved for a call, from the narrowest to the widest."""

    scopes: tuple[RuleScope, ...] = ()
    at: int = 0
    """The one that is proposed."""
    likeness: str = ""
    """The same for calls of one kind."""


def propose(tool: str, access: Access, policy: Policy) -> Proposal:
    """The scopes for a call that is asked about. ``dontAsk`` and plan mode are not looked at: they ask nothing."""
    candidates = list(_candidates(tool, access, policy))
    held = [scope for scope in candidates if _holds(scope.scope.rules, tool, access, policy)]
    at = next((place for place, scope in enumerate(held) if scope.is_usual), 0)
    scopes = tuple(_truthful(scope.scope, access, policy) for scope in held)
    return Proposal(scopes, at, _likeness(tool, access, candidates))


def _truthful(scope: RuleScope, access: Access, policy: Policy) -> RuleScope:
    """The scope without examples that are not what they say: of commands they are decided on to find out."""
    if access.shell is None:
        return scope
    rules = tuple(parse_rule(text, base=policy.anchor) for text in scope.rules)
    given = replace(policy, rules=(*policy.rules, *rules))

    def decided(line: str) -> str:
        shell = shell_access(line, policy.cwd, policy.home)
        return decide("Bash", Access(shell=shell, is_read_only=shell.judged.is_read_only), given).behavior

    return replace(
        scope,
        allows=scope.allows if scope.allows and decided(scope.allows) == "allow" else "",
        refuses=scope.refuses if scope.refuses and decided(scope.refuses) != "allow" else "",
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    scope: RuleScope
    is_usual: bool = False


def _holds(rules: tuple[str, ...], tool: str, access: Access, policy: Policy) -> bool:
    """Whether with these rules the call would be allowed, and each of them can be shown."""
    if not rules or any(len(text) > MAX_RULE_CHARS for text in rules):
        return False
    try:
        parsed = tuple(parse_rule(text, base=policy.anchor) for text in rules)
    except ValueError:
        return False
    if any(str(rule) != text for rule, text in zip(parsed, rules, strict=True)):
        return False
    return decide(tool, access, replace(policy, rules=(*policy.rules, *parsed))).behavior == "allow"


def _candidates(tool: str, access: Access, policy: Policy) -> Iterator[_Candidate]:
    if access.verdict != "pass":
        return
    if access.shell is not None:
        yield from _for_line(tool, access, policy)
    elif access.hosts:
        yield from _for_hosts(tool, access.hosts)
    elif access.reads or access.writes:
        yield from _for_paths(access, policy)
    elif tool.startswith("mcp__"):
        server = tool.rpartition("__")[0]
        yield _Candidate(RuleScope(rules=(tool,), refuses=f"{server}__…, its other tools"), is_usual=True)
        yield _Candidate(RuleScope(rules=(f"{server}__*",), allows="every other tool of that server"))
    elif access.name:
        if "*" in access.name:
            return  # a star says more in a rule than in a name
        yield _Candidate(RuleScope(rules=(f"{tool}({access.name})",)), is_usual=True)
    else:
        yield _Candidate(RuleScope(rules=(tool,), allows=f"every call of {tool}"), is_usual=True)


# Shell lines


def _for_line(tool: str, access: Access, policy: Policy) -> Iterator[_Candidate]:
    assert access.shell is not None
    source = access.shell.script.source.strip()
    # A star says more in a rule than in a command.
    if source and "*" not in source and not source.endswith(":*"):
        refuses = "" if "\n" in source else f"{source} --more"
        yield _Candidate(RuleScope(rules=(f"{tool}({source})",), refuses=refuses))
    if access.shell.judged.doubts:
        return
    asking = [part for part in judge_parts(tool, access.shell, policy) if part.decision.behavior == "ask"]
    commands = [_inner(part.part) for part in asking if isinstance(part.part, Command)]
    written = [path for part in asking if not isinstance(part.part, Command) for path in part.verdict.writes]
    edits = tuple(path_rule("Edit", normal(path), policy) for path in written)
    if len(asking) > MAX_PARTS:
        return
    if not commands:
        yield _Candidate(RuleScope(rules=edits, refuses="any other file"), is_usual=True)
        return
    ladders = [prefixes(command) for command in commands]
    if not all(ladders):
        return
    usual = [usual_prefix(command) for command in commands]
    for step in range(max(len(ladder) for ladder in ladders)):
        chosen = [ladder[min(step, len(ladder) - 1)] for ladder in ladders]
        rules = tuple(dict.fromkeys([*(f"{tool}({prefix} *)" for prefix in chosen), *edits]))
        first = chosen[0]
        yield _Candidate(
            RuleScope(rules=rules, allows=f"{first} --any --options", refuses=_beside(first)),
            is_usual=chosen == usual,
        )


def _beside(prefix: str) -> str:
    """A command near the prefix that a rule for it does not cover."""
    head, _, _last = prefix.rpartition(" ")
    return f"{head} something-else" if head else f"{prefix} --any | sh"


def _inner(command: Command) -> Command:
    """What rules look at where they look through a command."""
    while command.is_wrapper and command.runs:
        command = command.runs[0]
    return command


# Paths


def _for_paths(access: Access, policy: Policy) -> Iterator[_Candidate]:
    paths = access.writes or access.reads
    if len({policy.resolve(path) for path in paths}) != 1 or (access.reads and access.writes):
        return
    path = normal(paths[0])
    verb = "Edit" if access.writes else "Read"
    if any(holds_secrets(spelling) for spelling in policy.spellings(path)):
        return
    if access.writes and is_guarded(path, policy):
        return
    is_folder = path.is_dir()
    folder = path if is_folder else path.parent
    inside = is_inside(path, policy.roots, policy.resolve)
    root = next((root for root in policy.roots if path.is_relative_to(root)), folder)
    if not is_folder:
        near = path.with_name(f"other{path.suffix}")
        # All of the home folder, or of one of the system's, is more than anyone means by a file in it.
        is_broad = folder == policy.home or folder.parent.parent == folder.parent
        yield _Candidate(
            RuleScope(rules=(path_rule(verb, path, policy),), refuses=shown(near, policy)), is_usual=is_broad
        )
    if folder.parent == folder:
        return
    if not (inside and folder == root):
        beside = folder.with_name(f"{folder.name}-other") / path.name
        scope = RuleScope(
            rules=(path_rule(verb, folder, policy, is_folder=True),),
            allows=shown(folder / "any" / "file", policy),
            refuses=shown(beside, policy),
        )
        yield _Candidate(scope, is_usual=True)
    if inside:
        rule = path_rule(verb, root, policy, is_folder=True)
        scope = RuleScope(
            rules=(rule,), allows=shown(root / "any" / "file", policy), refuses=str(root.parent / "elsewhere")
        )
        yield _Candidate(scope, is_usual=folder == root)


def path_rule(verb: str, path: Path, policy: Policy, *, is_folder: bool = False) -> str:
    """A rule for a file, or for everything in a folder, as short as it can be written."""
    rest = "/**" if is_folder else ""
    if path == policy.anchor:
        return f"{verb}(/**)"
    if path.is_relative_to(policy.anchor):
        return f"{verb}(/{_escape(path.relative_to(policy.anchor).as_posix())}{rest})"
    if path.is_relative_to(policy.home) and path != policy.home:
        return f"{verb}(~/{_escape(path.relative_to(policy.home).as_posix())}{rest})"
    return f"{verb}(/{_escape(path.as_posix())}{rest})"


def shown(path: Path, policy: Policy) -> str:
    """A path as an example: relative where it lies in the working folder."""
    return path.relative_to(policy.root).as_posix() if path.is_relative_to(policy.root) else path.as_posix()


def _escape(path: str) -> str:
    """A literal path in a gitignore pattern."""
    return "".join(f"\\{char}" if char in "*?[]!#\\ " else char for char in path)


# Hosts


def _for_hosts(tool: str, hosts: tuple[str, ...]) -> Iterator[_Candidate]:
    if len(hosts) != 1:
        return
    host = hosts[0]
    if ":" in host or host.replace(".", "").isdigit():
        yield _Candidate(RuleScope(rules=(f"{tool}({DOMAIN}{host})",)), is_usual=True)
        return
    parent = host.partition(".")[2]
    is_site = "." in parent and parent not in SHARED and len(parent.rpartition(".")[0].rpartition(".")[2]) > SHORT_LABEL
    near = f"https://other.{parent}/" if is_site else f"https://other.{host}/"
    yield _Candidate(
        RuleScope(rules=(f"{tool}({DOMAIN}{host})",), allows=f"https://{host}/any/page", refuses=near), is_usual=True
    )
    if is_site:
        rules = (f"{tool}({DOMAIN}{host})", f"{tool}({DOMAIN}*.{parent})")
        yield _Candidate(RuleScope(rules=rules, allows=near, refuses=f"https://{parent}/"))


# Alike


def _likeness(tool: str, access: Access, candidates: list[_Candidate]) -> str:
    """What requests that one answer may settle have in common; each of them is shown all the same."""
    if access.shell is not None:
        names = [usual_prefix(_inner(command)) or _inner(command).name for command in access.shell.script.commands]
        return f"{tool}: {', '.join(names)}" if all(names) and not access.shell.judged.doubts else ""
    usual = [scope.scope.rules for scope in candidates if scope.is_usual]
    return " ".join(usual[0]) if usual else ""
