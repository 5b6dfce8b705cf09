"""One step: a request, sent again where that helps, and the calls of its response."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.context.tokens import count_tokens
from core.host.tasks import despite_cancel
from core.llm.errors import ModelError
from core.llm.retry import retry_delay
from core.prompt.assemble import build_request, can_search
from core.protocol.events import RequestFailed, RequestStarted
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
    is_broken: bool = False
    """The response broke off; what was complete of it is in the history."""
    ends_turn: bool = False


async def run_step(query: Query, max_tokens: int) -> StepResult:
    """Send one request until it is answered. Raises ``ModelError`` once it is given up, and ``CancelledError``.

    In every case the history is valid afterwards: each call has its result.
    """
    attempt = 0
    while True:
        attempt += 1
        request_id = query.host.ids.uuid()
        tools = query.calls.tools.offer(can_search=can_search(query.turn.settings, query.turn.model))
        request = build_request(
            settings=query.turn.settings,
            model=query.turn.model,
            system=query.turn.system,
            tools=tools.schemas,
            messages=query.history.normalized(
                query.conversation.messages, Accepted(query.turn.model.mid_system, frozenset(tools.deferred))
            ),
            max_tokens=max_tokens,
        )
        query.publisher.emit(
            RequestStarted(
                request_id=request_id,
                model=request.model,
                query_source=request.query_source,
                attempt=attempt,
            )
        )
        response = Response(query, request, request_id)
        query.runner = response.runner
        try:
            await response.receive(query.client.stream(request))
            await response.finish()
            query.publish_usage(count_tokens(query.conversation.messages, query.conversation.last_usage))
            return _result(response)
        except asyncio.CancelledError:
            await despite_cancel(response.interrupt())
            raise
        except ModelError as error:
            if response.has_substance:
                _publish_failure(query, request_id, error, attempt, 0.0)
                await _keep(response)
                return _result(response, is_broken=True)
            response.discard()
            delay = retry_delay(error, attempt)
            _publish_failure(query, request_id, error, attempt, delay)
            if delay is None:
                raise
            await query.host.clock.sleep(delay)
        except Exception:
            # A fault of our own: the calls still end, and the session can go on.
            await despite_cancel(response.interrupt())
            raise


async def _keep(response: Response) -> None:
    try:
        await response.keep_broken()
    except asyncio.CancelledError:
        await despite_cancel(response.interrupt())
        raise


def _result(response: Response, *, is_broken: bool = False) -> StepResult:
    return StepResult(
        stop_reason=response.stop_reason,
        stop_detail=response.stop_detail,
        has_calls=response.runner.has_calls,
        is_empty=response.is_empty,
        is_broken=is_broken,
        ends_turn=response.runner.ends_turn,
    )


def _publish_failure(query: Query, request_id: str, error: ModelError, attempt: int, delay: float | None) -> None:
    query.publisher.emit(
        RequestFailed(
            request_id=request_id,
            reason=error.user_message,
            attempt=attempt,
            retry_in_s=delay,
            hint=error.hint,
        )
    )
