"""What several agents begin with is written to the cache once: the first writes it, the others of its kind wait.

An entry of the cache can be read as soon as the response has begun that wrote it. So no request is sent for it alone:
the first agent is not held up at all, and those beside it begin when its answer does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from core.host.clock import Clock

MAX_WAIT_S = 10.0
"""After so long the others go on: then the prefix costs them what it would have without waiting."""


@dataclass(slots=True)
class _Prefix:
    writer: str
    """The agent that writes it."""
    written: asyncio.Event = field(default_factory=asyncio.Event)
    used_at: float = 0.0
    """Monotonic seconds."""


class SharedPrefixes:
    """Knows which prefixes the cache holds. ``ttl_s``: how long it does, since they were last used."""

    def __init__(self, clock: Clock, ttl_s: Callable[[], float]) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._prefixes: dict[str, _Prefix] = {}

    async def enter(self, key: str, agent_id: str) -> None:
        """Wait as long as another agent is about to write that prefix; without one the agent itself does."""
        prefix = self._prefixes.get(key)
        now = self._clock.monotonic()
        if prefix is None or (prefix.written.is_set() and now - prefix.used_at > self._ttl_s()):
            self._prefixes[key] = _Prefix(agent_id, used_at=now)
            return
        prefix.used_at = now
        if not prefix.written.is_set() and prefix.writer != agent_id:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MAX_WAIT_S):
                    await prefix.written.wait()

    def answered(self, agent_id: str) -> None:
        """The model has begun to answer an agent: what that wrote is there."""
        for prefix in self._prefixes.values():
            if prefix.writer == agent_id:
                prefix.written.set()

    def left(self, agent_id: str) -> None:
        """An agent is over. What it was about to write another one has to."""
        gone = [key for key, prefix in self._prefixes.items() if prefix.writer == agent_id]
        for key in gone:
            if not self._prefixes[key].written.is_set():
                self._prefixes.pop(key).written.set()
