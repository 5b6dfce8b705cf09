"""PERF-13: what an open session costs while nothing happens."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure
from tests.bench.stage import ask, window

SECONDS = 20.0


def measure() -> Iterator[Figure]:
    """Processor time and bytes to the terminal, after a turn."""
    with window({"blocks": [{"type": "text", "text": "Ready when you are."}]}) as child:
        ask(child, "hello", "Ready when you are.")
        child.drain(2.0)
        cpu, written = child.cpu_seconds(), len(child.output)
        child.drain(SECONDS)
        yield Figure("PERF-13", "idle: share of a core", (child.cpu_seconds() - cpu) / SECONDS * 100, 0.2, "%")
        yield Figure("PERF-13", "idle: bytes to the terminal in 20 s", len(child.output) - written, 0, "bytes")
