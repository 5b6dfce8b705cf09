"""What a growing conversation sends: ``normalize``, made so that a request costs what is new since the last one."""

from __future__ import annotations

from typing import Any

from core.protocol.messages import Message
from core.query.normalize import Accepted, grouped, start_with_user, to_wire


class History:
    """Keeps the normalised form of the messages that nothing appended later can change: all before the newest answer.

    It is kept only as long as a conversation begins with those very messages; any other begins anew. What it costs
    is a few small objects for each block: texts are shared with the messages.
    """

    def __init__(self) -> None:
        self._accepted = Accepted(system=True)
        self._settled: tuple[Message, ...] = ()
        self._wire: list[dict[str, Any]] = []
        self._used: set[str] = set()
        """Ids of the calls in ``_settled``."""

    def normalized(self, messages: tuple[Message, ...], accepted: Accepted) -> list[dict[str, Any]]:
        """What ``normalize`` gives. The items are kept and must not be changed."""
        # Comparing tuples looks at the addresses first: thousands of the same messages take microseconds.
        if accepted != self._accepted or messages[: len(self._settled)] != self._settled:
            self._accepted, self._settled, self._wire, self._used = accepted, (), [], set()
        new = messages[len(self._settled) :]
        answer = next((at for at in range(len(new) - 1, 0, -1) if new[at].role == "assistant"), 0)
        rest = self._settle(new, answer) if answer else None
        if rest is None:
            groups = grouped(new, set(self._used), accepted).groups
            rest = to_wire(groups if self._wire else start_with_user(groups))
        return [*self._wire, *rest]

    def _settle(self, new: tuple[Message, ...], answer: int) -> list[dict[str, Any]] | None:
        """Keep what stands before the newest answer, and return the rest; None where the two belong together."""
        used = set(self._used)
        before = grouped(new[:answer], used, self._accepted)
        if not before.is_settled:
            return None
        after = grouped(new[answer:], set(used), self._accepted).groups
        if not after or after[0][0] != "assistant":
            return None
        if after[-1][0] == "assistant" and not _stays(new[answer:], used, self._accepted):
            return None
        self._wire += to_wire(before.groups if self._wire else start_with_user(before.groups))
        self._settled += new[:answer]
        self._used = used
        return to_wire(after)


def _stays(newest: tuple[Message, ...], used: set[str], accepted: Accepted) -> bool:
    """Whether something is left of the newest answer should the server not go on with what it paused in."""
    groups = grouped(newest, set(used), accepted, may_pause=False).groups
    return bool(groups) and groups[0][0] == "assistant"
