"""From the rules that stand in settings to those that can be used, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable

from core.permissions.rules import Rule, parse_rule, unknown_tool
from core.protocol.views import Behavior, RuleInfo
from core.settings.schema import Settings


def read_rules(settings: Settings, tools: Iterable[str]) -> tuple[tuple[Rule, ...], tuple[RuleInfo, ...]]:
    """The rules in the order of their layers, and those that have no effect with the reason."""
    rules: list[Rule] = []
    unusable: list[RuleInfo] = []
    names = tuple(tools)
    written: tuple[tuple[Behavior, tuple[str, ...]], ...] = (("allow", settings.allow), ("deny", settings.deny))
    for behavior, texts in written:
        for text in texts:
            try:
                rule = parse_rule(text, behavior, layer="flag", source="settings")
                problem = unknown_tool(rule, names)
            except ValueError as error:
                rule, problem = None, str(error)
            if rule is not None and not problem:
                rules.append(rule)
            else:
                unusable.append(
                    RuleInfo(behavior=behavior, text=text, layer="flag", source="settings", problem=problem)
                )
    return tuple(rules), tuple(unusable)
