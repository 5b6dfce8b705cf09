"""What is done about a failed request of a turn: wait and send it again, let another model stand in, or give up."""

from __future__ import annotations

import http
from dataclasses import replace
from typing import TYPE_CHECKING

from core.context.budget import context_limits, window_of
from core.llm.catalog import ModelInfo
from core.llm.client import learn_model
from core.llm.errors import ModelError
from core.llm.retry import MAX_ATTEMPTS, failure, retry_delay
from core.protocol.events import Event, ModelChanged, Notice
from core.query.room import make_room_after_all

if TYPE_CHECKING:
    from core.query.turn import Query

OVERLOADS = 3
"""So many overloads in a row, and a fallback model takes over."""


class Recovery:
    """Counts the failures in a row of one turn. ``fallbacks`` are names of models, tried in order."""

    def __init__(self, main: ModelInfo, fallbacks: tuple[str, ...]) -> None:
        self._main = main
        self._left = [name for name in fallbacks if name != main.id]
        self._failed = 0
        self._overloads = 0
        self._has_made_room = False
        """Since the last response that came through."""
        self._news: list[Event] = []
        """About models: told after the failure that was the reason."""

    @property
    def attempt(self) -> int:
        """Number of the next attempt, from 1."""
        return self._failed + 1

    def succeeded(self) -> None:
        """A response came through: the next failure is the first again."""
        self._failed = self._overloads = 0
        self._has_made_room = False

    async def delay_after(self, error: ModelError, request_id: str, query: Query) -> float | None:
        """Seconds until a request is sent again, None to give up. Publishes the failure and what is done about it."""
        self._failed += 1
        if error.kind == "too_long":
            return await self._after_too_long(error, request_id, query)
        self._overloads = self._overloads + 1 if error.kind == "overloaded" else 0
        attempt, delay = self._failed, retry_delay(error, self._failed, query.host.chance())
        if error.kind == "binding" and query.conversation.drop_thinking():
            delay = 0.0
            query.watch.announce("the model's earlier thoughts were left out")
            self._news.append(
                Notice(
                    level="warning",
                    text="The API does not accept the model's earlier thoughts behind this history: they are left out.",
                    hint="Nothing else is lost; the next request is not read from the cache.",
                )
            )
        elif await self._switch(error, query):
            delay = 0.0
        query.publisher.emit(
            failure(error, request_id, attempt=attempt, most=MAX_ATTEMPTS, delay=delay, source=query.source)
        )
        for event in self._news:
            query.publisher.emit(event)
        self._news = []
        return delay

    async def _after_too_long(self, error: ModelError, request_id: str, query: Query) -> float | None:
        """Make room, once, and learn how much the server takes."""
        query.publisher.emit(
            failure(error, request_id, attempt=self._failed, most=MAX_ATTEMPTS, delay=None, source=query.source)
        )
        if error.excess:
            query.learn_window(error.excess[1])
        if self._has_made_room:
            return None
        self._has_made_room = True
        is_body = error.status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if not await make_room_after_all(query, is_body=is_body):
            return None
        # After a compaction the model has to hear again what it is to know.
        await query.remind()
        return 0.0

    async def _switch(self, error: ModelError, query: Query) -> bool:
        """Let another model go on where that helps: a fallback where this one is overloaded, another one where a
        fallback fails for good. Every switch counts its failures anew."""
        has_failed = query.stands_in and not error.is_retryable
        if not has_failed and self._overloads < OVERLOADS:
            return False
        info = await self._next(query)
        if info is None and not has_failed:
            return False
        before, now = query.turn.model, info or self._main
        query.turn = replace(query.turn, model=now)
        self.succeeded()
        why = f"cannot stand in: {error.user_message}" if has_failed else f"is overloaded, {OVERLOADS} times in a row."
        then = f"{now.id} answers for the rest of this turn; the next prompt goes to {self._main.id} again."
        if now == self._main:
            then = f"{now.id} is tried again."
        self._news += [
            Notice(level="warning", text=f"{before.id} {why}", hint=then),
            ModelChanged(
                model=now.id,
                context_window=window_of(now, query.turn.settings),
                limits=context_limits(now, query.turn.settings),
                stands_in_for="" if now == self._main else self._main.id,
            ),
        ]
        return True

    async def _next(self, query: Query) -> ModelInfo | None:
        """The next fallback that exists and holds the conversation; those that do not are told and passed over."""
        used = query.context_tokens()
        while self._left:
            name = self._left.pop(0)
            try:
                info = await learn_model(query.client, name, query.turn.settings.models)
            except ModelError as error:
                problem = error.user_message
            else:
                if used <= context_limits(info, query.turn.settings).blocking:
                    return info
                problem = f"its window of {info.window:,} tokens is too small for this conversation."
            self._news.append(
                Notice(level="warning", text=f"{name} cannot stand in: {problem}", hint="Check fallbackModel.")
            )
        return None
