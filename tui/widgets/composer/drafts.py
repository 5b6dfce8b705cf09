"""When the draft is to be saved: a while after the last change, and never while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

DELAY_S = 1.0
LONGEST_S = 5.0
"""Somebody who types without a pause is not made to wait longer than about this."""
ENOUGH_S = 0.01
"""A timer that comes this much too early is not set again."""


class DraftTimer:
    """One timer at most, however fast the changes come."""

    def __init__(self, owner: Widget, save: Callable[[], None]) -> None:
        self._owner = owner
        self._save = save
        self._changed = self._first = 0.0
        self._timer: Timer | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a change is not saved yet."""
        return self._timer is not None

    def touch(self) -> None:
        """Something has changed."""
        self._changed = time.monotonic()
        if self._timer is None and self._owner.is_running:
            self._first = self._changed
            self._timer = self._owner.set_timer(DELAY_S, self._due)

    def flush(self) -> None:
        """Save now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._save()

    def _due(self) -> None:
        now = time.monotonic()
        left = self._changed + DELAY_S - now
        if left > ENOUGH_S and now < self._first + LONGEST_S:
            self._timer = self._owner.set_timer(left, self._due)
        else:
            self._timer = None
            self._save()
