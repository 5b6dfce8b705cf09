"""A simulation of the prompt cache and of the API's own cache diagnostics, and a log of prefix breaks.

The cache stores hashes of prefixes per model, at breakpoints only. A lookup goes back at most twenty blocks from each
breakpoint. Parameters that invalidate the messages (thinking, effort, tool choice, output format) are hashed in where
the messages start; speed separates everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, takewhile

from tests.fakes.api_call import Call
from tests.fakes.api_canon import Item, Json, Section, dump, markers
from tests.fakes.api_signing import digest

LOOK_BACK = 20
LIFETIMES = {"5m": 300.0, "1h": 3600.0}
SECTIONS: tuple[Section, ...] = ("tools", "system", "messages")


@dataclass(frozen=True)
class CachePlan:
    """How one request meets the cache."""

    read: int
    created: dict[str, int]
    fresh: int
    hit: str | None
    writes: tuple[tuple[str, str], ...]
    started: float

    def usage(self) -> Json:
        """The input side of `usage`."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": sum(self.created.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.created["5m"],
                "ephemeral_1h_input_tokens": self.created["1h"],
            },
        }


@dataclass
class _Entry:
    lifetime: str
    expires: float


@dataclass
class PromptCache:
    """Prefixes known to the server, with their expiry."""

    enforce_minimum: bool = False
    clock: Callable[[], float] = time.monotonic
    _entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    _ahead: float = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self._ahead += seconds

    def clear(self) -> None:
        """Forget everything, as an eviction would."""
        self._entries.clear()

    def plan(self, call: Call) -> CachePlan:
        """What this request reads and would write; nothing changes until `commit`."""
        now = self.clock() + self._ahead
        keys = _prefix_keys(call)
        ends = list(accumulate(item.tokens for item in call.items))
        points = _breakpoints(call)
        if self.enforce_minimum:
            points = [(at, ttl) for at, ttl in points if ends[at] >= call.model.cache_minimum]
        hit = self._longest_hit(keys, [at for at, _ in points], now)
        read = ends[hit] if hit is not None else 0
        created = {"5m": 0, "1h": 0}
        covered = read
        for at, lifetime in points:
            created[lifetime] += max(0, ends[at] - covered)
            covered = max(covered, ends[at])
        return CachePlan(
            read=read,
            created=created,
            fresh=(ends[-1] if ends else 0) - covered,
            hit=keys[hit] if hit is not None else None,
            writes=tuple((keys[at], lifetime) for at, lifetime in points),
            started=now,
        )

    def _longest_hit(self, keys: list[str], points: list[int], now: float) -> int | None:
        hits = [
            at
            for point in points
            for at in range(max(0, point - LOOK_BACK + 1), point + 1)
            if (entry := self._entries.get(keys[at])) and entry.expires > now
        ]
        return max(hits, default=None)

    def commit(self, plan: CachePlan) -> None:
        """Make the prefixes readable; the response has begun."""
        if plan.hit is not None and (entry := self._entries.get(plan.hit)):
            entry.expires = max(entry.expires, plan.started + LIFETIMES[entry.lifetime])
        for key, lifetime in plan.writes:
            entry = self._entries.setdefault(key, _Entry(lifetime, 0.0))
            if LIFETIMES[lifetime] > LIFETIMES[entry.lifetime]:
                entry.lifetime = lifetime
            entry.expires = max(entry.expires, plan.started + LIFETIMES[entry.lifetime])


def _prefix_keys(call: Call) -> list[str]:
    body = call.body
    output = call.option("output_config") or {}
    salt = dump([body.get("tool_choice"), body.get("thinking"), output.get("effort"), output.get("format")])
    value = digest(call.model.id, str(body.get("speed") or "standard"))
    keys: list[str] = []
    section: Section = "tools"
    for item in call.items:
        if item.section == "messages" != section:
            value = digest(value, salt)
        section = item.section
        value = digest(value, item.text)
        keys.append(value)
    return keys


