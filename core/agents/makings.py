"""What an agent is made of: its definition, who answers it, its tools."""

from __future__ import annotations

import asyncio

from core.agents.definition import AgentDefinition
from core.agents.definitions import Definitions
from core.agents.model_choice import agent_route
from core.agents.running import Parent
from core.agents.tool_filter import allowed_tools
from core.llm.errors import ModelError
from core.llm.models import Chosen
from core.llm.routes import Route, routed
from core.orchestration.call import CallEnvironment
from core.protocol.agent_views import FORK, AgentInfo
from core.tools.base import ToolError
from core.tools.builtin.tool_search.tool import with_search
from core.tools.registry import ToolRegistry

FORKS = AgentDefinition(name=FORK, description="A fork of the conversation", prompt="")


class Makings:
    """Looks at definitions, settings and the main conversation as they are when an agent is started."""

    def __init__(self, parent: Parent, definitions: Definitions, calls: CallEnvironment) -> None:
        self._parent = parent
        self._definitions = definitions
        self._calls = calls

    async def find(self, name: str) -> AgentDefinition | None:
        """The definition as its file says it now."""
        if self._definitions.is_stale():
            await asyncio.to_thread(self._definitions.read)
        return self._definitions.find(name)

    async def definition_of(self, state: AgentInfo) -> AgentDefinition:
        """That of an agent that goes on. Raises ``ToolError`` where it is gone."""
        if state.agent_type == FORK:
            return FORKS
        found = await self.find(state.agent_type)
        if found is None:
            # As another kind it might do what its own had kept it from.
            text = f"There is no agent type {state.agent_type!r} any more: {state.id} cannot go on."
            raise ToolError(text, "Start a new agent, or bring back the file that describes the type.")
        return found

    async def choose(self, definition: AgentDefinition, asked: str = "") -> Chosen:
        """Who answers it; ``asked``: the model that the call names. Raises ``ToolError``."""
        if definition is FORKS:
            return self._parent.answering() or await self._chosen(self._parent.route())
        return await self._chosen(agent_route(definition, asked, self._parent.settings(), self._parent.route()))

    async def _chosen(self, route: Route) -> Chosen:
        models = self._parent.models
        try:
            model = await models.learn(route)
        except ModelError as error:
            raise ToolError(error.user_message, error.hint) from error
        return Chosen(routed(self._parent.settings(), route), model, models.client(route))

    def tools_of(self, definition: AgentDefinition) -> ToolRegistry:
        """What it may call. A fork is told of all tools of the main agent, as that is part of what it begins with."""
        allowed = allowed_tools(definition, self._calls.tools.names)
        if definition is FORKS:
            return self._parent.tools().limited_to(allowed)
        found = [tool for name in allowed if (tool := self._calls.tools.get(name)) is not None]
        return ToolRegistry(with_search(found))
