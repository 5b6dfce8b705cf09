"""PERF-3: from a key to its painted echo, while a reply streams, in a long conversation, while the SDK is imported."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.bench.figure import Figure
from tests.bench.pty_child import PtyChild
from tests.bench.samples import markdown
from tests.bench.stage import LONG, ask, send_prompt, window
from tests.bench.startup import BARE_APP, environment

KEYS = "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
"""Letters that stand nowhere else on the screen."""
CLEAR = b"\x15"
COUNT = 200
TOKENS_PER_SECOND = 200
CHARACTERS_PER_TOKEN = 4
IMPORTS = 14
KEYS_IN_AN_IMPORT = 15
P50_MS, P95_MS = 8, 16


def measure() -> Iterator[Figure]:
    """All of them, and the same of an app that does nothing."""
    yield from _figures("nothing else going on (bare app)", _bare(), "(bare)")
    yield from _figures("a reply streams", _streaming(0))
    yield from _figures(f"a reply streams, {LONG} blocks", _streaming(LONG))
    yield from _figures("the SDK is being imported", _importing())


def _figures(when: str, seconds: Sequence[float], id: str = "PERF-3") -> Iterator[Figure]:
    cuts = statistics.quantiles(seconds, n=20)
    yield Figure(id, f"key to echo p50, {when}", cuts[9] * 1000, P50_MS, "ms")
    yield Figure(id, f"key to echo p95, {when}", cuts[18] * 1000, P95_MS, "ms")


def type_keys(child: PtyChild, count: int, pause: tuple[float, float]) -> list[float]:
    """Type letters at irregular intervals; seconds to the echo of each."""
    chance = random.Random(7)
    found: list[float] = []
    for number, key in enumerate(islice(cycle(KEYS), count)):
        if number and number % len(KEYS) == 0:
            child.send(CLEAR)
            child.drain(0.3)
        child.drain(chance.uniform(*pause))
        found.append(child.time_to(key.encode(), key.encode()))
    return found


def _bare() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        child = PtyChild([sys.executable, str(BARE_APP)], environment(Path(folder), Path(folder)), Path(folder))
        try:
            child.read_until("ready")
            child.pump_for(1.0)
            return type_keys(child, COUNT // 2, (0.03, 0.15))
        finally:
            child.close()


def _streaming(blocks: int) -> list[float]:
    # Longer than the typing takes: the reply still streams when the last key is typed.
    answer: dict[str, Any] = {
        "blocks": [{"type": "text", "text": markdown(TOKENS_PER_SECOND * CHARACTERS_PER_TOKEN * 40)}],
        "chunk_size": CHARACTERS_PER_TOKEN,
        "delay_between": 1 / TOKENS_PER_SECOND,
        "is_paced": True,
    }
    greeting = {"blocks": [{"type": "text", "text": "Ready when you are."}]}
    with window(greeting, answer, blocks=blocks) as child:
        ask(child, "hello", "Ready when you are.")
        send_prompt(child, "tell me everything")
        child.drain(3.0)
        found = type_keys(child, COUNT, (0.03, 0.15))
        before = len(child.output)
        child.drain(1.0)
        assert len(child.output) > before, "the reply had ended"
        return found


def _importing() -> list[float]:
    found: list[float] = []
    for _ in range(IMPORTS):
        with window() as child:
            found += type_keys(child, KEYS_IN_AN_IMPORT, (0.02, 0.09))
    return found
