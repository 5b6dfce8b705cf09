"""Time that stands still until a test moves it."""

from __future__ import annotations

import asyncio

START = 1_795_000_000.0
"""A moment in November 2026, seconds since the epoch."""


class FakeClock:
    """Sleeping takes no time: it moves the clock and lets others run. An alarm waits until it was moved so far."""

    def __init__(self, start: float = START) -> None:
        self.now = start
        self.slept: list[float] = []
        self.alarms: list[tuple[float, asyncio.Future[None]]] = []
        """Those that are set, with the moment they go off."""

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
        self.move(seconds)
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds
        for moment, future in self.alarms:
            if moment <= self.now and not future.done():
                future.set_result(None)

    async def alarm(self, seconds: float) -> None:
        moment = self.now + seconds
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        entry = moment, asyncio.get_running_loop().create_future()
        self.alarms.append(entry)
        try:
            await entry[1]
        finally:
            self.alarms.remove(entry)