def _breakpoints(call: Call) -> list[tuple[int, str]]:
    found = {at: str(marker.get("ttl", "5m")) for at, item in enumerate(call.items) for marker in markers(item.block)}
    automatic = call.option("cache_control")
    last = max((at for at, item in enumerate(call.items) if not item.is_thinking), default=None)
    if automatic is not None and last is not None:
        found.setdefault(last, str(automatic.get("ttl", "5m")))
    return sorted(found.items())


@dataclass
class Diagnoses:
    """Answers `diagnostics.previous_message_id`: what changed since the request that led to that message."""

    _seen: dict[str, Call] = field(default_factory=dict[str, Call])

    def remember(self, message_id: str, call: Call) -> None:
        """Keep the request that this message answers."""
        self._seen[message_id] = call

    def compare(self, call: Call) -> Json | None:
        """The `diagnostics` object of the response; None when nothing broke or nothing was asked."""
        previous_id = (call.option("diagnostics") or {}).get("previous_message_id")
        if previous_id is None:
            return None
        previous = self._seen.get(previous_id)
        if previous is None:
            return {"cache_miss_reason": {"type": "previous_message_not_found"}}
        reason = _miss(previous, call)
        return {"cache_miss_reason": reason} if reason else None


def _miss(previous: Call, call: Call) -> Json | None:
    if (previous.model.id, previous.body.get("speed")) != (call.model.id, call.body.get("speed")):
        return {"type": "model_changed", "cache_missed_input_tokens": previous.tokens}
    for section in SECTIONS:
        before = [item for item in previous.items if item.section == section]
        now = [item for item in call.items if item.section == section]
        same = common_length(before, now)
        if same < len(before) or (section != "messages" and same < len(now)):
            rest = SECTIONS[SECTIONS.index(section) + 1 :]
            lost = sum(item.tokens for item in before[same:])
            lost += sum(item.tokens for item in previous.items if item.section in rest)
            return {"type": f"{section}_changed", "cache_missed_input_tokens": lost}
    return None


def common_length(before: list[Item], now: list[Item]) -> int:
    """How many leading items are equal."""
    pairs = zip(before, now, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0].text == pair[1].text, pairs))


@dataclass(frozen=True)
class PrefixViolation:
    """Two requests of one conversation, the later of which does not begin with the earlier."""

    earlier: int
    later: int
    path: str
    expected: str
    found: str


@dataclass
class PrefixLog:
    """Checks that a conversation only ever grows.

    Requests belong to one conversation when they go to the same model and the later one starts with the first
    message of the earlier.
    """

    violations: list[PrefixViolation] = field(default_factory=list[PrefixViolation])
    _latest: list[tuple[int, Call, list[Item]]] = field(default_factory=list[tuple[int, Call, list[Item]]])

    def add(self, number: int, call: Call) -> None:
        """Compare with the latest request of the same conversation, then take its place."""
        opening = [item for item in call.items if item.path.startswith("messages.0.")]
        talk = [item for item in call.items if item.section == "messages"]
        for at, (earlier, previous, first) in enumerate(self._latest):
            if previous.model.id == call.model.id and common_length(first, talk) == len(first):
                self._compare(earlier, previous, number, call)
                self._latest[at] = (number, call, first)
                return
        self._latest.append((number, call, opening))

    def _compare(self, earlier: int, previous: Call, later: int, call: Call) -> None:
        for section in SECTIONS:
            before = [item for item in previous.items if item.section == section]
            now = [item for item in call.items if item.section == section]
            same = common_length(before, now)
            if same == len(before) and (section == "messages" or same == len(now)):
                continue
            expected = before[same] if same < len(before) else None
            found = now[same] if same < len(now) else None
            place = expected or found
            self.violations.append(
                PrefixViolation(
                    earlier=earlier,
                    later=later,
                    path=place.path if place else section,
                    expected=expected.text if expected else "(nothing)",
                    found=found.text if found else "(nothing)",
                )
            )
            return
