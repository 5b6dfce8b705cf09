"""What can go wrong with a request, told apart by what is to be done about it."""

from __future__ import annotations

from typing import Literal

from core.protocol.errors import AgentError

ModelErrorKind = Literal[
    "auth",  # no key, or a wrong one
    "not_found",  # unknown model or address
    "invalid",  # the request is not acceptable; sending it again does not help
    "too_long",  # the prompt does not fit
    "rate_limit",
    "overloaded",
    "server",
    "connection",  # the server could not be reached
    "dropped",  # the response broke off
]

RETRYABLE: frozenset[ModelErrorKind] = frozenset({"rate_limit", "overloaded", "server", "connection", "dropped"})


class ModelError(AgentError):
    """A request that failed. ``retry_after_s`` is what the server asked for."""

    def __init__(
        self,
        kind: ModelErrorKind,
        user_message: str,
        hint: str = "",
        *,
        retry_after_s: float | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        super().__init__(user_message, hint)
        self.kind: ModelErrorKind = kind
        self.retry_after_s = retry_after_s
        self.is_retryable = kind in RETRYABLE if is_retryable is None else is_retryable
