"""What the cache should hold of what an agent has sent, what its next request reads of it, and why one read less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.cost.pricing import price
from core.llm.catalog import ModelInfo
from core.llm.client import ModelRequest
from core.prompt.cache import LOOK_BACK, TTL_S, prompt_cost
from core.prompt.cache_change import Sent, first_change
from core.protocol.context_events import CacheBreakCause, CacheBroken
from core.protocol.context_views import SendPrice
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt
from core.settings.schema import CacheTtl

MIN_SHORT_TOKENS = 2_000
MIN_SHORT_SHARE = 0.05
"""A request broke the cache that read less than expected by more than both of these."""
CLOCK_SLACK_S = 5.0
"""The lifetime begins when the server takes up a request, on its own clock."""

_DIAGNOSES: dict[str, CacheBreakCause] = {
    "model_changed": "model",
    "system_changed": "system",
    "tools_changed": "tools",
    "messages_changed": "messages",
}
"""What the API's own diagnostics say. Its other answers say that it does not know."""

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a response tells of the cache."""

    request_id: str
    message_id: str
    usage: Usage
    """At its start: what a server adds for work of its own later is not about our prompt."""
    diagnosis: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    """What the cache should hold since a request was answered."""

    sent: Sent
    tokens: int
    message_id: str
    announced: str = ""
    """What has changed the history since; empty where nothing did."""


class CacheWatch:
    """One for each agent. Told of every request and of every answer. ``ttl``: None where nothing is to be cached.

    It begins empty, also in a session that is taken up again: the first request then expects nothing.
    """

    def __init__(self, ttl: CacheTtl | None = "5m") -> None:
        self._ttl: CacheTtl | None = ttl
        self._held: dict[str, _Held] = {}
        """By model, the one of the newest answer last."""
        self._sending: Sent | None = None

    @property
    def has_sent(self) -> bool:
        """Whether anything was answered yet."""
        return bool(self._held)

    def announce(self, what: str) -> None:
        """Something changes what was sent, and the user knows of it: ``compaction``. To be called before the next
        request; should that read less than could be expected, then this is why."""
        self._held = {model: replace(held, announced=held.announced or what) for model, held in self._held.items()}

    def diagnostics(self, model_id: str) -> Wire:
        """The parameter with which the API is asked what has changed since the request before."""
        before = self._before(model_id)
        is_named = before is not None and before.message_id.startswith("msg_")
        return {"previous_message_id": before.message_id if before is not None and is_named else None}

    def sending(self, request: ModelRequest, system: SystemPrompt, messages: list[Wire], now: float) -> None:
        """A request goes out. ``messages`` are its own without breakpoints; they must not be changed."""
        self._sending = Sent(
            model=request.model,
            system=system,
            tools=request.tools,
            thinking=request.thinking,
            output_config=request.output_config,
            messages=messages,
            at=now,
        )

    def answered(self, answer: Answer, model: ModelInfo) -> CacheBroken | None:
        """The request was answered: what the cache holds from now on, and what it should have held before and did
        not give."""
        sent, self._sending = self._sending, None
        usage = answer.usage
        if sent is None or self._ttl is None or not usage.prompt_tokens:
            return None
        before = self._before(sent.model)
        written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        self._hold(_Held(sent, usage.cache_read_tokens + written, answer.message_id))
        if before is None or not usage.cache_read_tokens + written:
            # A prompt of which nothing is cached at all is too small for it, or the server knows no cache.
            return None
        short = before.tokens - usage.cache_read_tokens
        if short <= MIN_SHORT_TOKENS or short <= before.tokens * MIN_SHORT_SHARE:
            return None
        cause, reason = self._cause(before, sent, answer.diagnosis)
        return CacheBroken(
            request_id=answer.request_id,
            expected_tokens=before.tokens,
            read_tokens=usage.cache_read_tokens,
            cause=cause,
            reason=reason,
            is_announced=bool(before.announced) or cause == "model",
            extra_cost_usd=_extra_cost(usage, short, model),
        )

    def broke_off(self, answer: Answer) -> None:
        """The response ended early. What it read was in the cache; whether the rest of it is now is not known."""
        sent, self._sending = self._sending, None
        if sent is not None and self._ttl is not None and answer.usage.cache_read_tokens:
            before = self._held.get(sent.model)
            known = before.announced if before is not None else ""
            self._hold(_Held(sent, answer.usage.cache_read_tokens, answer.message_id, known))

    def price_of_send(self, context_tokens: int, model: ModelInfo, now: float) -> SendPrice:
        """What sending a window of so many tokens to a model takes at this moment."""
        held = self._held.get(model.id)
        why = self._why_cold(model, now)
        cached = min(held.tokens, context_tokens) if held is not None and not why else 0
        fresh = context_tokens - cached
        cost = prompt_cost(model, cached=cached, fresh=fresh, ttl=self._ttl)
        return SendPrice(cached_tokens=cached, fresh_tokens=fresh, cost_usd=cost, why_cold=why)

    def _why_cold(self, model: ModelInfo, now: float) -> str:
        if self._ttl is None:
            return "caching is off"
        held = self._held.get(model.id)
        if not self._held:
            return "nothing was sent yet"
        if held is None:
            return f"{model.id} has read nothing of it yet"
        if not held.tokens:
            return "the server has cached nothing"
        if held.announced:
            return f"changed since: {held.announced}"
        late = now - held.sent.at - TTL_S[self._ttl]
        return f"cold since {_minutes(late)}" if late >= 0 else ""

    def _before(self, model_id: str) -> _Held | None:
        """What a request to this model is compared with: its own last one, else the newest of another model."""
        own = self._held.get(model_id)
        return own or next(reversed(self._held.values()), None)

    def _hold(self, held: _Held) -> None:
        self._held.pop(held.sent.model, None)
        self._held[held.sent.model] = held

    def _cause(self, before: _Held, sent: Sent, diagnosis: str) -> tuple[CacheBreakCause, str]:
        """Why less was read. What the API says itself counts more than what was seen from here."""
        change = first_change(before.sent, sent, reach=LOOK_BACK)
        said = _DIAGNOSES.get(diagnosis)
        if said is not None and (change is None or change[0] != said):
            change = said, f"the server found that the {said} changed"
        assert self._ttl is not None
        late = sent.at - before.sent.at - TTL_S[self._ttl] + CLOCK_SLACK_S
        if late > 0 and said is None and (change is None or change[0] != "model"):
            after, kept = _minutes(sent.at - before.sent.at), _minutes(TTL_S[self._ttl])
            return "expired", f"sent {after} after the last request; the cache holds {kept}"
        if before.announced:
            return (change[0] if change is not None else "messages"), before.announced
        return change or ("evicted", "nothing changed; the server let go of it")


def _extra_cost(usage: Usage, short: int, model: ModelInfo) -> float | None:
    """USD that a request cost beyond what it would have, had so many more of its tokens come from the cache."""
    from_5m = min(short, usage.cache_write_5m_tokens)
    from_1h = min(short - from_5m, usage.cache_write_1h_tokens)
    from_input = min(short - from_5m - from_1h, usage.input_tokens)
    wished = replace(
        usage,
        cache_write_5m_tokens=usage.cache_write_5m_tokens - from_5m,
        cache_write_1h_tokens=usage.cache_write_1h_tokens - from_1h,
        input_tokens=usage.input_tokens - from_input,
        cache_read_tokens=usage.cache_read_tokens + from_5m + from_1h + from_input,
    )
    paid, due = price(usage, model.prices), price(wished, model.prices)
    return None if paid is None or due is None else paid - due


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 5_400 else f"{round(seconds / 3_600)} h"
