"""Time, so that tests can hold it still."""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time, a monotonic counter and sleep, all in seconds."""

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        ...

    async def alarm(self, seconds: float) -> None:
        """The same for a watch beside the work: what it waits for may never come to pass."""
        ...


class SystemClock:
    """The real one."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def alarm(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def local_date(clock: Clock) -> str:
    """Today in the local time zone, ``YYYY-MM-DD``."""
    return datetime.datetime.fromtimestamp(clock.time()).astimezone().strftime("%Y-%m-%d")


def iso_utc(ts: float) -> str:
    """``2026-11-21T08:54:00.000Z``."""
    moment = datetime.datetime.fromtimestamp(ts, tz=datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
