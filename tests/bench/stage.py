"""The program in a pty with the stand-in for the API in a process of its own, as a person would have both."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.pty_child import PtyChild
from tests.bench.samples import write_long_session
from tests.bench.startup import PROGRAM, environment
from tests.e2e.children import Server

READY = "Shift+Tab mode"
SESSION = "/1M"
"""Stands in the footer once there is a session."""
LONG = 5_000
"""Blocks of a long conversation."""


@contextmanager
def window(
    *replies: dict[str, Any],
    blocks: int = 0,
    columns: int = 120,
    rows: int = 40,
    is_open: bool = True,
    files: Mapping[str, str] | None = None,
) -> Generator[PtyChild]:
    """``stage``, where nobody asks the server for anything."""
    with stage(*replies, blocks=blocks, columns=columns, rows=rows, is_open=is_open, files=files) as (child, _server):
        yield child


@contextmanager
def stage(
    *replies: dict[str, Any],
    blocks: int = 0,
    columns: int = 120,
    rows: int = 40,
    is_open: bool = True,
    is_brief: bool = False,
    files: Mapping[str, str] | None = None,
) -> Generator[tuple[PtyChild, Server]]:
    """A program with these replies before it, resuming a conversation of so many blocks where there are any.

    ``is_open``: only once the session is. ``is_brief``: the server's log has no bodies. ``files`` are in the project.
    """
    with tempfile.TemporaryDirectory() as folder:
        project, home = Path(folder) / "project", Path(folder) / "home"
        project.mkdir()
        for name, text in (files or {}).items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        subprocess.run(["git", "init", "-q", "-b", "main", str(project)], check=True)
        server = Server(Path(folder))
        url = server.start(*replies, key="bench", is_brief=is_brief)
        env = environment(home, project, ANTHROPIC_BASE_URL=url)
        if blocks:
            write_long_session(home, project, blocks)
        argv = [str(PROGRAM), "--continue"] if blocks else [str(PROGRAM)]
        child = PtyChild(argv, env, project, columns=columns, rows=rows)
        try:
            child.read_until(READY)
            if is_open:
                child.read_until(SESSION)
                child.pump_for(1.0)
            yield child, server
            assert not server.rejections, server.rejections
        finally:
            child.close()
            server.stop()


def send_prompt(child: PtyChild, words: str) -> None:
    """Type a prompt and send it."""
    child.send(words.encode())
    child.read_until(words)
    child.send(b"\r")


def ask(child: PtyChild, words: str, reply: str) -> None:
    """Send a prompt and wait for the end of its turn: from then on the SDK is loaded and a connection is open."""
    send_prompt(child, words)
    child.read_until(reply)
    child.read_until("1 request")
    child.pump_for(1.0)
