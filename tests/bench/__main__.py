"""``uv run poe bench``: measure, print, write ``tests/bench/results.json``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from tests.bench import completion, engine_run, startup
from tests.bench.figure import table

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Exit code 0 whatever the figures are: a benchmark judges nothing."""
    parser = argparse.ArgumentParser(description="Measure the performance budgets.")
    parser.add_argument("--runs", type=int, default=7, help="runs of each start (default 7)")
    options = parser.parse_args()
    figures = [*startup.measure(options.runs), *engine_run.measure(), *completion.measure()]
    sys.stdout.write(table(figures) + "\n")
    RESULTS.write_text(json.dumps([dataclasses.asdict(figure) for figure in figures], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
