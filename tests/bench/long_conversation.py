"""PERF-5: what a reader does in a conversation of 5,000 blocks, each from the key to the end of its frame."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from tests.bench.figure import Figure
from tests.bench.pty_child import FRAME_END, PtyChild
from tests.bench.samples import LAST_WORDS
from tests.bench.stage import LONG, window

PAGE_UP, PAGE_DOWN = b"\x1b[5~", b"\x1b[6~"
FOCUS_IN, FOCUS_OUT = b"\x1b[I", b"\x1b[O"
TAB, ENTER, UP = b"\t", b"\r", b"\x1b[A"
SIZES = ((100, 40), (120, 40))
TIMES = 40
RESIZES = 12
QUIET_S = 0.15
STEPS_TO_A_CALL = 4
"""From the end of the conversation up to the first block that can be unfolded."""


def measure() -> Iterator[Figure]:
    """All of them."""
    with window(blocks=LONG) as child:
        child.read_until(LAST_WORDS)
        child.drain(3.0)
        yield Figure("PERF-5", f"resident memory, {LONG} blocks", child.memory_mb(), 150, "MB")
        yield _p95("scroll by a page", _presses(child, (PAGE_UP, PAGE_UP, PAGE_DOWN)), 10)
        yield _p95("focus out and in", _presses(child, (FOCUS_OUT, FOCUS_IN)), 20)
        yield _p95("resize", [_resize(child, SIZES[number % 2]) for number in range(RESIZES)], 50)
        child.send(TAB)
        child.drain(0.3)
        for _ in range(STEPS_TO_A_CALL):
            child.send(UP)
            child.drain(0.3)
        yield _p95("fold or unfold a block", _presses(child, (ENTER,)), 20)
        yield Figure("PERF-5", "resident memory after all that", child.memory_mb(), 150, "MB")


def _p95(what: str, seconds: Sequence[float], budget: float) -> Figure:
    return Figure("PERF-5", f"{what} p95, {LONG} blocks", statistics.quantiles(seconds, n=20)[18] * 1000, budget, "ms")


def _presses(child: PtyChild, keys: Sequence[bytes]) -> list[float]:
    found: list[float] = []
    for number in range(TIMES):
        found.append(child.time_to(keys[number % len(keys)], FRAME_END))
        child.drain(0.1)
    return found


def _resize(child: PtyChild, size: tuple[int, int]) -> float:
    """Until the last frame: the first may still have the old lines in it."""
    child.resize(*size)
    return child.quiet_after(QUIET_S)
