"""PERF-12: what a key typed after ``@`` costs over 100,000 paths, and how long until the best matches are there."""

from __future__ import annotations

import asyncio
import random
import time

from tests.bench.figure import Figure
from tui.rendering.fuzzy import FuzzyPaths

PATHS = 100_000
LIMIT = 50
WORDS = (
    "core engine tests util parser render widget index module handler service api model view data config build main "
    "server client base factory stream"
).split()
TYPED = (
    "parser widget_test idxhand cwvh zzzz core/test modserv12 MainServer xqj rendwidpy e src/ b.ts apiviewmd "
    "handlerfactory99.py"
).split()


def measure() -> list[Figure]:
    """Each query is typed key by key; every key is one search."""
    paths = _paths()
    begun = time.perf_counter()
    index = FuzzyPaths(paths)
    built = time.perf_counter() - begun
    held, took = asyncio.run(_type_all(index))
    held.sort()
    took.sort()
    return [
        Figure("PERF-12", "@: event loop held by a key, p50", held[len(held) // 2], 16, "ms"),
        Figure("PERF-12", "@: event loop held by a key, p95", held[len(held) * 95 // 100], 16, "ms"),
        Figure("PERF-12", "@: event loop held by a key, max", held[-1], 16, "ms"),
        Figure("(@)", "@: key to matches, p50", took[len(took) // 2], 16, "ms"),
        Figure("(@)", "@: key to matches, p95", took[len(took) * 95 // 100], 50, "ms"),
        Figure("(@)", "@: making the index, in a thread", built * 1000, 1000, "ms"),
    ]


async def _type_all(index: FuzzyPaths) -> tuple[list[float], list[float]]:
    """Milliseconds for each key: the longest time nothing else could run, and the time until the matches were there."""
    held: list[float] = []
    took: list[float] = []
    for word in TYPED:
        for end in range(1, len(word) + 1):
            longest = 0.0
            last = begun = time.perf_counter()
            search = asyncio.ensure_future(index.find(word[:end], LIMIT))
            while not search.done():
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
            took.append((time.perf_counter() - begun) * 1000)
            held.append(longest * 1000)
    return held, took


def _paths() -> list[str]:
    chance = random.Random(1)

    def word() -> str:
        return chance.choice(WORDS) + chance.choice(("", "s", "_a", "-b", str(chance.randint(0, 99))))

    def path() -> str:
        folders = "/".join(word() for _ in range(chance.randint(1, 6)))
        name = f"{chance.choice(WORDS)}_{chance.choice(WORDS)}{chance.randint(0, 999)}"
        return f"{folders}/{name}{chance.choice(('.py', '.ts', '.md'))}"

    return [path() for _ in range(PATHS)]
