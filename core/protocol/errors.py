"""Errors that are meant to be read by a person: what happened, and what to do about it."""

from __future__ import annotations


class AgentError(Exception):
    """A failure with a message for the user and, where there is one, a hint that says what to do."""

    def __init__(self, user_message: str, hint: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.user_message} {self.hint}".strip()
