"""What the presenter keeps for whoever looks at it, and who is told when it changes."""

from __future__ import annotations

from collections.abc import Callable


class Watched:
    """Tells its watchers of every change."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Have a function called after every change; gives the one that ends this."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _changed(self) -> None:
        for watcher in list(self._watchers):
            watcher()
