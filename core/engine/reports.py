"""What the user asks to see: what fills the window, and what the session has cost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.context.report import Window, make_report
from core.cost.pricing import price
from core.engine.model_choice import warm_since_answer, written
from core.engine.session import Session
from core.llm.catalog import ModelInfo, catalog_date
from core.llm.client import ModelRequest
from core.llm.routes import routed
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import build_request, can_search
from core.protocol.context_events import ContextReported, CostsReported
from core.protocol.context_views import SendPrice
from core.protocol.messages import Message, TextBlock
from core.protocol.usage import Usage
from core.query.normalize import Accepted, normalize
from core.settings.schema import Settings

FILLER = {"role": "user", "content": [{"type": "text", "text": "."}]}
"""What is counted must not end with an answer."""


def report_costs(session: Session) -> CostsReported:
    """What the session has taken so far."""
    return CostsReported(
        lines=session.ledger.lines(),
        total_usd=session.ledger.cost_usd,
        limit_usd=session.state.settings.session_budget_usd,
        prices_dated=catalog_date(),
    )


async def report_context(session: Session, calls: CallEnvironment) -> None:
    """Publish what fills the window by estimate, then once more with the server's own count where it has one."""
    window = await _look(session, calls)
    report = await asyncio.to_thread(make_report, window)
    calls.publisher.emit(ContextReported(report=report))
    if not window.messages:
        return
    request = await asyncio.to_thread(_request, window, calls)
    exact = await session.models.client(session.choice.route()).count(request)
    if exact is not None:
        calls.publisher.emit(ContextReported(report=replace(report, exact=exact)))


async def _look(session: Session, calls: CallEnvironment) -> Window:
    """The window as it is, or before the first prompt as it will begin."""
    state, conversation, choice = session.state, session.conversation, session.choice
    route = choice.route()
    settings = routed(state.settings, route)
    model = choice.model if choice.model.id == route.model else session.models.find(route.model)
    system, messages = state.system, conversation.messages
    if system is None:
        prepared = await asyncio.shield(session.briefing.prepare())
        system, context = prepared.system, session.briefing.context()
        if context:
            messages = (Message(id="", role="user", content=(TextBlock(text=context),), is_meta=True), *messages)
    warm_until, now = warm_since_answer(conversation, state.settings), calls.services.host.clock.time()
    tools = calls.tools.offer(can_search=can_search(settings, model))
    next_send = None
    if state.watch.has_sent:
        next_send = state.watch.price_of_send(choice.used(), model, now)
    elif state.system is not None:
        # Before the first prompt it is not known what goes with it.
        next_send = price_after_resume(choice.used(), conversation.last_usage, model, settings, warm_until, now)
    return Window(
        model=model,
        settings=settings,
        system=system,
        tools=tools.schemas,
        messages=messages,
        known=conversation.known_tokens,
        last=conversation.last_usage,
        breaker=state.breaker.state,
        failures=state.breaker.failures,
        can_undo=conversation.can_undo,
        warm_until=warm_until,
        next_send=next_send,
    )


def _request(window: Window, calls: CallEnvironment) -> ModelRequest:
    settings = window.settings
    deferred = calls.tools.offer(can_search=can_search(settings, window.model)).deferred
    messages = normalize(window.messages, Accepted(window.model.mid_system, frozenset(deferred)))
    if messages[-1]["role"] == "assistant":
        messages.append(FILLER)
    return build_request(
        settings=settings,
        model=window.model,
        system=window.system,
        tools=[dict(schema) for schema in window.tools],
        messages=messages,
        max_tokens=min(settings.max_output_tokens, window.model.max_output),
    )


def price_after_resume(
    context_tokens: int, last: Usage, model: ModelInfo, settings: Settings, warm_until: float | None, now: float
) -> SendPrice:
    """What sending the window takes, as far as the newest request tells that an earlier run has sent."""
    is_warm = warm_until is not None and now < warm_until
    cached = min(last.cached_tokens, context_tokens) if is_warm else 0
    fresh = context_tokens - cached
    why_cold = "" if is_warm else "nothing is cached" if warm_until is None else "the cache has gone cold"
    return SendPrice(
        cached_tokens=cached,
        fresh_tokens=fresh,
        cost_usd=price(written(fresh, settings) + Usage(cache_read_tokens=cached), model.prices),
        why_cold=why_cold,
    )
