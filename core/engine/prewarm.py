"""Pre-warming: the beginning of the first request is written to the cache while its prompt is being typed.

The first answer then begins sooner, and a bad key, model or address is told before the prompt is sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from core.bus.bus import Publisher
from core.context.tokens import BYTES_PER_TOKEN
from core.host.log import LOGGER
from core.llm.client import ModelClient, ModelRequest
from core.llm.errors import ModelError, ModelErrorKind
from core.llm.models import Chosen
from core.llm.side import SideRequests
from core.prompt.assemble import build_request
from core.prompt.cache import control
from core.protocol.events import Notice
from core.protocol.messages import Message, TextBlock
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.query.normalize import Accepted, normalize

TOLD: frozenset[ModelErrorKind] = frozenset({"auth", "billing", "not_found", "connection"})
"""Failures that the first request would meet as well."""
PLACEHOLDER = "."
"""A request holds a message; one that no first request begins with is not remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the first request will begin with, as far as it is known before there is a prompt."""

    chosen: Chosen
    """Who answers it."""
    system: SystemPrompt
    tools: list[dict[str, Any]]
    context: str
    """What stands before the prompt; empty where nothing does."""
    user_id: str


class Prewarm:
    """Sends at most one such request in a session. ``is_on``: whether anything is sent at all."""

    def __init__(self, side: SideRequests, publisher: Publisher, *, is_on: bool) -> None:
        self._side = side
        self._publisher = publisher
        self._is_due = is_on
        self._running: asyncio.Task[None] | None = None
        self._taken: tuple[ModelRequest, Usage] | None = None

    def begin(self, opening: Callable[[], Awaitable[Opening]]) -> None:
        """Send it once it is known what the first request begins with. Nobody waits for it."""
        if self._is_due:
            self._is_due = False
            self._running = asyncio.create_task(self._run(opening), name="prewarm")
            self._running.add_done_callback(_log_failure)

    def end(self) -> None:
        """The first prompt goes out, or none does: it is waited for no longer."""
        self._is_due = False
        if self._running is not None:
            self._running.cancel()

    def take_down(self) -> None:
        """Count what it took; with the first prompt, for without one there is no session to count it in."""
        if self._taken is not None:
            (request, usage), self._taken = self._taken, None
            self._side.take_down(request, usage)

    async def _run(self, opening: Callable[[], Awaitable[Opening]]) -> None:
        try:
            begin = await opening()
            request = prewarm_request(begin)
            if request is not None:
                self._taken = request, await _send(begin.chosen.client, request)
        except ModelError as error:
            LOGGER.debug("pre-warming failed: %s", error)
            if error.kind in TOLD:
                self._publisher.emit(Notice(level="warning", text=error.user_message, hint=error.hint))


async def _send(client: ModelClient, request: ModelRequest) -> Usage:
    try:
        return await client.prewarm(request)
    except ModelError as error:
        if error.kind != "invalid":
            raise
        # Some servers that speak like the API know no answer without a token.
        return await client.prewarm(replace(request, max_tokens=1))


def prewarm_request(opening: Opening) -> ModelRequest | None:
    """A request that has the opening written to the cache; None where nothing of it would be remembered."""
    settings, model = opening.chosen.settings, opening.chosen.model
    context = Message(id="", role="user", content=(TextBlock(text=opening.context),), ts=0.0)
    messages = normalize((context,), Accepted(system=model.mid_system))
    sent = [tool for tool in opening.tools if not tool.get("defer_loading")]
    parts = [opening.system.blocks(), sent, messages]
    size = len(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace"))
    if not settings.prompt_caching or size / BYTES_PER_TOKEN < model.cache_min:
        return None
    request = build_request(
        settings=settings,
        model=model,
        system=opening.system,
        tools=opening.tools,
        messages=messages,
        max_tokens=0,
        query_source="prewarm",
        user_id=opening.user_id,
    )
    last = {**request.system[-1], "cache_control": control(settings.cache_ttl)}
    request = replace(request, max_tokens=0, system=[*request.system[:-1], last])
    has_budget = request.thinking is not None and request.thinking["type"] == "enabled"
    if messages and not has_budget:
        return request
    # Thinking with a budget needs room for an answer. Without it only what stands before the messages is the same.
    placeholder = {"role": "user", "content": [{"type": "text", "text": PLACEHOLDER}]}
    return replace(request, messages=[placeholder], thinking=None if has_budget else request.thinking)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        LOGGER.error("pre-warming failed", exc_info=task.exception())
