"""Which model answers: for a turn that opens, and when the user asks for another one. Says what that means."""

from __future__ import annotations

import difflib
from dataclasses import replace

from core.bus.bus import Publisher
from core.context.budget import context_limits, window_of
from core.context.tokens import count_tokens, overhead
from core.cost.pricing import price
from core.engine.session_state import SessionState
from core.llm.catalog import ModelInfo, load_catalog
from core.llm.errors import ModelError
from core.llm.models import Chosen, Models
from core.llm.routes import Moment, Route, routed
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import can_search
from core.prompt.cache import warm_until
from core.protocol.events import ModelChanged, ModelChangeQuoted, Notice
from core.protocol.usage import Usage
from core.sessions.conversation import Conversation
from core.settings.schema import Settings

QUOTED_TOKENS = 2_000
"""What less than that costs to be read anew is not worth a question."""


class ModelChoice:
    """Chooses for one session, and keeps the window's figures those of the model that answers.

    A turn keeps the model that it began with: another one would read everything anew in the middle of the work. So
    a plan that is approved is begun by the model that has planned it.
    """

    def __init__(self, models: Models, state: SessionState, conversation: Conversation, calls: CallEnvironment) -> None:
        self._models = models
        self._state = state
        self._conversation = conversation
        self._calls = calls
        self._shown = state.settings.model
        self.model = models.find(state.settings.model)
        """The one that answered last or was chosen since."""
        self._said: set[str] = set()
        """What is not told twice."""

    def route(self) -> Route:
        """Where a turn would go that opened now."""
        settings, used = self._state.settings, self.used()
        moment = Moment(
            mode=self._calls.policies.policy.mode,
            context_tokens=used,
            fits=lambda model: not _is_beyond(used, model, settings),
        )
        return self._models.route("main", moment)

    async def for_turn(self, publisher: Publisher) -> Chosen:
        """Who answers the turn that opens now. Raises ``ModelError``."""
        settings, route = self._state.settings, self.route()
        for entry in route.passed_over:
            text = f"routing.{entry.kind}: the window of {entry.model} does not hold this conversation."
            self._say(publisher, text, f"{route.model} answers.")
        model, client = await self._models.learn(route), self._models.client(route)
        self.model = model = replace(model, most=self._state.most.get(model.id))
        if route.effort and route.effort not in model.efforts:
            text = f"{route.model} is not known to have the effort {route.effort}: it is left out."
            self._say(publisher, text, f"If it has, say so in the settings: models.{route.model}.efforts.")
        if route.model != self._shown:
            self.tell(route.model, model)
        return Chosen(routed(settings, route), model, client)

    async def change(self, model_id: str, *, is_confirmed: bool) -> None:
        """Make another model the main one. What would be read anew is quoted instead, unless it is confirmed."""
        publisher, before = self._calls.publisher, self._state.settings
        try:
            info = await self._models.learn(self._models.main_route(model_id))
        except ModelError as error:
            if error.kind == "not_found":
                publisher.emit(
                    Notice(level="error", text=f"There is no model {model_id!r}.", hint=_names_like(model_id))
                )
                return
            info = self._models.find(model_id)
        used = self.used()
        if _is_beyond(used, info, before):
            then = "it is compacted first." if before.auto_compact else "/compact makes it shorter."
            holds = f"{info.id} holds {window_of(info, before):,} tokens"
            self._say(publisher, f"{holds}, and the conversation has about {used:,}: {then}")
        quote = None if is_confirmed else self._quote(info, used)
        if quote is not None:
            publisher.emit(quote)
            return
        if not info.is_known:
            text = f"Nothing is known of {model_id}: its window is taken for {info.window:,} tokens."
            publisher.emit(Notice(level="warning", text=text, hint="Say what it is in the settings, under models."))
        self._state.settings = replace(self._state.settings, model=model_id)
        self.tell(model_id, info)

    def tell(self, name: str, info: ModelInfo) -> None:
        """Have the window show a model and its figures."""
        self._shown, self.model = name, info
        window, limits = window_of(info, self._state.settings), context_limits(info, self._state.settings)
        self._calls.publisher.emit(ModelChanged(model=info.id, context_window=window, limits=limits))

    def used(self) -> int:
        """Tokens in the window."""
        known, system = self._conversation.known_tokens, self._state.system
        before = 0
        if not known and system is not None:
            settings = self._state.settings
            offer = self._calls.tools.offer(can_search=can_search(settings, self._models.find(settings.model)))
            before = overhead(system, offer.schemas)
        return count_tokens(self._conversation.messages, known, before)

    def _quote(self, info: ModelInfo, used: int) -> ModelChangeQuoted | None:
        """What the model would read anew of what the cache holds for the one that answered last; None where that is
        next to nothing."""
        last, settings = self._conversation.last_usage, self._state.settings
        until = warm_since_answer(self._conversation, settings)
        is_warm = until is not None and until > self._calls.services.host.clock.time()
        answered = next((message.model for message in reversed(self._conversation.messages) if message.model), info.id)
        if not is_warm or last.cached_tokens <= QUOTED_TOKENS or answered == info.id:
            return None
        read_anew = written(used, settings)
        return ModelChangeQuoted(model=info.id, tokens=used, cost_usd=price(read_anew, info.prices))

    def _say(self, publisher: Publisher, text: str, hint: str = "") -> None:
        if text not in self._said:
            self._said.add(text)
            publisher.emit(Notice(level="warning", text=text, hint=hint))


def written(tokens: int, settings: Settings) -> Usage:
    """Tokens that are sent anew, and where there is a cache are kept in it."""
    if not settings.prompt_caching:
        return Usage(input_tokens=tokens)
    return Usage(cache_write_1h_tokens=tokens) if settings.cache_ttl == "1h" else Usage(cache_write_5m_tokens=tokens)


def warm_since_answer(conversation: Conversation, settings: Settings) -> float | None:
    """Until when the cache holds the conversation, as far as its newest answer tells; None where nothing is cached, or
    where it was compacted since."""
    if not conversation.known_tokens:
        return None
    answered = next((message.ts for message in reversed(conversation.messages) if message.role == "assistant"), None)
    return None if answered is None else warm_until(answered, settings.cache_ttl, conversation.last_usage)


def _is_beyond(used: int, model: ModelInfo, settings: Settings) -> bool:
    """Whether a conversation is too long for a model as it is."""
    limits = context_limits(model, settings)
    return used >= (limits.autocompact or limits.blocking)


def _names_like(model_id: str) -> str:
    near = difflib.get_close_matches(model_id, load_catalog(), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "Models are named by their ids."
