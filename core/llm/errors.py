"""What can go wrong with a request, told apart by what is to be done about it."""

from __future__ import annotations

import re
from typing import Literal

from core.protocol.errors import AgentError

ModelErrorKind = Literal[
    "auth",  # no key, a wrong one, or one that may not do this
    "billing",  # no credit, or a spending limit is reached
    "not_found",  # unknown model or address
    "invalid",  # the request is not acceptable; sending it again does not help
    "binding",  # thinking in the history does not belong to what stands before it
    "too_long",  # the prompt does not fit
    "rate_limit",
    "overloaded",
    "server",
    "connection",  # the server could not be reached
    "silent",  # nothing came for too long
    "dropped",  # the response broke off
]

RETRYABLE: frozenset[ModelErrorKind] = frozenset(
    {"rate_limit", "overloaded", "server", "connection", "silent", "dropped"}
)


class ModelError(AgentError):
    """A request that failed. ``retry_after_s`` is what the server asked for, ``status`` its HTTP status if any."""

    def __init__(
        self,
        kind: ModelErrorKind,
        user_message: str,
        hint: str = "",
        *,
        retry_after_s: float | None = None,
        is_retryable: bool | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(user_message, hint)
        self.kind: ModelErrorKind = kind
        self.retry_after_s = retry_after_s
        self.is_retryable = kind in RETRYABLE if is_retryable is None else is_retryable
        self.status = status

    @property
    def excess(self) -> tuple[int, int] | None:
        """Of a prompt that is too long: its tokens, and how many it may have; None where that was not said."""
        found = re.search(r"([\d,]+) tokens > ([\d,]+)", self.user_message)
        if found is None:
            return None
        sent, most = (int(number.replace(",", "")) for number in found.groups())
        return sent, most
