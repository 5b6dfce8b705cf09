"""Time that stands still until a test moves it."""

from __future__ import annotations

import asyncio

START = 1_795_000_000.0
"""A moment in November 2026, seconds since the epoch."""


class FakeClock:
    """Sleeping takes no time: it moves the clock and lets others run."""

    def __init__(self, start: float = START) -> None:
        self.now = start
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
