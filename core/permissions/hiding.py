"""What rules keep from being read is not listed either: names alone tell much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.permissions.access import Access
from core.permissions.matching import concerns
from core.permissions.policy import Policy

Hides = Callable[[Path], bool]
"""Whether a file of this absolute path is left out wherever files are listed."""


def hides_nothing(_path: Path) -> bool:
    """Where no rule denies a read."""
    return False


def hidden_by(policy: Policy) -> Hides:
    """What the denying rules of a policy hide."""
    rules = tuple(rule for rule in policy.of("deny") if rule.tool in ("Read", "*"))
    if not rules:
        return hides_nothing

    def hides(path: Path) -> bool:
        access = Access(reads=(path,))
        return any(concerns(rule, "Read", access, policy) for rule in rules)

    return hides
