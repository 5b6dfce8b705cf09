"""Why a path is asked about although nothing denies it: it is elsewhere, protected, or holds secrets."""

from __future__ import annotations

from pathlib import Path

from core.permissions.matching import concerns_paths
from core.permissions.paths import is_inside, is_protected, why_protected, why_secret
from core.permissions.policy import Policy


def write_concern(path: Path, policy: Policy) -> str:
    """Why a write there is asked about even where edits are accepted; empty where nothing speaks against it."""
    named, real = policy.spellings(path)
    protected = why_protected(named) or why_protected(real)
    if protected:
        return f"{named} is protected: {protected}"
    return "" if is_inside(path, policy.roots, policy.resolve) else f"{named} is outside the working folder"


def read_concern(path: Path, policy: Policy) -> str:
    """Why a read is asked about although reading is harmless; empty where nothing speaks against it."""
    named, real = policy.spellings(path)
    secret = why_secret(named) or why_secret(real)
    if secret and not _is_ruled(path, policy):
        return f"{named} may hold secrets ({secret})"
    if is_inside(path, policy.roots, policy.resolve) or is_inside(path, policy.readable, policy.resolve):
        return ""
    return f"{named} is outside the working folder"


def is_guarded(path: Path, policy: Policy) -> bool:
    """Whether a write there is asked about whatever the rules allow."""
    return any(is_protected(spelling) for spelling in policy.spellings(path))


def _is_ruled(path: Path, policy: Policy) -> bool:
    """Whether a rule keeps this very file from being changed, and so leaves it open to being read."""
    denied = (rule for rule in policy.of("deny") if rule.tool == "Edit" and rule.spec)
    return any(concerns_paths(rule, (path,), policy) for rule in denied)
