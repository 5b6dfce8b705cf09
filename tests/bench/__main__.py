"""``uv run poe bench``: measure, print, write ``results.json`` beside this. ``poe bench PERF-3``: only that."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import (
    agent_definitions,
    agents_echo,
    agents_wall,
    cache_reads,
    calibration,
    completion,
    echo,
    engine_run,
    events,
    idle,
    long_conversation,
    startup,
    streaming,
    turnaround,
)
from tests.bench.figure import Figure, table

RESULTS = Path(__file__).with_name("results.json")

SUITES: tuple[tuple[frozenset[str], Callable[[int], Iterable[Figure]]], ...] = (
    (frozenset({"PERF-1", "PERF-2", "PERF-16"}), startup.measure),
    (frozenset({"PERF-3"}), lambda _runs: echo.measure()),
    (frozenset({"PERF-4"}), lambda _runs: streaming.measure()),
    (frozenset({"PERF-5"}), lambda _runs: long_conversation.measure()),
    (frozenset({"PERF-7"}), lambda _runs: turnaround.measure()),
    (frozenset({"PERF-8", "PERF-10", "PERF-16"}), lambda _runs: engine_run.measure()),
    (frozenset({"PERF-9"}), lambda _runs: cache_reads.measure()),
    (frozenset({"PERF-12"}), lambda _runs: completion.measure()),
    (frozenset({"PERF-13"}), lambda _runs: idle.measure()),
    (frozenset({"PERF-15"}), lambda _runs: events.measure()),
    (frozenset({"AGENTS-ECHO"}), lambda _runs: agents_echo.measure()),
    (frozenset({"AGENT-DEFS"}), lambda _runs: agent_definitions.measure()),
    (frozenset({"AG-WALL"}), lambda _runs: agents_wall.measure()),
)
"""What measures which figures."""


def main() -> int:
    """Exit code 0 whatever the figures are: a benchmark judges nothing."""
    known = sorted({id for ids, _suite in SUITES for id in ids}, key=lambda id: (id.rpartition("-")[2].zfill(9), id))
    parser = argparse.ArgumentParser(description="Measure the performance budgets.")
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"only these: {', '.join(known)}")
    parser.add_argument("--runs", type=int, default=7, help="runs of each start (default 7)")
    options = parser.parse_args()
    wanted = {id.upper() for id in options.ids}
    if unknown := wanted - set(known):
        parser.error(f"nothing measures {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    divisors, figures = calibration.measure()
    for ids, suite in SUITES:
        if not wanted or wanted & ids:
            figures += suite(options.runs)
    sys.stdout.write(table(figures, divisors) + "\n")
    data = [
        dataclasses.asdict(f) | {"ratio": f.value / divisors[f.unit] if f.unit in divisors else None} for f in figures
    ]
    RESULTS.write_text(json.dumps(data, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
