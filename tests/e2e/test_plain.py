"""The renderer without a screen: in a terminal and behind pipes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence

import pytest

from tests.bench.pty_child import PtyChild
from tests.e2e.children import CTRL_C, CTRL_D, PATIENCE_S, PROGRAM, Machine, Server, text, tools

HOSTILE = (
    "bell\x07 title\x1b]0;owned\x07 clear\x1b[2J red\x1b[31m bidi\u202e https://example.com/" + "long/" * 60 + "end"
)
ESCAPE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def piped(machine: Machine, lines: Sequence[str], *arguments: str, url: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run it with these lines on standard input."""
    return subprocess.run(
        [str(PROGRAM), "--plain", *arguments],
        cwd=machine.project,
        env=machine.environ(url),
        input="".join(f"{line}\n" for line in lines).encode(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


def read_output(child: PtyChild, words: str) -> None:
    """Wait for words anywhere in what was printed: lines scroll away."""
    for _ in range(400):
        if words.encode() in child.output.replace(b"\r\n", b"\n"):
            return
        child.pump(0.05)
    raise AssertionError(f"{words!r} never came:\n{child.output.decode()}")


def test_the_demo_behind_pipes(machine: Machine) -> None:
    machine.repository({"README.md": "# A project\n\nTODO: everything\n"})
    done = piped(machine, ["show me", "y", "n use another name"], "--demo")
    out = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "DEMO: scripted words" in out and "> show me" in out
    assert "Todo, 0 of 4 done:\n  in progress: Look around" in out and "done: Look around the folder" in out
    assert "? Bash wants to run a command" in out and "n and Enter, or e to have it explained" in out
    assert "    checking part 5 of 5" in out
    assert "Write agent-tui-demo.md: failed" in out and "## What you have seen" in out
    assert not (machine.project / "agent-tui-demo.md").exists()
    assert out.count("* LS .: done") + out.count("* LS .\n  done") == 1, "each result once"
    assert not ESCAPE.search(done.stdout), "no escape sequence and no colour"
    assert machine.processes() == []


def test_when_the_input_ends_nobody_says_yes(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "touch made"})), text("Never."))
    done = piped(machine, ["go"], url=url)
    assert done.returncode == 0
    assert "Stopped at your no" in done.stdout.decode()
    assert not (machine.project / "made").exists()


def test_an_empty_line_or_other_words_do_not_consent(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "touch made"})), text("Done."))
    done = piped(machine, ["go", "", "yesterday", "y and more", "n"], url=url)
    assert done.stdout.decode().count("n and Enter, or e to have it explained") == 4
    assert not (machine.project / "made").exists()


def test_hostile_text_stays_text_and_addresses_stay_whole(machine: Machine, server: Server) -> None:
    machine.repository({"evil.txt": HOSTILE})
    url = server.start(tools(("Bash", {"command": "cat evil.txt"}), words=HOSTILE), text(HOSTILE))
    done = piped(machine, ["go"], url=url)
    out = done.stdout.decode()
    assert not ESCAPE.search(done.stdout) and "\u202e" not in out and "owned" not in out
    assert out.count("https://example.com/" + "long/" * 60 + "end") == 3
    assert server.rejections == []


def test_lines_that_go_on_and_a_first_prompt(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("One."), text("Two."))
    done = piped(machine, ["first line\\", "second line"], "hello", url=url)
    assert done.stdout.decode().index("One.") < done.stdout.decode().index("> first line\n> second line")
    assert "Two." in done.stdout.decode()
    said = [str(request["body"]["messages"][-1]) for request in server.prompts]
    assert "hello" in said[0] and "first line\\nsecond line" in said[1]


def test_a_terminal_question_and_ctrl_c(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "echo begun > log; sleep 300 & wait"})), text("All right."))
    child = machine.start(url, "--plain")
    read_output(child, "> ")
    child.send(b"run it\r")
    read_output(child, "n and Enter, or e to have it explained")
    child.send(b"y\r")
    while not (machine.project / "log").exists():
        child.pump(0.05)
    assert len(machine.processes()) >= 2
    child.send(CTRL_C)
    read_output(child, "Interrupted. What was done stands")
    assert machine.processes() == [child.pid]
    child.send(b"never mind\r")
    read_output(child, "All right.")
    child.send(CTRL_D)
    assert child.wait() == 0
    assert child.output.count(b"never mind") == 1, "what was typed is not printed again"
    assert b"\x1b" not in child.output
    assert machine.processes() == []


def test_what_is_typed_meanwhile_is_queued_and_ctrl_c_twice_leaves(machine: Machine, server: Server) -> None:
    machine.repository()
    wait = "touch begun; until [ -e enough ]; do sleep 0.05; done"
    url = server.start(tools(("Bash", {"command": wait})), text("Both done."))
    child = machine.start(url, "--plain")
    child.send(b"go\r")
    read_output(child, "n and Enter, or e to have it explained")
    child.send(b"y\r")
    while not (machine.project / "begun").exists():
        child.pump(0.05)
    child.send(b"and this\r")
    read_output(child, "(queued, after the running step: and this)")
    (machine.project / "enough").touch()
    read_output(child, "> and this")
    read_output(child, "Both done.")
    assert "and this" in str(server.prompts[1]["body"]["messages"][-1])
    child.send(CTRL_C)
    read_output(child, "Ctrl+C once more leaves.")
    child.send(CTRL_C)
    assert child.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(machine: Machine, server: Server, number: int) -> None:
    machine.repository()
    url = server.start(tools(("Bash", {"command": "trap '' HUP; touch made; sleep 300 & wait"})), text("Never."))
    child = machine.start(url, "--plain")
    child.send(b"go\r")
    read_output(child, "n and Enter, or e to have it explained")
    child.send(b"y\r")
    while not (machine.project / "made").exists():
        child.pump(0.05)
    os.kill(child.pid, number)
    assert child.wait() == 128 + number
    assert machine.processes() == []
    assert b"Traceback" not in child.output


