"""The decision for one call: pure, in a fixed order, always with its reason and the rule behind it.

Order: rules that deny, whether the agent may only read, the tool's own check, rules that ask, mode, rules that allow,
read-only, ask. Deny wins in every mode.
"""

from __future__ import annotations

from dataclasses import replace

from core.permissions.access import Access
from core.permissions.concerns import is_guarded, read_concern, write_concern
from core.permissions.decision import Decision, allowed_by
from core.permissions.matching import allows, concerns
from core.permissions.paths import normal
from core.permissions.policy import Policy
from core.permissions.reading import refuse_to_reader
from core.permissions.rules import Rule
from core.permissions.shell_decision import critical_removal, decide_line, may_touch, names_part
from core.protocol.views import Behavior


def decide(tool: str, access: Access, policy: Policy) -> Decision:
    """Allow, deny or ask, for a call that touches ``access``."""
    decision = _decide(tool, access, policy)
    if policy.mode != "dontAsk" or decision.behavior == "deny":
        return decision
    if decision.behavior == "ask" or access.asks_user:
        return replace(decision, behavior="deny", reason=f"nothing is asked in this mode, and {decision.reason}")
    return decision


def _decide(tool: str, access: Access, policy: Policy) -> Decision:
    denied = _first("deny", tool, access, policy)
    if denied:
        return Decision(behavior="deny", reason=f"the rule {denied} ({denied.where}) denies it", rule=denied)
    if policy.reads_only and access.verdict != "deny":
        refused = refuse_to_reader(tool, access, policy.reads_only)
        if refused:
            return refused
    if access.verdict != "pass":
        return Decision(behavior=access.verdict, reason=access.reason)
    asks = _asks(tool, access, policy)
    if policy.mode == "bypassPermissions":
        critical = critical_removal(access.shell) if access.shell else ""
        if asks or critical:
            return asks or Decision(behavior="ask", reason=critical)
        return Decision(behavior="allow", reason="permissions are bypassed")
    if policy.mode == "plan":
        if _writes_plan(access, policy):
            return Decision(behavior="allow", reason="it writes the plan")
        if not access.is_read_only:
            reason = "plan mode is read-only: nothing may be changed until the plan is done"
            return Decision(behavior="deny", reason=reason)
    if access.shell is None:
        return asks or _decide_call(tool, access, policy)
    decision = decide_line(tool, access.shell, policy)
    if asks:
        return replace(asks, parts=decision.parts)
    if decision.behavior == "ask" and access.is_held and not critical_removal(access.shell):
        return replace(decision, behavior="allow", reason="it runs confined")
    return decision


def _asks(tool: str, access: Access, policy: Policy) -> Decision | None:
    """What rules ask about, and what one that denies may be meant for."""
    asked = _first("ask", tool, access, policy)
    if asked:
        return Decision(behavior="ask", reason=f"the rule {asked} ({asked.where}) asks", rule=asked)
    if access.shell is None:
        return None
    ruled = (*policy.of("deny"), *policy.of("ask"))
    near = next((rule for rule in ruled if may_touch(rule, access.shell, policy)), None)
    reason = f"it may touch what the rule {near} ({near.where}) is about" if near else ""
    return Decision(behavior="ask", reason=reason, rule=near) if near else None


def _decide_call(tool: str, access: Access, policy: Policy) -> Decision:
    """Rules that allow, then the mode and what is harmless: for everything but a shell line."""
    concern = _concern(access, policy)
    if concern and any(is_guarded(path, policy) for path in access.writes):
        return Decision(behavior="ask", reason=concern)
    allowed = next((rule for rule in policy.of("allow") if allows(rule, tool, access, policy)), None)
    if allowed:
        return allowed_by(allowed)
    if concern:
        return Decision(behavior="ask", reason=concern)
    if policy.mode == "acceptEdits" and access.writes:
        return Decision(behavior="allow", reason="edits in the working folder are accepted")
    if access.is_read_only:
        return Decision(behavior="allow", reason="it only reads", is_harmless=True)
    return Decision(behavior="ask", reason="it changes a file" if access.writes else "it may change something")


def _first(behavior: Behavior, tool: str, access: Access, policy: Policy) -> Rule | None:
    """The first rule that denies or asks and matches any part of the call."""
    for rule in policy.of(behavior):
        if concerns(rule, tool, access, policy) or (access.shell and names_part(rule, tool, access.shell, policy)):
            return rule
    return None


def _writes_plan(access: Access, policy: Policy) -> bool:
    """Whether the call does nothing but write the plan. A link, the plan file itself included, is another file."""
    if policy.plan_file is None or not access.writes or access.shell:
        return False
    real = policy.resolve(policy.plan_file.parent) / policy.plan_file.name
    allowed = (policy.plan_file, real)
    return all(normal(path) in allowed and policy.resolve(path) == real for path in (*access.reads, *access.writes))


def _concern(access: Access, policy: Policy) -> str:
    """Why even an otherwise harmless call is asked about; empty where nothing speaks against it."""
    found = [write_concern(path, policy) for path in access.writes]
    found += [read_concern(path, policy) for path in access.reads]
    return next((concern for concern in found if concern), access.sends)
