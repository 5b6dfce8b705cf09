"""The installed program in a terminal, with the real SDK against the strict server: a person doing real work."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.e2e.children import (
    ALT_OFF,
    ALT_ON,
    CTRL_C,
    ESCAPE,
    Machine,
    Server,
    answer,
    leave,
    say,
    text,
    tools,
)

CODE = "def area(radius):\n    return 3 * radius\n"
FIXED = "def area(radius):\n    return 3.14159 * radius * radius\n"
CHECK = "from shapes import area\nassert round(area(2), 2) == 12.57, area(2)\nprint('1 passed')\n"


def todos(done: int) -> dict[str, object]:
    names = (
        ("Find the formula", "Finding the formula"),
        ("Fix it", "Fixing it"),
        ("Run the tests", "Running the tests"),
    )
    states = ["completed"] * done + ["in_progress"] + ["pending"] * 3
    items = [
        {"id": str(number), "content": name, "activeForm": active, "status": states[number]}
        for number, (name, active) in enumerate(names)
    ]
    return {"todos": items}


def job(project: Path) -> list[dict[str, object]]:
    shapes = str(project / "shapes.py")
    edit = {"file_path": shapes, "old_string": "3 * radius", "new_string": "3.14159 * radius * radius"}
    test = {"command": f"{sys.executable} check.py", "description": "Run the tests"}
    thinking = {"type": "thinking", "thinking": "The formula must be somewhere."}
    look = tools(
        ("Read", {"file_path": shapes}), ("Grep", {"pattern": "area", "output_mode": "content"}), words="I look."
    )
    look["blocks"].insert(0, thinking)
    return [
        look,
        tools(("TodoWrite", todos(1))),
        tools(("Edit", edit), words="The area is wrong."),
        tools(("TodoWrite", todos(2)), ("Bash", test)),
        tools(("TodoWrite", todos(3))),
        text("Fixed: the area of a circle is **π r²**. The tests pass."),
    ]


def test_the_main_job_from_question_to_answer(machine: Machine, server: Server) -> None:
    machine.repository({"shapes.py": CODE, "check.py": CHECK})
    child = machine.start(server.start(*job(machine.project)))
    child.read_until("Ask, or tell it")
    child.read_until("(main)")
    say(child, "the area of a circle is wrong")
    child.read_until("Edit wants to change a file")
    for expected in ("Read shapes.py", "Grep area", "Todo  1/3 done", "Fixing it", "3.14159 * radius"):
        child.read_until(expected)
    assert (machine.project / "shapes.py").read_text() == CODE
    answer(child, b"y", "Edit wants to change a file")
    child.read_until("Bash wants to run a command")
    assert (machine.project / "shapes.py").read_text() == FIXED
    answer(child, b"y", "Bash wants to run a command")
    child.read_until("The tests pass.")
    child.read_until("1 passed")
    child.read_until("Todo  3/3 done")
    child.read_until("6 requests")
    assert child.shows("π r²") and not child.shows("**")
    assert leave(child) == 0
    assert (ALT_ON in child.output, child.output.rindex(ALT_OFF) > child.output.rindex(ALT_ON)) == (True, True)
    assert b"\x1b[?25h" in child.output[child.output.rindex(ALT_OFF) - 200 :]
    assert b"Traceback" not in child.output
    assert machine.processes() == []
    assert server.rejections == [] and len(server.prompts) == 6
    kinds = [block["type"] for block in server.prompts[1]["body"]["messages"][-1]["content"]]
    assert kinds[:2] == ["tool_result", "tool_result"]
    assert [message["role"] for message in server.prompts[5]["body"]["messages"]].count("assistant") == 5


def test_continue_shows_the_conversation_again(machine: Machine, server: Server) -> None:
    machine.repository({"notes.txt": "alpha\n"})
    url = server.start(
        tools(("Read", {"file_path": "notes.txt"}), words="Let me see."), text("It says **alpha**."), text("Gladly.")
    )
    child = machine.start(url)
    child.read_until("Ask, or tell it")
    say(child, "what do the notes say")
    child.read_until("It says alpha.")
    child.read_until("2 requests")
    assert leave(child) == 0
    again = machine.start(url, "--continue")
    for expected in ("Taken up", "what do the notes say", "Let me see.", "Read notes.txt", "It says alpha."):
        again.read_until(expected)
    say(again, "thank you")
    again.read_until("Gladly.")
    assert leave(again) == 0
    assert server.rejections == []
    assert "alpha" in str(server.prompts[2]["body"]["messages"])


def test_killed_in_the_middle_it_goes_on_where_it_was(machine: Machine, server: Server) -> None:
    machine.repository({"notes.txt": "alpha\n"})
    url = server.start(
        tools(("Read", {"file_path": "notes.txt"}), words="Let me see."),
        tools(("Bash", {"command": "touch started"}), words="Now a command."),
        text("Back again."),
    )
    child = machine.start(url)
    child.read_until("Ask, or tell it")
    say(child, "look and run")
    child.read_until("Bash wants to run a command")
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    again = machine.start(url, "--continue")
    for expected in ("look and run", "Let me see.", "Read notes.txt", "Now a command.", "Bash touch started"):
        again.read_until(expected)
    assert not (machine.project / "started").exists()
    say(again, "go on")
    again.read_until("Back again.")
    assert leave(again) == 0
    assert server.rejections == []


def test_escape_stops_a_running_command_and_its_children(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "sleep 300 & echo begun; wait"})), text("All right."))
    child = machine.start(url)
    child.read_until("Ask, or tell it")
    say(child, "wait a bit")
    child.read_until("running · 1 line")
    assert len(machine.processes()) >= 2
    child.send(ESCAPE)
    child.read_until("Interrupted. What was done stands")
    assert machine.processes() == [child.pid]
    say(child, "never mind")
    child.read_until("All right.")
    assert leave(child) == 0
    assert server.rejections == []


def test_the_demo_runs_the_whole_tour(machine: Machine) -> None:
    machine.repository({"README.md": "# A project\n\nTODO: everything\n", "app.py": "print('hello')\n"})
    child = machine.start("", "--demo")
    child.read_until("to begin the tour")
    assert child.shows("DEMO")
    say(child, "show me")
    answer(child, b"y", "Bash wants to run a command")
    child.read_until("checking part")
    answer(child, b"y", "Write wants to write a file")
    child.read_until("What you have seen")
    child.read_until("4/4 done")
    child.read_until("DEMO")
    assert "app.py" in (machine.project / "agent-tui-demo.md").read_text()
    assert leave(child) == 0
    assert machine.processes() == []


def test_a_first_start_asks_for_trust_and_remembers(machine: Machine, server: Server) -> None:
    url = server.start(text("Hello."))
    child = machine.start(url)
    answer(child, b"y", "Do you trust this folder?")
    child.read_until("not in a git repository")
    say(child, "hi")
    child.read_until("Hello.")
    assert leave(child) == 0
    again = machine.start(url)
    again.read_until("asks before changes")
    again.read_until("It reads and searches on its own")
    assert not again.shows("Do you trust")
    assert leave(again) == 0


def test_without_a_key_it_offers_ways_in(machine: Machine) -> None:
    machine.repository()
    child = machine.start("")
    child.read_until("credentials were found: ANTHROPIC_API_KEY")
    answer(child, b"d", "Look around offline")
    child.read_until("DEMO")
    child.send(CTRL_C)
    child.read_until("once more leaves")
    child.send(CTRL_C)
    assert child.wait() == 0
