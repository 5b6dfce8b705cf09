"""Prompts sent before, to be walked through and searched. Keeps no file: the bridge does."""

from __future__ import annotations

from collections.abc import Iterable


class History:
    """Oldest first, no repeats next to each other, and a place in it while walking."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._at: int | None = None
        self._draft = ""

    def load(self, items: Iterable[str]) -> None:
        """What was sent in earlier sessions, before what was sent in this one."""
        self._items = [*items, *self._items]

    def add(self, text: str) -> None:
        """A prompt was sent."""
        self._at = None
        if not self._items or self._items[-1] != text:
            self._items.append(text)

    def newest_first(self) -> list[str]:
        """Every prompt once."""
        return list(dict.fromkeys(reversed(self._items)))

    def older(self, current: str) -> str | None:
        """The prompt before; ``current`` is kept as the draft to come back to. None at the oldest."""
        if not self._items:
            return None
        if self._at is None:
            self._draft, self._at = current, len(self._items)
        if self._at == 0:
            return None
        self._at -= 1
        return self._items[self._at]

    def newer(self) -> str | None:
        """The prompt after, at last the draft. None where one is not walking."""
        if self._at is None:
            return None
        self._at += 1
        if self._at >= len(self._items):
            self._at = None
            return self._draft
        return self._items[self._at]
