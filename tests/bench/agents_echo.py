"""AGENTS-ECHO: from a key to its painted echo while four agents stream at once, in tiles and in the conversation.

Beside it what is painted that was the same before: a row written again is what flickers.
"""

from __future__ import annotations

import statistics
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pyte

from tests.bench.echo import CHARACTERS_PER_TOKEN, COUNT, TOKENS_PER_SECOND, type_keys
from tests.bench.figure import Figure
from tests.bench.pty_child import FRAME_END, PRIVATE, PtyChild
from tests.bench.samples import markdown
from tests.bench.stage import ask, send_prompt, window

ID = "AGENTS-ECHO"
AGENTS = 4
SECONDS = 60
"""How long each agent streams: longer than the typing takes."""
COLUMNS, ROWS = 200, 50
P95_MS = 25
LOOK_S = 5.0
SAME_PER_S = 30
"""Rows painted again as they were, each second: fewer than one for each of the frames."""
AGENTS_KEY, WRITE_KEY = b"\x1bOR", b"m"
GREETING = "Ready when you are."


def measure() -> Iterator[Figure]:
    """In the tiles, and in the main conversation with a pane under each call."""
    with streaming() as child:
        child.send(AGENTS_KEY)
        child.drain(1.0)
        child.send(WRITE_KEY)
        child.drain(1.0)
        yield from _figures(child, "four agents stream in four tiles")
    with streaming() as child:
        yield from _figures(child, "four agents stream in panes")


@contextmanager
def streaming() -> Generator[PtyChild]:
    """A window with four agents that stream at once."""
    calls = [
        {
            "type": "tool_use",
            "name": "Task",
            "input": {
                "description": f"Write part {number}",
                "prompt": f"Write part {number}.",
                "subagent_type": "general-purpose",
            },
        }
        for number in range(1, AGENTS + 1)
    ]
    words: dict[str, Any] = {
        "blocks": [{"type": "text", "text": markdown(TOKENS_PER_SECOND * CHARACTERS_PER_TOKEN * SECONDS)}],
        "chunk_size": CHARACTERS_PER_TOKEN,
        "delay_between": 1 / TOKENS_PER_SECOND,
        "is_paced": True,
    }
    greeting = {"blocks": [{"type": "text", "text": GREETING}]}
    with window(greeting, {"blocks": calls}, *[words] * AGENTS, columns=COLUMNS, rows=ROWS) as child:
        ask(child, "hello", GREETING)
        send_prompt(child, "have four parts written")
        child.read_until(f"{AGENTS} agents")
        child.drain(4.0)
        yield child


def _figures(child: PtyChild, when: str) -> Iterator[Figure]:
    found = type_keys(child, COUNT, (0.03, 0.15))
    cuts = statistics.quantiles(found, n=20)
    yield Figure(ID, f"key to echo p50, {when}", cuts[9] * 1000, P95_MS, "ms")
    yield Figure(ID, f"key to echo p95, {when}", cuts[18] * 1000, P95_MS, "ms")
    begin = len(child.output)
    busy = child.cpu_seconds()
    child.drain(LOOK_S)
    share = (child.cpu_seconds() - busy) / LOOK_S * 100
    assert len(child.output) > begin, "they had ended"
    same = painted_again(bytes(child.output[:begin]), bytes(child.output[begin:]))
    yield Figure(ID, f"rows painted again as they were, {when}", same / LOOK_S, SAME_PER_S, "1/s")
    yield Figure(ID, f"processor, {when}", share, 100, "%")


def painted_again(before: bytes, output: bytes) -> int:
    """How many rows were written, frame by frame, and were the same afterwards."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(PRIVATE.sub(b"", before))
    same = 0
    for frame in output.split(FRAME_END):
        rows = {number: _row(screen, number) for number in range(ROWS)}
        screen.dirty.clear()
        stream.feed(PRIVATE.sub(b"", frame))
        same += sum(rows[number] == _row(screen, number) for number in screen.dirty if number < ROWS)
    return same


def _row(screen: pyte.Screen, number: int) -> list[pyte.screens.Char]:
    return [screen.buffer[number][column] for column in range(COLUMNS)]
