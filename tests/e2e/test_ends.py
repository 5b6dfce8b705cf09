"""However the program ends: no child stays, and the terminal is as it was."""

from __future__ import annotations

import os
import signal
import sys

from tests.bench.pty_child import PtyChild
from tests.e2e.children import ALT_OFF, ALT_ON, ROOT, Machine, Server, answer, leave, say, text, tools


def busy(machine: Machine, server: Server) -> PtyChild:
    """A window with a running command that has children and will not end by itself."""
    machine.repository()
    url = server.start(tools(("Bash", {"command": "trap '' HUP; sleep 300 & echo begun; wait"})), text("Never."))
    child = machine.start(url)
    child.read_until("Ask, or tell it")
    say(child, "run it")
    answer(child, b"y", "wants to run a command")
    child.read_until("running · 1 line")
    assert len(machine.processes()) >= 3
    return child


def test_told_to_end_it_leaves_no_child_and_restores_the_terminal(machine: Machine, server: Server) -> None:
    child = busy(machine, server)
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait() == 128 + signal.SIGTERM
    assert machine.processes() == []
    assert child.output.rindex(ALT_OFF) > child.output.rindex(ALT_ON)
    assert b"Traceback" not in child.output


def test_a_terminal_that_is_closed_leaves_nothing(machine: Machine, server: Server) -> None:
    child = busy(machine, server)
    child.hang_up()
    assert child.wait_gone() == 128 + signal.SIGHUP
    assert machine.processes() == []


def test_leaving_while_a_command_runs_ends_it(machine: Machine, server: Server) -> None:
    child = busy(machine, server)
    assert leave(child) == 0
    assert machine.processes() == []


FAULTY = """
import sys
sys.path.insert(0, {root!r})
from tui.widgets.composer.editor import Composer
from tui.screens.main import MainScreen
from tui.app import AgentApp
from tui.__main__ import main

key = Composer.on_key
def on_key(self, event):
    if event.character == "!":
        raise RuntimeError("fault in the editor")
    key(self, event)
Composer.on_key = on_key

def help_broken(self):
    raise RuntimeError("fault in the screen")
MainScreen.action_help = help_broken

def leave_broken(self):
    raise RuntimeError("fault in the app")
MainScreen.action_redraw = lambda self: self.app.call_later(leave_broken, self)

sys.exit(main(sys.argv[1:]))
"""


def test_faults_in_the_window_are_told_and_the_session_lives(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("Still alive."))
    program = machine.home / "faulty.py"
    program.write_text(FAULTY.format(root=str(ROOT)))
    child = machine.start(url, program=(sys.executable, str(program)))
    child.read_until("It reads and searches on its own")
    faults = {b"!": "fault in the editor", b"\x1bOP": "fault in the screen", b"\x0c": "fault in the app"}
    for key, words in faults.items():
        child.send(key)
        child.read_until(words)
        child.read_until("details are in the log")
    say(child, "hello")
    child.read_until("Still alive.")
    assert leave(child) == 0
    assert b"Traceback" not in child.output
    log = (machine.home / "agent-tui" / "log" / "agent-tui.log").read_text()
    assert all(words in log for words in faults.values()) and "Traceback" in log
