"""Identifiers that count, so that a test can name them."""

from __future__ import annotations

from core.host.ids import TaskKind


class CountingIds:
    """``00000000-0000-4000-8000-000000000001`` and so on; tasks ``b000001``."""

    def __init__(self) -> None:
        self._uuids = 0
        self._tasks = 0

    def uuid(self) -> str:
        self._uuids += 1
        return f"00000000-0000-4000-8000-{self._uuids:012d}"

    def task(self, kind: TaskKind) -> str:
        self._tasks += 1
        return f"{kind}{self._tasks:06x}"
