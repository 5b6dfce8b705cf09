"""PERF-4: processor time and memory of the whole program while Markdown comes in, from the prompt to the turn's end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.figure import Figure
from tests.bench.pty_child import PtyChild
from tests.bench.samples import markdown
from tests.bench.stage import ask, window

SHORT, LONG = 60_000, 600_000
PIECE = 60
SLOW_S = 30.0
QUIET_S = 1.0
PATIENCE_S = 180.0
RUNS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What one reply took."""

    cpu_s: float
    memory_mb: float
    written: int


def measure() -> Iterator[Figure]:
    """All of them."""
    fast = sorted((_cost(SHORT) for _ in range(RUNS)), key=lambda cost: cost.cpu_s)[RUNS // 2]
    yield Figure("PERF-4", "CPU for 60 KB of Markdown, as fast as it comes", fast.cpu_s, 0.6, "s")
    yield Figure("PERF-4", "memory growth over 60 KB", fast.memory_mb, 30, "MB")
    long = _cost(LONG)
    yield Figure("PERF-4", "CPU for 600 KB, ratio to 60 KB", long.cpu_s / fast.cpu_s, 12, "x")
    slow = _cost(SHORT, SLOW_S)
    yield Figure("PERF-4", "CPU for 60 KB evenly over 30 s", slow.cpu_s, 4, "s")
    yield Figure("(wire)", "bytes to the terminal per character, over 30 s", slow.written / SHORT, 100, "bytes")


def _cost(characters: int, seconds: float = 0.0) -> Cost:
    answer: dict[str, Any] = {"blocks": [{"type": "text", "text": markdown(characters)}], "chunk_size": PIECE}
    if seconds:
        answer |= {"delay_between": seconds * PIECE / characters, "is_paced": True}
    with window({"blocks": [{"type": "text", "text": "Ready when you are."}]}, answer) as child:
        ask(child, "hello", "Ready when you are.")
        child.send(b"tell me everything")
        child.read_until("tell me everything")
        return _measured(child)


def _measured(child: PtyChild) -> Cost:
    cpu, memory, written = child.cpu_seconds(), child.memory_mb(), len(child.output)
    child.send(b"\r")
    child.quiet_after(QUIET_S, PATIENCE_S)
    assert child.output.find(b"1 request", written) >= 0, "the turn has not ended"
    return Cost(child.cpu_seconds() - cpu, child.memory_mb() - memory, len(child.output) - written)
