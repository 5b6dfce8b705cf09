"""PERF-7: from the last byte of a response that calls a tool to the first byte of the next request.

The program runs in a pty and paints as it does for a person; the server is a process of its own. Both moments are
the server's: just before it hands the end of the response to the system, and when it has the first byte of the next
request. In between lie both ways over the loopback, the end of the call (the response comes in one burst, so a call
has begun about a millisecond before), whatever the window paints meanwhile, and making the request.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from tests.bench.figure import Figure
from tests.bench.stage import LONG, send_prompt, stage

ROUNDS = 90
P50_MS, P95_MS, LONG_P50_MS = 8, 25, 20
RUNS = 3
"""The quietest counts: other programs on the machine only ever make it slower."""
LAST_WORDS = "All of that was quick."
THINKING_S = 0.1
"""What the model takes for each answer: much less than a real one, enough to paint the round before."""
FILES = {f"src/part_{number}.py": f"value_{number} = {number}\n" * 60 for number in range(40)}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Read", {"file_path": "src/part_7.py"}),
    ("Grep", {"pattern": "value_1", "path": "src"}),
    ("Bash", {"command": "wc -l src/part_3.py"}),
)


def measure() -> Iterator[Figure]:
    """A short conversation, a long one, and each kind of call by itself."""
    short = min((_turnarounds(0) for _ in range(RUNS)), key=_of_all)
    cuts = statistics.quantiles(_all(short), n=20)
    yield Figure("PERF-7", f"tool call to next request p50, {ROUNDS} rounds", cuts[9], P50_MS, "ms")
    yield Figure("PERF-7", f"tool call to next request p95, {ROUNDS} rounds", cuts[18], P95_MS, "ms")
    for name, times in short.items():
        yield Figure("(7)", f"tool call to next request p50, {name}", statistics.median(times), P95_MS, "ms")
    long = min((_turnarounds(LONG) for _ in range(RUNS)), key=_of_all)
    yield Figure("PERF-7", f"tool call to next request p50, {LONG:,} messages", _of_all(long), LONG_P50_MS, "ms")


def _of_all(times: dict[str, list[float]]) -> float:
    return statistics.median(_all(times))


def _all(times: dict[str, list[float]]) -> list[float]:
    return [time for kind in times.values() for time in kind]


def _turnarounds(blocks: int) -> dict[str, list[float]]:
    """Milliseconds for each round, by the tool that was called."""
    names = [CALLS[number % len(CALLS)] for number in range(ROUNDS)]
    replies = [
        {"blocks": [{"type": "tool_use", "name": name, "input": given}], "delay": THINKING_S} for name, given in names
    ]
    end = {"blocks": [{"type": "text", "text": LAST_WORDS}]}
    with stage(*replies, end, blocks=blocks, is_brief=True, files=FILES) as (child, server):
        send_prompt(child, "look around")
        child.read_until(LAST_WORDS, 300.0)
        prompts = server.prompts
    assert len(prompts) == ROUNDS + 1, f"{len(prompts)} requests"
    found: dict[str, list[float]] = {name: [] for name, _given in CALLS}
    for (name, _given), before, after in zip(names, prompts, prompts[1:], strict=False):
        found[name].append((after["first_byte"] - before["last_byte"]) * 1000)
    return found
