"""The policy of a session as it is now: what answers, commands and changed settings files do to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from core.bus.bus import Publisher
from core.permissions.policy import Policy
from core.permissions.rules import Rule, parse_rule
from core.protocol.errors import AgentError
from core.protocol.events import ModeChanged, RulesChanged
from core.protocol.views import Behavior, PermissionMode, RuleInfo, RuleLayer
from core.settings.write import add_rule, remove_rule


class Policies(Protocol):
    """What calls are decided by, and where the answers of the user go."""

    @property
    def policy(self) -> Policy:
        """As it is now."""
        ...

    @property
    def saves_to(self) -> Path | None:
        """The file that "always" writes to; None where there is none."""
        ...

    def add(self, texts: Iterable[str], behavior: Behavior = "allow", layer: RuleLayer = "session") -> None:
        """Add rules. Raises ``AgentError``."""
        ...

    def set_mode(self, mode: PermissionMode) -> None:
        """A call has changed the mode."""
        ...


class PolicyHolder:
    """Holds a policy that is replaced, never changed. ``files`` are where rules may be written, by layer."""

    def __init__(
        self, policy: Policy, publisher: Publisher, files: dict[RuleLayer, Path], unusable: tuple[RuleInfo, ...]
    ) -> None:
        self.policy = policy
        self._publisher = publisher
        self._files = files
        self._unusable = unusable

    @property
    def saves_to(self) -> Path | None:
        """The file that "always" writes to; None where the folder's own files do not count."""
        return self._files.get("local")

    def set_mode(self, mode: PermissionMode) -> None:
        """Decide in this mode from now on, and tell it."""
        self.policy = replace(self.policy, mode=mode)
        self._publisher.emit(ModeChanged(mode=mode))

    def add(self, texts: Iterable[str], behavior: Behavior = "allow", layer: RuleLayer = "session") -> None:
        """Add rules, for this session or in the file of a layer too. Raises ``AgentError``; nothing is added then."""
        file = None if layer == "session" else self._files.get(layer)
        if layer != "session" and file is None:
            raise AgentError(
                "The rule is not saved: this folder's own settings do not count.", "Trust the folder first."
            )
        base = file.parent if file is not None and layer == "user" else self.policy.anchor
        source = str(file) if file else ""
        try:
            rules = [parse_rule(text, behavior, layer=layer, source=source, file=file, base=base) for text in texts]
        except ValueError as error:
            raise AgentError(f"That rule cannot be used: {error}.") from error
        if file is not None:
            for rule in rules:
                add_rule(file, behavior, str(rule), within=self.policy.anchor if layer == "local" else None)
        self._put((*self.policy.rules, *rules))

    def delete(self, text: str, behavior: Behavior, layer: RuleLayer, source: str) -> None:
        """Take a rule away, from its file where it stands in one. Raises ``AgentError``."""
        wanted = (text, behavior, layer, source)
        found = [r for r in self.policy.rules if (str(r), r.behavior, r.layer, r.source) == wanted]
        if not found:
            raise AgentError(f"There is no rule {text} any more.")
        if not found[0].info().can_delete:
            raise AgentError(f"{text} stands in {source}, which is not changed from here.")
        for rule in found:
            if rule.file is not None and not remove_rule(rule.file, behavior, rule.written):
                raise AgentError(f"{text} does not stand in {rule.file} any more.")
        self._put(tuple(rule for rule in self.policy.rules if rule not in found))

    def reload(self, rules: tuple[Rule, ...], unusable: tuple[RuleInfo, ...], roots: tuple[Path, ...]) -> None:
        """Use what the settings say now; the answers of this session stay."""
        mine = tuple(rule for rule in self.policy.rules if rule.layer == "session")
        self._unusable = unusable
        self.policy = replace(self.policy, roots=roots)
        self._put((*rules, *mine))

    def tell(self) -> None:
        """Publish the rules as they are."""
        self._publisher.emit(RulesChanged(rules=(*(rule.info() for rule in self.policy.rules), *self._unusable)))

    def _put(self, rules: tuple[Rule, ...]) -> None:
        if rules != self.policy.rules:
            self.policy = replace(self.policy, rules=rules)
        self.tell()
