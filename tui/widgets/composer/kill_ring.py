"""What was killed, to be yanked again. Knows nothing of an editor."""

from __future__ import annotations

MAX_ENTRIES = 60


class KillRing:
    """Newest last; a place in it for yanking one after the other."""

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._at = 0

    def kill(self, text: str, *, is_forward: bool, joins: bool) -> None:
        """Keep a text; ``joins`` puts it to the newest entry, behind it where the kill went forward."""
        if not text:
            return
        if joins and self._entries:
            newest = self._entries[-1]
            self._entries[-1] = newest + text if is_forward else text + newest
        else:
            self._entries.append(text)
            del self._entries[:-MAX_ENTRIES]
        self._at = len(self._entries) - 1

    def yank(self) -> str:
        """The entry at the place; empty where nothing was killed."""
        return self._entries[self._at] if self._entries else ""

    def rotate(self) -> str:
        """The entry before, at the oldest the newest again."""
        if self._entries:
            self._at = (self._at - 1) % len(self._entries)
        return self.yank()
