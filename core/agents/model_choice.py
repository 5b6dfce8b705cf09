"""Which model answers an agent: from the settings, the call, the definition and the routing table, purely."""

from __future__ import annotations

import re
from dataclasses import replace

from core.agents.definition import INHERIT, SMALL, AgentDefinition
from core.llm.catalog import find_model, load_catalog
from core.llm.demo import DEMO_MODEL
from core.llm.routes import Route, route
from core.settings.schema import RouteKind, Settings
from core.tools.base import ToolError

LINES = ("sonnet", "opus", "haiku", "fable")
EXPLORE = "Explore"
ID = re.compile(r"[\d.:/@-]")
"""What an id of a model has, and a mere word has not."""


def agent_route(definition: AgentDefinition, asked: str, settings: Settings, main: Route) -> Route:
    """Who answers the agent. ``asked``: what the call wants; ``main``: who answers the conversation at the moment.

    The user's setting for all agents comes first, then the call, then the definition, then the routing table; what is
    built in gives way to the table. Raises ``ToolError`` for the name of a model that there is not.
    """
    if settings.model == DEMO_MODEL:
        return main
    is_own = definition.layer != "built-in"
    wanted = settings.agent_model or asked or (definition.model if is_own else "")
    if wanted:
        found = _named(wanted, settings, main)
    else:
        found = _from_table(definition, settings) or _named(definition.model or INHERIT, settings, main)
    return replace(found, effort=definition.effort or found.effort, passed_over=())


def newest(line: str) -> str:
    """The id of the newest model of a line."""
    ids = [model_id for model_id in load_catalog() if model_id.startswith(f"claude-{line}-")]
    return max(ids, key=lambda model_id: [int(number) for number in re.findall(r"\d+", model_id)])


def _from_table(definition: AgentDefinition, settings: Settings) -> Route | None:
    is_explore = definition.name == EXPLORE and definition.is_read_only
    kinds: tuple[RouteKind, ...] = ("explore", "agent") if is_explore else ("agent",)
    if all(entry.kind not in kinds for entry in settings.routing):
        return None
    return route(kinds[0], settings)


def _named(name: str, settings: Settings, main: Route) -> Route:
    """The model of a name. One that the table has an address for is reached there."""
    if name == INHERIT:
        return main
    model = newest(name) if name in LINES else settings.small_model if name == SMALL else name
    if model == main.model:
        return main
    entry = next((entry for entry in settings.routing if entry.model == model), None)
    if entry is not None:
        return Route(
            model=model,
            effort=entry.effort or settings.effort,
            base_url=entry.base_url or settings.base_url,
            api_key_env=entry.api_key_env,
        )
    if not (ID.search(model) or find_model(model, settings.models).is_known):
        there_are = ", ".join((*LINES, SMALL, INHERIT))
        raise ToolError(f"There is no model {name!r}.", f"There are {there_are}, and ids of models.")
    return Route(model=model, effort=None if name == SMALL else settings.effort, base_url=settings.base_url)
