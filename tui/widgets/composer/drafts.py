"""When the draft is to be saved: a while after the last change, and never while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

DELAY_S = 1.0
ENOUGH_S = 0.01
"""A timer that comes this much too early is not set again."""


class DraftTimer:
    """One timer at most, however fast the changes come."""

    def __init__(self, owner: Widget, save: Callable[[], None]) -> None:
        self._owner = owner
        self._save = save
        self._changed = 0.0
        self._timer: Timer | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a change is not saved yet."""
        return self._timer is not None

    def touch(self) -> None:
        """Something has changed."""
        self._changed = time.monotonic()
        if self._timer is None and self._owner.is_running:
            self._timer = self._owner.set_timer(DELAY_S, self._due)

    def flush(self) -> None:
        """Save now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._save()

    def _due(self) -> None:
        left = self._changed + DELAY_S - time.monotonic()
        if left > ENOUGH_S:
            self._timer = self._owner.set_timer(left, self._due)
        else:
            self._timer = None
            self._save()
