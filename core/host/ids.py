"""Identifiers: who hands them out and what they look like. Tests replace the source by a counting one."""

from __future__ import annotations

import secrets
import uuid
from typing import Literal, Protocol

TaskKind = Literal["a", "b"]
"""Prefix of a task's id: ``a`` local agent, ``b`` background shell."""


class IdSource(Protocol):
    """Hands out identifiers that are unique within an installation."""

    def uuid(self) -> str:
        """A session, message or request id (36 characters, UUID form)."""
        ...

    def task(self, kind: TaskKind) -> str:
        """A task id: the kind's letter and six hex digits, 7 characters (``b04bf57``)."""
        ...


class RandomIds:
    """The real source."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def task(self, kind: TaskKind) -> str:
        return kind + secrets.token_hex(3)
