"""The models of a session: who answers what, and the client that reaches it. One client for each address and key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.llm.catalog import ModelInfo, find_model
from core.llm.client import ModelClient, learn_model
from core.llm.routes import NO_MOMENT, Moment, Route, RouteSource, route, routed
from core.settings.schema import Settings

Build = Callable[[str, str], ModelClient]
"""Makes the client for an address and the name of the variable with its key."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who answers a request."""

    settings: Settings
    """Those of the session, with the model, effort and address of the request."""
    model: ModelInfo
    client: ModelClient


class Models:
    """Looks at the settings as they are when it is asked."""

    def __init__(self, current: Callable[[], Settings], build: Build) -> None:
        self._current = current
        self._build = build
        self._clients: dict[tuple[str, str], ModelClient] = {}

    def route(self, source: RouteSource, moment: Moment = NO_MOMENT) -> Route:
        """Who answers a kind of request now."""
        return route(source, self._current(), moment)

    def apart(self, source: RouteSource) -> Chosen | None:
        """Who answers a kind of request that the table has an entry for; None where the conversation's model does."""
        settings = self._current()
        if all(entry.kind != source for entry in settings.routing):
            return None
        route = self.route(source)
        return Chosen(routed(settings, route), self.find(route.model), self.client(route))

    def main_route(self, model_id: str) -> Route:
        """Where a model would be reached if it were the main one."""
        return route("main", replace(self._current(), model=model_id))

    def client(self, route: Route) -> ModelClient:
        """The client that reaches it; built when it is first asked for."""
        place = route.base_url.rstrip("/"), route.api_key_env
        if place not in self._clients:
            self._clients[place] = self._build(*place)
        return self._clients[place]

    def find(self, model_id: str) -> ModelInfo:
        """What is known of a model without asking anybody."""
        return find_model(model_id, self._current().models)

    async def learn(self, route: Route) -> ModelInfo:
        """What is known of a model, also by its server. Raises ``ModelError``."""
        return await learn_model(self.client(route), route.model, self._current().models)

    async def close(self) -> None:
        """Let go of all connections."""
        for client in self._clients.values():
            await client.close()
