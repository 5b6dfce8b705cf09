"""From the rules that stand in settings to those that can be used, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterable

from core.permissions.rules import Rule, parse_rule, unknown_tool
from core.protocol.views import RuleInfo
from core.settings.layers import Problem
from core.settings.schema import Settings


def read_rules(settings: Settings, tools: Iterable[str]) -> tuple[tuple[Rule, ...], tuple[RuleInfo, ...]]:
    """The rules in the order of their layers, and those that have no effect with the reason."""
    rules: list[Rule] = []
    unusable: list[RuleInfo] = []
    names = tuple(tools)
    for written in settings.rules:
        try:
            rule = parse_rule(
                written.text,
                written.behavior,
                layer=written.layer,
                source=written.source,
                file=written.file,
                base=written.base,
            )
            problem = unknown_tool(rule, names)
        except ValueError as error:
            rule, problem = None, str(error)
        if rule is not None and not problem:
            rules.append(rule)
        else:
            unusable.append(
                RuleInfo(
                    behavior=written.behavior,
                    text=written.text,
                    layer=written.layer,
                    source=written.source,
                    problem=problem,
                )
            )
    return tuple(rules), tuple(unusable)


def problems_of(unusable: Iterable[RuleInfo]) -> tuple[Problem, ...]:
    """What is wrong with rules, as problems of the settings."""
    return tuple(Problem(info.source or "permissions", f"{info.problem}; it is left out") for info in unusable)
