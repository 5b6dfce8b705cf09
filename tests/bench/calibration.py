"""What this machine can do at this moment, to divide the figures by: a fixed loop, and the memory of a bare app."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figure import Figure, middle
from tests.bench.pty_child import PtyChild
from tests.bench.startup import BARE_APP, environment

ROUNDS = 2_000_000
LOOPS = 5
SETTLE_S = 1.0


def measure() -> tuple[dict[str, float], list[Figure]]:
    """The divisor for each unit, and the figures themselves."""
    loop = middle([_fixed_loop() for _ in range(LOOPS)])
    memory = _bare_memory()
    figures = [
        Figure("(loop)", f"{ROUNDS} additions in a Python loop", loop, 0.2, "s"),
        Figure("(bare)", "the bare app: resident memory", memory, 60, "MB"),
    ]
    return {"s": loop, "ms": loop * 1000, "MB": memory}, figures


def _fixed_loop() -> float:
    begun = time.perf_counter()
    total = 0
    for number in range(ROUNDS):
        total += number
    return time.perf_counter() - begun


def _bare_memory() -> float:
    with tempfile.TemporaryDirectory() as folder:
        child = PtyChild([sys.executable, str(BARE_APP)], environment(Path(folder), Path(folder)), Path(folder))
        try:
            child.read_until("ready")
            child.pump_for(SETTLE_S)
            return child.memory_mb()
        finally:
            child.close()
