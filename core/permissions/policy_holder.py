"""The policy of a session as it is now: what a "yes for this session" and a change of mode do to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.bus.bus import Publisher
from core.permissions.decide import Policy
from core.permissions.rules import Rule, parse_rule
from core.protocol.events import ModeChanged
from core.protocol.views import PermissionMode

SESSION = "this session"


class PolicyHolder:
    """Holds a policy that is replaced, never changed."""

    def __init__(self, policy: Policy, publisher: Publisher) -> None:
        self.policy = policy
        self._publisher = publisher

    def add_rule(self, text: str) -> None:
        """Allow what the rule says from now on."""
        self.policy = replace(self.policy, allow=(*self.policy.allow, parse_rule(text, SESSION)))

    def replace_rules(self, allow: tuple[Rule, ...], deny: tuple[Rule, ...], roots: tuple[Path, ...]) -> None:
        """Decide by these rules and folders from now on; what was allowed for this session stays allowed."""
        session = tuple(rule for rule in self.policy.allow if rule.source == SESSION)
        self.policy = replace(self.policy, allow=(*allow, *session), deny=deny, roots=roots)

    def set_mode(self, mode: PermissionMode) -> None:
        """Decide in this mode from now on, and tell it."""
        self.policy = replace(self.policy, mode=mode)
        self._publisher.emit(ModeChanged(mode=mode))
