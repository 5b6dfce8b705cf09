"""PERF-1, PERF-2 and the first half of PERF-16: exec to paint, exec to an echoed key, memory when ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figure import Figure, middle
from tests.bench.pty_child import PtyChild

BARE_APP = Path(__file__).with_name("bare_app.py")
PROGRAM = Path(sys.executable).with_name("agent-tui")
KEY = "Q"
SETTLE_S = 3.0


def environment(home: Path, project: Path, **more: str) -> dict[str, str]:
    """A home of its own in which the project is trusted, and nothing takes a reply of the script's but the prompts."""
    for name in ("config", "data"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "config" / "settings.json").write_text(json.dumps({"backgroundAgents": False}))
    (home / "data" / "trust.json").write_text(json.dumps({"folders": [str(project)]}))
    return dict(os.environ) | {
        "AGENT_TUI_HOME": str(home),
        "ANTHROPIC_API_KEY": "bench",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        **more,
    }


def measure(runs: int) -> list[Figure]:
    """All of them, each against the bare app of the same run."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        subprocess.run(["git", "init", "-q", str(project)], check=True)
        env = environment(Path(folder) / "home", project)
        bare = [_start([sys.executable, str(BARE_APP)], env, project, "ready") for _ in range(runs)]
        ours = [_start([str(PROGRAM)], env, project, "Ask, or tell") for _ in range(runs)]
        ready = _ready_memory(env, project)
    paint = middle([a[0] / b[0] for a, b in zip(ours, bare, strict=True)])
    echo = middle([a[1] / b[1] for a, b in zip(ours, bare, strict=True)])
    return [
        Figure("PERF-1", "exec to first paint, ratio to a bare Textual app", paint, 1.5, "x"),
        Figure("PERF-1", "exec to an echoed key, ratio to a bare Textual app", echo, 1.5, "x"),
        Figure("PERF-1", "exec to first paint", middle([a[0] for a in ours]), 0.38, "s"),
        Figure("PERF-1", "exec to an echoed key", middle([a[1] for a in ours]), 0.38, "s"),
        Figure("(bare)", "the bare app: exec to an echoed key", middle([b[1] for b in bare]), 0.25, "s"),
        *_flags(env, runs),
        Figure("PERF-16", "resident memory when ready", ready, 90, "MB"),
    ]


def _start(argv: Sequence[str], env: Mapping[str, str], cwd: Path, text: str) -> tuple[float, float]:
    """Seconds from exec to paint and to the echo of a key typed at once."""
    child = PtyChild(argv, env, cwd)
    try:
        paint = child.read_until(text)
        child.echo(KEY)
        return paint, time.perf_counter() - child.started
    finally:
        child.close()


def _ready_memory(env: Mapping[str, str], cwd: Path) -> float:
    child = PtyChild([str(PROGRAM)], env, cwd)
    try:
        child.read_until("Shift+Tab how much is asked")
        child.pump_for(SETTLE_S)
        return child.memory_mb()
    finally:
        child.close()


def _flags(env: Mapping[str, str], runs: int) -> list[Figure]:
    bare = middle([_run([sys.executable, "-c", "pass"], env) for _ in range(runs * 2)])
    return [
        Figure("PERF-2", f"agent-tui {flag}, ratio to python -c pass", _time_flag(flag, env, runs) / bare, 3.0, "x")
        for flag in ("--version", "--help")
    ]


def _time_flag(flag: str, env: Mapping[str, str], runs: int) -> float:
    return middle([_run([str(PROGRAM), flag], env) for _ in range(runs * 2)])


def _run(argv: Sequence[str], env: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, env=dict(env), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
