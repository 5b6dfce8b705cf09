"""How long to wait before a failed request is sent again."""

from __future__ import annotations

from core.llm.client import QuerySource
from core.llm.errors import ModelError
from core.protocol.events import RequestFailed

MAX_ATTEMPTS = 8
"""Requests sent before giving up, the first one included."""
BASE_DELAY_S = 0.5
MAX_DELAY_S = 32.0
JITTER_SHARE = 0.25
"""So much of a delay of ours is left to chance, so that clients that failed together do not come back together."""
MAX_RETRY_AFTER_S = 600.0
"""A server may ask for any wait; beyond this the user is told instead of being kept waiting."""


def failure(
    error: ModelError, request_id: str, *, attempt: int, most: int, delay: float | None, source: QuerySource = "main"
) -> RequestFailed:
    """How a failed request is told; ``delay`` as ``retry_delay`` gives it."""
    return RequestFailed(
        request_id=request_id,
        query_source=source,
        reason=error.user_message,
        cause=error.kind,
        status=error.status,
        attempt=attempt,
        max_attempts=most,
        retry_in_s=delay,
        hint=error.hint,
    )


def retry_delay(error: ModelError, failed: int, chance: float) -> float | None:
    """Seconds to wait after the ``failed``-th failure in a row (from 1); None to give up. ``chance`` is in [0, 1)."""
    if not error.is_retryable or failed >= MAX_ATTEMPTS:
        return None
    # A wait of nothing is not taken at its word: eight requests in one breath help nobody.
    if error.retry_after_s:
        return error.retry_after_s if error.retry_after_s <= MAX_RETRY_AFTER_S else None
    return min(BASE_DELAY_S * 2 ** (failed - 1), MAX_DELAY_S) * (1 - JITTER_SHARE * chance)
