"""What a subagent may do: the session's policy as it is at the moment, within the bounds of the agent's definition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.agents.definition import AgentDefinition
from core.permissions.policy import Policy
from core.permissions.policy_holder import Policies
from core.protocol.views import Behavior, PermissionMode, RuleLayer

NARROWER: dict[PermissionMode, frozenset[PermissionMode]] = {
    "default": frozenset({"plan", "dontAsk"}),
    "acceptEdits": frozenset({"plan", "dontAsk", "default"}),
    "plan": frozenset(),
    "dontAsk": frozenset({"plan"}),
    "bypassPermissions": frozenset({"plan", "dontAsk", "default", "acceptEdits"}),
}
"""For each mode of the session those in which an agent may do less."""


def mode_of_agent(session: PermissionMode, wanted: PermissionMode | None) -> PermissionMode:
    """The mode that an agent works in. What it wants may do less than the session's; more only as far as accepting
    edits where the session asks about them. Plan mode is everybody's, and where nothing is asked nothing will be."""
    if wanted is None or wanted == session:
        return session
    accepts_edits = session == "default" and wanted == "acceptEdits"
    return wanted if accepts_edits or wanted in NARROWER[session] else session


class AgentPolicies:
    """An agent's view of the session's policy. Rules and folders are the session's, so an answer to one agent counts
    for all; ``Broker.look_again`` then settles what the others wait for."""

    def __init__(self, session: Policies, definition: AgentDefinition) -> None:
        self._session = session
        self._definition = definition

    @property
    def policy(self) -> Policy:
        """The session's as it is now. The plan is the main agent's: no other may write it."""
        policy = self._session.policy
        return replace(
            policy,
            mode=mode_of_agent(policy.mode, self._definition.mode),
            plan_file=None,
            reads_only=self._definition.name if self._definition.is_read_only else "",
        )

    @property
    def saves_to(self) -> Path | None:
        """The file that "always" writes to; None where there is none."""
        return self._session.saves_to

    def add(self, texts: Iterable[str], behavior: Behavior = "allow", layer: RuleLayer = "session") -> None:
        """Add rules to the session's. Raises ``AgentError``."""
        self._session.add(texts, behavior, layer)

    def set_mode(self, mode: PermissionMode) -> None:
        """Nothing: an agent works in the mode of its definition and its session, whatever it calls."""

    @property
    def notice(self) -> str:
        """What to tell the user where the definition asks for a mode that it does not get; empty where it gets it."""
        wanted, given = self._definition.mode, self.policy.mode
        if wanted is None or wanted == given:
            return ""
        return (
            f"{self._definition.name} asks for the mode {wanted}, which would allow more than the session's: {given}."
        )
