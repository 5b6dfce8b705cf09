"""What the program says to the terminal beside its screen, in raw bytes."""

from __future__ import annotations

from tests.e2e.children import CTRL_D, Machine, Server, answer, say, text, tools
from tests.e2e.children import leave as leave_by_keys

BLUR, FOCUS = b"\x1b[O", b"\x1b[I"


def test_the_title_tells_the_state_and_is_given_back(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "touch x; echo \\\\033]0\\;owned"})), text("Done."))
    child = machine.start(url, TERM="xterm-256color")
    child.read_until("Ask, or tell it")
    say(child, "go")
    answer(child, b"y", "wants to run a command")
    child.read_until("2 requests")
    assert leave_by_keys(child) == 0
    out = bytes(child.output)
    titles = [piece.split(b"\x07")[0].decode() for piece in out.split(b"\x1b]0;")[1:]]
    assert titles == [
        "agent-tui: project",
        "agent-tui: project · working",
        "agent-tui: project · needs you",
        "agent-tui: project · working",
        "agent-tui: project · done",
        "",
    ]
    assert out.index(b"\x1b[22;0t") < out.index(b"\x1b]0;") and out.rindex(b"\x1b[23;0t") > out.rindex(b"\x1b]0;")


def test_a_question_that_waits_unseen_calls(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "touch made"})), text("Done."))
    child = machine.start(url, TERM="xterm-256color", TERM_PROGRAM="WezTerm", TMUX="")
    child.read_until("Ask, or tell it")
    say(child, "go")
    child.read_until("wants to run a command")
    child.send(BLUR)
    call = b"\x1b]777;notify;agent-tui;waits for your answer\x07"
    for _ in range(400):
        if call in child.output:
            break
        child.pump(0.05)
    assert child.output.count(call) == 1
    child.send(FOCUS)
    answer(child, b"n", "wants to run a command")
    child.read_until("Stopped at your no")
    child.send(CTRL_D)
    child.read_until("once more leaves")
    child.send(CTRL_D)
    assert child.wait() == 0
