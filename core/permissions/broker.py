"""What waits for the user's answer. The futures stay in here: events and ops carry only ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from core.bus.bus import Publisher
from core.protocol.events import (
    Event,
    PermissionRequested,
    PermissionResolved,
    PlanProposed,
    QuestionAsked,
    QuestionResolved,
)
from core.protocol.inquiries import PlanRequest, QuestionRequest
from core.protocol.ops import AnswerPermission, AnswerPlan, AnswerQuestion
from core.protocol.views import Behavior, PermissionRequest

A = TypeVar("A", AnswerPermission, AnswerQuestion, AnswerPlan)
SETTLED = "a rule or the mode denies it by now"
NOBODY = "there is no one to ask in this run; allow it by --allowedTools or --permission-mode"


class Broker:
    """Asks and waits. With no one to ask (headless) every permission is refused at once, and nothing else is asked."""

    def __init__(self, *, is_attended: bool) -> None:
        self.is_attended = is_attended
        self._pending: dict[str, tuple[type, asyncio.Future[Any]]] = {}
        self._open: dict[str, tuple[PermissionRequest, Callable[[], Behavior]]] = {}
        self.denials: list[PermissionRequest] = []
        """Requests that were refused, for the report of a headless run."""

    async def ask(
        self, request: PermissionRequest, publisher: Publisher, decided_now: Callable[[], Behavior]
    ) -> AnswerPermission:
        """May this call run? Cancelling withdraws the question, here as below.

        ``decided_now`` decides anew: what a rule or mode has settled meanwhile need not be asked any more.
        """
        if not self.is_attended:
            self.denials.append(request)
            return AnswerPermission(request_id=request.id, answer="deny", comment=NOBODY)

        def resolved(reply: AnswerPermission | None) -> Event:
            answer, comment = (reply.answer, reply.comment) if reply else (None, "")
            return PermissionResolved(
                request_id=request.id, tool_use_id=request.tool_use_id, answer=answer, comment=comment
            )

        self._open[request.id] = (request, decided_now)
        try:
            reply = await self._wait(
                request.id, AnswerPermission, PermissionRequested(request=request), resolved, publisher
            )
        finally:
            del self._open[request.id]
        if reply.answer == "deny":
            self.denials.append(request)
        return reply

    async def question(self, request: QuestionRequest, publisher: Publisher) -> AnswerQuestion:
        """What does the user say to these questions?"""

        def resolved(reply: AnswerQuestion | None) -> Event:
            return _resolved(request, reply, is_declined=reply is not None and not reply.answers)

        return await self._wait(request.id, AnswerQuestion, QuestionAsked(request=request), resolved, publisher)

    async def propose(self, request: PlanRequest, publisher: Publisher) -> AnswerPlan:
        """Does the user approve this plan?"""

        def resolved(reply: AnswerPlan | None) -> Event:
            return _resolved(request, reply, is_declined=reply is not None and reply.answer == "keep_planning")

        return await self._wait(request.id, AnswerPlan, PlanProposed(request=request), resolved, publisher)

    def answer(self, answer: AnswerPermission | AnswerQuestion | AnswerPlan) -> bool:
        """Hand in an answer; False where nothing of that id waits for one of its kind."""
        kind, future = self._pending.get(answer.request_id, (None, None))
        if future is None or future.done() or type(answer) is not kind:
            return False
        future.set_result(answer)
        return True

    def look_again(self) -> None:
        """Rules, mode or folders have changed: answer what is settled by that."""
        for request_id, (_request, decided_now) in list(self._open.items()):
            behavior = decided_now()
            if behavior != "ask":
                comment = SETTLED if behavior == "deny" else ""
                answer = "once" if behavior == "allow" else "deny"
                self.answer(AnswerPermission(request_id=request_id, answer=answer, comment=comment))

    def request(self, request_id: str) -> PermissionRequest | None:
        """The permission request of that id, where it is still open."""
        found = self._open.get(request_id)
        return found[0] if found else None

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of what is open, oldest first."""
        return tuple(self._pending)

    async def _wait(
        self, request_id: str, kind: type[A], asked: Event, resolved: Callable[[A | None], Event], publisher: Publisher
    ) -> A:
        """Publish the question, wait for an answer of its kind, and publish how it was closed."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = (kind, future)
        publisher.emit(asked)
        try:
            reply = await future
        except asyncio.CancelledError:
            publisher.emit(resolved(None))
            raise
        finally:
            del self._pending[request_id]
        publisher.emit(resolved(reply))
        return reply


def _resolved(
    request: QuestionRequest | PlanRequest, reply: AnswerQuestion | AnswerPlan | None, *, is_declined: bool
) -> QuestionResolved:
    outcome = "withdrawn" if reply is None else "declined" if is_declined else "answered"
    return QuestionResolved(request_id=request.id, tool_use_id=request.tool_use_id, outcome=outcome)
