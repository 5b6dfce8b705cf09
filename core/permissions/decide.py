"""The decision for one call: pure, in a fixed order, always with its reason.

Order: deny rules, the tool's own check, mode, allow rules, read-only, ask. Deny wins in every mode.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.permissions.access import Access
from core.permissions.paths import holds_secrets, is_inside, is_protected, resolve
from core.permissions.rules import Rule, first_allowing, first_denying, parse_rule
from core.protocol.views import PermissionMode

Behavior = Literal["allow", "deny", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and the rule or check that decided it."""

    behavior: Behavior
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything a decision depends on beside the call itself."""

    mode: PermissionMode
    cwd: Path
    roots: tuple[Path, ...]
    """Folders in which the agent works."""
    readable: tuple[Path, ...] = ()
    """Further folders and files it may read: its own saved outputs, its plan."""
    plan_file: Path | None = None
    """The one file that plan mode lets it write."""
    allow: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()


def decide(tool: str, access: Access, policy: Policy) -> Decision:
    """Allow, deny or ask, for a call that touches ``access``."""
    denied = first_denying(policy.deny, tool, access, (policy.cwd, *policy.roots))
    if denied:
        return Decision(behavior="deny", reason=f"the rule {denied} ({denied.source}) denies it")
    if access.verdict != "pass":
        behavior: Behavior = "allow" if access.verdict == "allow" else access.verdict
        return Decision(behavior=behavior, reason=access.reason)
    if policy.mode == "bypassPermissions":
        return Decision(behavior="allow", reason="permissions are bypassed")
    if policy.mode == "plan" and _writes_plan(access, policy.plan_file):
        return Decision(behavior="allow", reason="it writes the plan")
    if policy.mode == "plan" and not access.is_read_only:
        return Decision(behavior="deny", reason="plan mode is read-only: nothing may be changed until the plan is done")
    concern = _concern(access, policy)
    if concern and any(is_protected(path) for path in access.writes):
        return Decision(behavior="ask", reason=concern)
    allowed = first_allowing(policy.allow, tool, access, policy.cwd)
    if allowed:
        return Decision(behavior="allow", reason=f"the rule {allowed} ({allowed.source}) allows it")
    if concern:
        return Decision(behavior="ask", reason=concern)
    if policy.mode == "acceptEdits" and access.writes:
        return Decision(behavior="allow", reason="edits in the working folder are accepted")
    if access.is_read_only:
        return Decision(behavior="allow", reason="it only reads")
    return Decision(behavior="ask", reason=_plain_reason(access))


def _writes_plan(access: Access, plan_file: Path | None) -> bool:
    """Whether the call does nothing but write the plan. A link, the plan file itself included, is another file."""
    if plan_file is None or not access.writes or access.command:
        return False
    real = resolve(plan_file.parent) / plan_file.name
    paths = (*access.reads, *access.writes)
    return all(Path(os.path.normpath(path)) in (plan_file, real) and resolve(path) == real for path in paths)


def _concern(access: Access, policy: Policy) -> str:
    """Why even an otherwise harmless call is asked about; empty where nothing speaks against it."""
    for path in access.writes:
        if is_protected(path):
            return f"{path} is protected: other programs obey or execute it"
        if not is_inside(path, policy.roots):
            return f"{path} is outside the working folder"
    for path in access.reads:
        if holds_secrets(path):
            return f"{path} may hold secrets"
        if not is_inside(path, policy.roots) and not is_inside(path, policy.readable):
            return f"{path} is outside the working folder"
    return access.sends


def _plain_reason(access: Access) -> str:
    if access.command:
        return "the command is not on the short list of read-only ones"
    return "it changes a file" if access.writes else "it may change something"


def session_rule(tool: str, access: Access, policy: Policy) -> str:
    """The rule that "yes for this session" adds; empty where that answer is not offered.

    Never broader than it says: the exact command, or the folder of the one file. A rule that would not allow
    this very call again (a link that leads elsewhere) is not offered.
    """
    if access.command:
        # A star or an empty text in a rule says more than the same characters in a command.
        return "" if "*" in access.command or not access.command.strip() else f"Bash({access.command})"
    if access.hosts:
        return f"{tool}(domain:{access.hosts[0]})" if len(access.hosts) == 1 else ""
    if access.sends:
        return tool
    paths = access.writes or access.reads
    if len(paths) != 1 or any(is_protected(path) for path in access.writes) or holds_secrets(paths[0]):
        return ""
    verb = "Edit" if access.writes else "Read"
    for folder in _scopes(paths[0], policy.roots):
        rule = f"{verb}(/{_escape(folder.as_posix())}/**)"
        if first_allowing((parse_rule(rule, ""),), tool, access, policy.cwd):
            return rule
    return ""


def _scopes(path: Path, roots: tuple[Path, ...]) -> list[Path]:
    """Folders that a rule may name for the path: the working folder it is in, or else its own folder."""
    if is_inside(path, roots):
        return [folder for root in roots for folder in (root, resolve(root)) if is_inside(path, (root,))]
    folder = path if path.is_dir() else Path(os.path.normpath(path)).parent
    return [] if folder == Path("/") or resolve(folder) == Path("/") else [folder]


def _escape(path: str) -> str:
    """A literal path in a gitignore pattern."""
    return "".join(f"\\{char}" if char in "*?[]!#\\ " else char for char in path)
