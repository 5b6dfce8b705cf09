"""One reader's queue of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from core.protocol.delivery import fold, fold_key
from core.protocol.envelope import Envelope
from core.protocol.events import Event

FOLD_EVERY = 64
"""Events gathered for one queued place before they are folded: joining at each delta would be quadratic."""

Backlog = Callable[[int], Sequence[Envelope]]
"""Every kept envelope after a sequence number, oldest first."""


class Subscription:
    """Events for one reader, in order. A reader that is slow gets COALESCE events folded; it never loses another.

    With a ``backlog`` the queue is bounded: past ``limit`` it is thrown away and the next read takes what
    was missed from the backlog.
    """

    def __init__(self, *, last_seq: int, backlog: Backlog | None = None, limit: int = 20_000) -> None:
        self._queue: list[Envelope] = []
        self._foldable: dict[tuple[str, str], int] = {}
        self._folded: dict[int, list[Event]] = {}
        self._wake = asyncio.Event()
        self._last_seq = last_seq
        self._newest_seq = last_seq
        """Of all that was offered. A folded envelope has the number of its oldest event, so it is kept apart."""
        self._backlog = backlog
        self._limit = limit
        self._overflowed = False
        self._closed = False

    def offer(self, envelope: Envelope) -> None:
        """Queue an event; never waits."""
        if self._closed:
            return
        self._wake.set()
        self._newest_seq = envelope.seq
        if self._overflowed:
            return
        key = fold_key(envelope.event)
        if key is not None:
            subject = (envelope.agent_id, key)
            at = self._foldable.get(subject)
            if at is not None:
                self._fold_into(at, envelope.event)
                return
            self._foldable[subject] = len(self._queue)
        self._queue.append(envelope)
        if self._backlog is not None and len(self._queue) > self._limit:
            self._overflowed = True
            self._clear()

    async def read(self) -> list[Envelope]:
        """Wait for events and return all that are queued; an empty list once closed and drained."""
        await self.ready()
        return self.take()

    async def ready(self) -> bool:
        """Wait until there is something to take; False once closed and drained."""
        while not self._queue and not self._overflowed and not self._closed:
            self._wake.clear()
            await self._wake.wait()
        return bool(self._queue) or self._overflowed

    def take(self) -> list[Envelope]:
        """All that is queued, without waiting."""
        if self._overflowed and self._backlog is not None:
            self._overflowed = False
            batch = list(self._backlog(self._last_seq))
        else:
            batch = self._queue
            for at, events in self._folded.items():
                batch[at] = replace(batch[at], event=fold(events))
        self._clear()
        self._last_seq = self._newest_seq
        return batch

    def close(self) -> None:
        """No further events; a waiting reader gets what is left."""
        self._closed = True
        self._wake.set()

    def _fold_into(self, at: int, event: Event) -> None:
        events = self._folded.setdefault(at, [self._queue[at].event])
        events.append(event)
        if len(events) >= FOLD_EVERY:
            events[:] = [fold(events)]

    def _clear(self) -> None:
        self._queue = []
        self._foldable = {}
        self._folded = {}
