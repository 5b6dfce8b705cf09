"""PERF-9: the share of the input that comes from the cache, after the first request of a long loop.

The server is a process of its own, with the cache as the API describes it. The ideal is for the very same requests:
everything that a request has in common with the one before it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.host.host import Host
from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.context_events import CacheBroken
from tests.bench.figure import Figure
from tests.e2e.children import Server
from tests.fakes.cache_share import ideal_share, read_share
from tests.fakes.engines import running

TURNS = 60
FILES = 12
MOST_POINTS = 0.2
"""Below the ideal."""
MOST_MISSED = 3.0
"""Percent that a loop of single calls may send anew."""


@dataclass(frozen=True, slots=True)
class Loop:
    """So many reads in each answer. The files are as long as real ones are where they are read one by one."""

    what: str
    width: int
    lines: int


LOOPS = (
    Loop(f"{TURNS} turns of single reads", 1, 40),
    Loop(f"{TURNS} turns of 10 parallel reads", 10, 10),
    Loop(f"{TURNS} turns of 25 parallel reads", 25, 10),
)


def measure() -> Iterator[Figure]:
    """What is missed, and how much of it could have been read."""
    for loop in LOOPS:
        share, ideal = asyncio.run(_shares(loop))
        single = loop.width == 1
        yield Figure(
            "PERF-9" if single else "(9)", f"sent anew, {loop.what}", 100 - share, MOST_MISSED if single else 100, "%"
        )
        yield Figure("(9)", f"the least there could be, {loop.what}", 100 - ideal, 100, "%")
        yield Figure("PERF-9", f"read less than the ideal, {loop.what}", ideal - share, MOST_POINTS, "points")


async def _shares(loop: Loop) -> tuple[float, float]:
    """Percent that was read from the cache, and that could have been."""
    replies: list[dict[str, Any]] = [
        {"blocks": [_read((turn * loop.width + at) % FILES) for at in range(loop.width)]} for turn in range(TURNS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(FILES):
            (root / f"part_{number}.py").write_text(f"value_{number} = {number}  # what it is for\n" * loop.lines)
        server = Server(root)
        url = await asyncio.to_thread(
            server.start, *replies, {"blocks": [{"type": "text", "text": "Read."}]}, key="bench"
        )
        try:
            client = AnthropicClient(base_url=url, api_key="bench")
            async with running(client, root, root / "home", host=Host()) as rig:
                rig.engine.session.submit("Read all of it.")
                await rig.engine.session.wait_idle()
                await rig.event(ev.TurnEnded)
                usages = [event.usage for event in rig.of(ev.RequestFinished)]
                assert rig.of(CacheBroken) == []
        finally:
            await asyncio.to_thread(server.stop)
        assert not server.rejections, server.rejections
        bodies = [entry["body"] for entry in server.prompts]
    assert len(bodies) == TURNS + 1, f"{len(bodies)} requests"
    return read_share(usages), ideal_share(bodies)


def _read(number: int) -> dict[str, Any]:
    return {"type": "tool_use", "name": "Read", "input": {"file_path": f"part_{number}.py"}}
