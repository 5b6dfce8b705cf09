"""AGENT-DEFS: how long 50 agents' files as people write them take, and a look at whether one has changed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from core.agents.definitions import Definitions
from core.agents.places import Places
from core.engine.tools import TOOLS
from tests.bench.figure import Figure, middle

FILES = 50
ROUNDS = 9
EXAMPLE = (
    r"<example>Context: The user has just finished a function.\nuser: \"Please write a function: is it prime?\"\n"
    r"assistant: \"Here it is: ...\"\n<commentary>Code was written, so the agent is due.</commentary></example> "
)
DESCRIPTION = f"Use this agent when code was written or changed: it looks for what is wrong. Examples: {EXAMPLE * 8}"[
    :1500
]
BODY = "You are an expert. Look at what was changed, and say what is wrong with it, worst first.\n" * 40


def measure() -> list[Figure]:
    """The library that reads YAML is imported before."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write(Path(folder))
        definitions = _read_all(Path(folder))
        assert len(definitions.agents) == FILES + 3 and not definitions.problems
        first = [_timed(lambda: _read_all(Path(folder))) for _ in range(ROUNDS)]
        again = [_timed(definitions.is_stale) for _ in range(ROUNDS)]
        changed: list[float] = []
        for number in range(ROUNDS):
            files[number].write_text(files[number].read_text() + "And more.\n")
            changed.append(_timed(definitions.read))
    return [
        Figure(
            "AGENT-DEFS", f"{FILES} agents' files described in {len(DESCRIPTION):,} characters", middle(first), 50, "ms"
        ),
        Figure("(agents)", "a look at whether one of them has changed", middle(again), 1, "ms"),
        Figure("(agents)", "one of them has changed", middle(changed), 10, "ms"),
    ]


def _write(folder: Path) -> list[Path]:
    (folder / ".git").mkdir()
    place = folder / ".claude" / "agents"
    place.mkdir(parents=True)
    files = [place / f"agent-{number}.md" for number in range(FILES)]
    for file in files:
        fields = (
            f"name: {file.stem}\ndescription: {DESCRIPTION}\ntools: Read, Grep, Glob, Bash\nmodel: sonnet\ncolor: blue"
        )
        file.write_text(f"---\n{fields}\n---\n\n{BODY}")
    return files


def _read_all(folder: Path) -> Definitions:
    places = Places(cwd=folder, user_config=folder / "config", home=folder / "home", is_trusted=True)
    definitions = Definitions(places, [tool.name for tool in TOOLS])
    definitions.read()
    return definitions


def _timed(work: object) -> float:
    """Milliseconds."""
    assert callable(work)
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
