"""How long to wait before a failed request is sent again."""

from __future__ import annotations

from core.llm.errors import ModelError

MAX_ATTEMPTS = 8
"""Requests sent before giving up, the first one included."""
BASE_DELAY_S = 0.5
MAX_DELAY_S = 32.0
MAX_RETRY_AFTER_S = 600.0
"""A server may ask for any wait; beyond this the user is told instead of being kept waiting."""


def retry_delay(error: ModelError, attempt: int) -> float | None:
    """Seconds to wait after the ``attempt``-th request (from 1) failed; None to give up."""
    if not error.is_retryable or attempt >= MAX_ATTEMPTS:
        return None
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= MAX_RETRY_AFTER_S else None
    return min(BASE_DELAY_S * 2 ** (attempt - 1), MAX_DELAY_S)
