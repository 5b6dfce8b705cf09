"""One step: a request, sent again where that helps, and the calls of its response."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.host.tasks import despite_cancel
from core.llm.client import ModelRequest
from core.llm.errors import ModelError
from core.prompt.assemble import build_request, can_search, diagnoses
from core.protocol.events import RequestStarted
from core.query.normalize import Accepted
from core.query.response import Response
from core.query.turn import Query


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to."""

    stop_reason: str
    stop_detail: str
    has_calls: bool
    is_empty: bool
    ends_at_server: bool
    """The last block is the server's own work, with which it can go on by itself."""
    is_broken: bool = False
    """The response broke off; what was complete of it is in the history."""
    ends_turn: bool = False


async def run_step(query: Query, max_tokens: int) -> StepResult:
    """Send one request until it is answered. Raises ``ModelError`` once it is given up, and ``CancelledError``.

    In every case the history is valid afterwards: each call has its result.
    """
    while True:
        request, request_id = _request(query, max_tokens), query.host.ids.uuid()
        query.publisher.emit(
            RequestStarted(
                request_id=request_id,
                model=request.model,
                query_source=request.query_source,
                attempt=query.recovery.attempt,
            )
        )
        response = Response(query, request, request_id)
        query.runner = response.runner
        try:
            result = await _send(query, request, response, request_id)
        except ModelError:
            raise
        except asyncio.CancelledError:
            await despite_cancel(response.interrupt())
            raise
        except Exception:
            # A fault of our own: the calls still end, and the session can go on.
            await despite_cancel(response.interrupt())
            raise
        if result is not None:
            return result
        # What the user said during the wait goes along.
        await query.take_queued()


def _request(query: Query, max_tokens: int) -> ModelRequest:
    """The request for the conversation as it is, in the form that the model of the moment takes."""
    settings, model = query.turn.settings, query.turn.model
    tools = query.calls.tools.offer(can_search=can_search(settings, model))
    accepted = Accepted(model.mid_system, frozenset(tools.deferred))
    messages = query.history.normalized(query.conversation.messages, accepted)
    request = build_request(
        settings=settings,
        model=model,
        system=query.turn.system,
        tools=tools.schemas,
        messages=messages,
        max_tokens=min(max_tokens, model.max_output),
        query_source=query.source,
        user_id=query.turn.user_id,
        diagnostics=query.watch.diagnostics(model.id) if diagnoses(settings) else None,
    )
    query.watch.sending(request, query.turn.system, messages, query.host.clock.time())
    return request


async def _send(query: Query, request: ModelRequest, response: Response, request_id: str) -> StepResult | None:
    """One attempt; None where it is to be sent again, after the wait. Raises ``ModelError`` to give up."""
    failure: ModelError | None = None
    delay: float | None = 0.0
    try:
        await response.receive(query.client.stream(request))
        query.recovery.succeeded()
    except ModelError as error:
        failure = error
    if failure is not None:
        response.break_off()
        delay = await query.recovery.delay_after(failure, request_id, query)
        # The calls that were complete run on meanwhile.
        await query.host.clock.sleep(delay or 0.0)
        if response.is_empty and delay is not None:
            return None
    await response.finish()
    query.publish_usage(query.context_tokens())
    if failure is not None and delay is None:
        raise failure
    return StepResult(
        stop_reason=response.stop_reason,
        stop_detail=response.stop_detail,
        has_calls=response.runner.has_calls,
        is_empty=response.is_empty,
        ends_at_server=response.ends_at_server,
        is_broken=failure is not None,
        ends_turn=response.runner.ends_turn,
    )