def test_a_reader_that_goes_away_ends_it(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("word\n" * 50_000))
    run = subprocess.run(
        ["/bin/sh", "-c", f"echo go | {PROGRAM} --plain | head -n 3"],
        cwd=machine.project,
        env=machine.environ(url),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert run.stdout.count(b"\n") == 3 and b"Traceback" not in run.stderr and b"rror" not in run.stderr
    assert machine.processes() == []


def test_a_first_start_asks_in_words(machine: Machine) -> None:
    (machine.project / ".claude").mkdir()
    (machine.project / ".claude" / "settings.json").write_text('{"permissions": {"allow": ["Bash"]}}')
    child = machine.start("", "--plain")
    read_output(child, "Type d or k or l or q and Enter.")
    child.send(b"k\r")
    read_output(child, "Type in an API key: type it and press Enter.")
    child.send(b"sk-secret\r")
    read_output(child, "Do you trust this folder?")
    read_output(child, ".claude/settings.json: 1 allow rule")
    child.send(b"no\r")
    read_output(child, "agent-tui in")
    child.send(CTRL_D)
    assert child.wait() == 0
    assert b"sk-secret" not in child.output


def test_without_credentials_a_pipe_is_refused(machine: Machine) -> None:
    machine.repository()
    done = piped(machine, ["go"])
    assert done.returncode == 1 and b"no credentials" in done.stderr


STORE = {
    "question": "Which store?",
    "header": "Store",
    "options": [{"label": "Postgres", "description": "runs already"}, {"label": "SQLite"}],
}
PARTS = {
    "question": "Which parts?",
    "header": "Parts",
    "options": [{"label": "API"}, {"label": "Window"}, {"label": "Docs"}],
    "multiSelect": True,
}


def test_questions_are_answered_by_lines(machine: Machine, server: Server) -> None:
    machine.repository()
    both = {"questions": [STORE, PARTS]}
    url = server.start(
        tools(("AskUserQuestion", both)),
        tools(("AskUserQuestion", {"questions": [STORE]})),
        text("Good."),
        text("Bye."),
    )
    done = piped(machine, ["go", "", "3", "1 2", "2", "1, 3", "my own store", "more"], url=url)
    out = done.stdout.decode()
    assert "? Which store? (1 of 2)\n  1 = Postgres (runs already)\n  2 = SQLite\nType a number" in out
    assert "? Which parts? (2 of 2)" in out and "Type one or more numbers" in out
    assert out.count("Type a number") == 5, "asked twice, and told again at each line that is no answer"
    assert "→ SQLite" in out and "→ API, Docs" in out and "→ “my own store”" in out and "Good." in out
    assert server.rejections == []


def test_questions_are_declined_by_a_line_and_by_the_end_of_input(machine: Machine, server: Server) -> None:
    machine.repository()
    asked = tools(("AskUserQuestion", {"questions": [STORE]}))
    url = server.start(asked, asked, text("Never."))
    done = piped(machine, ["go", "- look at the README"], url=url)
    assert "Stopped at your no" in done.stdout.decode() and "Never." not in done.stdout.decode()
    assert "They say: look at the README" in str(server.prompts[1]["body"]["messages"])


def test_a_plan_is_approved_by_a_line(machine: Machine, server: Server) -> None:
    machine.repository()
    plan = {"plan": "# The way\n\n1. Look\n2. Leap"}
    url = server.start(tools(("ExitPlanMode", plan)), tools(("ExitPlanMode", plan)), text("I begin."))
    lines = ["go", "yes", "3", "3 think of Windows", "2"]
    done = piped(machine, lines, "--permission-mode", "plan", url=url)
    out = done.stdout.decode()
    assert out.count("# The way\n\n1. Look\n2. Leap") == 2 and out.count("? Approve this plan?") == 2
    assert "Mode: asks before changes" in out and "I begin." in out
    said = [str(request["body"]["messages"][-1]) for request in server.prompts]
    assert "think of Windows" in said[1]
    assert server.rejections == []


def test_context_costs_and_compactions_are_printed(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("A long story. " * 900), text("## Intent\nTell stories."))
    done = piped(machine, ["go", "/compact keep the names", "/uncompact", "/context", "/cost"], url=url)
    out = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert re.search(r"Compacted [\d.]+k → [\d.]+k? tokens · full summary", out), out
    assert "  ## Intent\n  Tell stories.\n  (/uncompact brings back what was before it.)" in out
    assert "Compaction undone:" in out
    assert re.search(r"Context of \S+: [\d.]+k of [\d.]+[kM] tokens \(", out), out
    assert "  Answers: " in out and "Next send: " in out
    assert re.search(r"Costs: \S+, 2 requests,.*\n  \S+: .*\n.*    compaction: ", out, re.DOTALL), out


def test_a_handoff_goes_on_in_the_new_session(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("A long story. " * 90), text("## Goal\nGo on."), text("From the brief."))
    done = piped(machine, ["go", "/handoff go on", "and now?"], url=url)
    out = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "Handed off. To go back: agent-tui --resume " in out and "  ## Goal\n  Go on." in out, out
    assert "From the brief." in out
