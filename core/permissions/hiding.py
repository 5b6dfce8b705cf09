"""What rules keep from being read is not listed either: names alone tell much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.permissions.access import Access
from core.permissions.matching import concerns
from core.permissions.policy import Policy

RECENT_PATHS = 64

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

    # Thousands of files are looked at one after the other, and the same few folders with each.
    remembering = replace(policy, resolve=lru_cache(maxsize=RECENT_PATHS)(policy.resolve))

    def hides(path: Path) -> bool:
        access = Access(reads=(path,))
        return any(concerns(rule, "Read", access, remembering) for rule in rules)

    return hides
