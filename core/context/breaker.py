"""The circuit breaker of compaction: after some failures in a row it is no longer tried on its own."""

from __future__ import annotations

from core.protocol.context_views import BreakerState

MAX_FAILURES = 3


class Breaker:
    """Counts failures in a row; a success, also of a compaction asked for by hand, closes it."""

    def __init__(self) -> None:
        self.failures = 0

    @property
    def state(self) -> BreakerState:
        """``open``: not tried any more in this session."""
        return "open" if self.failures >= MAX_FAILURES else "closed"

    @property
    def is_open(self) -> bool:
        """Whether compaction is no longer tried on its own."""
        return self.state == "open"

    def failed(self) -> None:
        """Count a failure."""
        self.failures += 1

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0
