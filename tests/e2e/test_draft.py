"""What was typed survives the program's sudden death."""

from __future__ import annotations

import os
import signal
import time

from tests.bench.pty_child import PtyChild
from tests.e2e.children import ENTER, PATIENCE_S, Machine, Server, leave, text


def drafts(machine: Machine, child: PtyChild, *, are_there: bool) -> None:
    """Wait until a draft is on disk, or none is."""
    end = time.monotonic() + PATIENCE_S
    while any(machine.data.rglob("draft-*.json")) is not are_there:
        assert time.monotonic() < end
        child.pump(0.05)


def test_a_killed_programs_draft_is_there_at_the_next_start(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("Understood."))
    child = machine.start(url)
    child.read_until("Ask, or tell it")
    child.send(b"a thought that took an hour")
    child.read_until("took an hour")
    drafts(machine, child, are_there=True)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()

    child = machine.start(url)
    child.read_until("a thought that took an hour")
    child.read_until("is back")
    child.send(ENTER)
    child.read_until("Understood.")
    assert server.prompts[0]["body"]["messages"][-1]["content"][-1]["text"] == "a thought that took an hour"
    drafts(machine, child, are_there=False)
    assert leave(child) == 0
