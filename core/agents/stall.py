"""Signs that an agent gets nowhere: the same call over and over, a long silence. Pure: time is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class Repeats:
    """Counts how often in a row an agent makes the same call: same tool, same input. ``most`` 0: nobody minds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._call: str = ""
        self.tool = ""
        """Of the newest call."""
        self.count = 0

    def add(self, tool: str, given: Mapping[str, Any]) -> None:
        """The agent makes a call."""
        call: str = json.dumps([tool, given], sort_keys=True, default=str)
        self.count = self.count + 1 if call == self._call else 1
        self._call, self.tool = call, tool

    def forgive(self) -> None:
        """It may make the same call as often again."""
        self.count = 0

    @property
    def is_stuck(self) -> bool:
        """Whether it was as often as is minded."""
        return 0 < self._most <= self.count

    @property
    def trouble(self) -> str:
        """What to show, from half of it on; empty below."""
        is_shown = self._most > 0 and self.count > 1 and self.count * 2 >= self._most
        return f"the same call of {self.tool} {self.count} times in a row" if is_shown else ""


class Silence:
    """How long an agent has given no sign of life. ``most`` are seconds, 0: nobody minds. While it waits for the user
    it is not silent."""

    def __init__(self, most: float, now: float) -> None:
        self.most = most
        self._since = now
        self._waits = set[str]()
        self.waited = 0.0
        """Seconds for which it has waited for the user, but for what it waits now."""
        self._waits_since = now

    def sign(self, now: float, rests_s: float = 0.0) -> None:
        """It did something, and will be silent for a while where it has said so."""
        self._since = max(self._since, now + rests_s)

    def wait(self, what: str, now: float) -> None:
        """It waits for the user's answer to a question of that id."""
        if not self._waits:
            self._waits_since = now
        self._waits.add(what)

    def go_on(self, what: str, now: float) -> None:
        """The question is closed."""
        if what in self._waits and len(self._waits) == 1:
            self.waited += now - self._waits_since
        self._waits.discard(what)
        self.sign(now)

    def waited_until(self, now: float) -> float:
        """Seconds for which it has waited for the user up to now."""
        return self.waited + (now - self._waits_since if self._waits else 0.0)

    def lasts(self, now: float) -> float:
        """Seconds without a sign of life."""
        return 0.0 if self._waits else max(0.0, now - self._since)

    def is_too_long(self, now: float) -> bool:
        """Whether it lasts as long as is minded."""
        return 0 < self.most <= self.lasts(now)

    def matters_in(self, now: float) -> float:
        """Seconds until it is to be looked at again: when it is shown, when it is minded, then as long again."""
        if self._waits:
            return self.most / 2
        moments = (self._since + self.most / 2, self._since + self.most)
        return next((moment - now for moment in moments if now < moment), self.most)

    def trouble(self, now: float) -> str:
        """What to show, from half of it on; empty below."""
        lasts = self.lasts(now)
        return f"no sign of life for {lasts:.0f} s" if 0 < self.most <= lasts * 2 else ""
