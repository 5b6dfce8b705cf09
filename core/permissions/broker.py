"""Pending questions to the user. The futures stay in here: events and ops carry only ids."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.bus.bus import Publisher
from core.protocol.events import PermissionRequested, PermissionResolved
from core.protocol.views import Answer, PermissionRequest


@dataclass(frozen=True, slots=True)
class Reply:
    """What the user said."""

    answer: Answer
    comment: str = ""


class PermissionBroker:
    """Asks and waits. With no one to ask (headless) every question is answered with no at once."""

    def __init__(self, *, is_attended: bool) -> None:
        self._is_attended = is_attended
        self._pending: dict[str, asyncio.Future[Reply]] = {}
        self.denials: list[PermissionRequest] = []
        """Requests that were refused, for the report of a headless run."""

    async def ask(self, request: PermissionRequest, publisher: Publisher) -> Reply:
        """Publish the question and wait for its answer. Cancelling withdraws it."""
        if not self._is_attended:
            self.denials.append(request)
            return Reply("deny", "there is no one to ask in this run; allow it by --allowedTools or --permission-mode")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[request.id] = future
        publisher.emit(PermissionRequested(request=request))
        try:
            reply = await future
        except asyncio.CancelledError:
            self._close(request, None, publisher)
            raise
        self._close(request, reply, publisher)
        if reply.answer == "deny":
            self.denials.append(request)
        return reply

    def answer(self, request_id: str, reply: Reply) -> bool:
        """Hand in an answer; False where the question is no longer open."""
        future = self._pending.get(request_id)
        if future is None or future.done():
            return False
        future.set_result(reply)
        return True

    def _close(self, request: PermissionRequest, reply: Reply | None, publisher: Publisher) -> None:
        del self._pending[request.id]
        publisher.emit(
            PermissionResolved(
                request_id=request.id,
                tool_use_id=request.tool_use_id,
                answer=reply.answer if reply else None,
                comment=reply.comment if reply else "",
            )
        )

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of the open questions, oldest first."""
        return tuple(self._pending)
