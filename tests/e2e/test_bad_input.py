"""What is wrong with the surroundings gets a clear line, and the session lives on."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.pty_child import PtyChild
from tests.e2e.children import PROGRAM, ROOT, Machine, Server, answer, leave, say, text, tools

READY = "It reads and searches on its own"


def lives_on(child: PtyChild) -> None:
    """The input takes words, nothing fell over, and leaving works."""
    child.send(b"still here")
    child.read_until("still here")
    child.send(b"\x03")
    child.read_until("Ask, or tell it")
    assert leave(child) == 0
    assert b"Traceback" not in child.output


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_wrong_key(machine: Machine, server: Server) -> None:
    machine.repository()
    child = machine.start(server.start(text("never")), ANTHROPIC_API_KEY="wrong")
    child.read_until(READY)
    say(child, "hello")
    child.read_until("401")
    child.read_until("Set ANTHROPIC_API_KEY")
    child.read_until_gone("Esc to stop")
    lives_on(child)


def test_an_unknown_model(machine: Machine, server: Server) -> None:
    machine.repository()
    child = machine.start(server.start(text("never")), "--model", "claude-nosuch-9")
    child.read_until(READY)
    say(child, "hello")
    child.read_until("404")
    child.read_until("Check the model's name")
    lives_on(child)


def test_a_server_that_is_not_there_can_be_given_up(machine: Machine) -> None:
    machine.repository()
    child = machine.start(f"http://127.0.0.1:{unused_port()}")
    child.read_until(READY)
    say(child, "hello")
    child.read_until("The server cannot be reached")
    child.read_until("No connection · again in")
    child.read_until("attempt 2 of 8")
    child.send(b"\x1b")
    child.read_until("Interrupted.")
    lives_on(child)


def test_a_small_terminal_does_the_whole_job(machine: Machine, server: Server) -> None:
    machine.repository({"notes.txt": "alpha\n"})
    edit = {"file_path": "notes.txt", "old_string": "alpha", "new_string": "beta"}
    url = server.start(tools(("Read", {"file_path": "notes.txt"})), tools(("Edit", edit)), text("Changed."))
    child = machine.start(url, size=(60, 20))
    child.read_until("Ask, or tell it")
    say(child, "change it")
    child.read_until("Edit wants to change a file")
    child.read_until("+ beta")
    answer(child, b"y", "Yes, this once")
    child.read_until("Changed.")
    child.read_until("asks before changes")
    child.resize(120, 36)
    child.read_until("Shift+Tab mode")
    assert (machine.project / "notes.txt").read_text() == "beta\n"
    assert leave(child) == 0
    assert server.rejections == []


def test_a_broken_settings_file_and_files_that_cannot_be_read(machine: Machine, server: Server) -> None:
    machine.repository()
    settings = machine.home / "agent-tui" / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"model": \n')
    (machine.project / "image.png.txt").write_bytes(b"\0\1\2" * 50)
    (machine.project / "notes.txt").write_text("alpha\n")
    (machine.project / "loop").symlink_to("loop")
    wrong = {"file_path": "notes.txt", "old_string": "nowhere", "new_string": "x"}
    url = server.start(
        tools(*(("Read", {"file_path": name}) for name in ("image.png.txt", "loop", "missing", "notes.txt"))),
        tools(("Edit", wrong)),
        text("Four of five failed."),
    )
    child = machine.start(url)
    child.read_until("not valid JSON")
    assert child.shows("settings.json:2")
    say(child, "read all")
    child.read_until("Four of five failed.")
    for expected in ("Read image.png.txt", "binary", "Read loop", "Read missing", "does not exist", "Edit notes.txt"):
        child.read_until(expected)
    assert server.rejections == []
    lives_on(child)


@pytest.mark.parametrize("obstacle", ["file", "full"])
def test_a_transcript_that_cannot_be_written(machine: Machine, server: Server, obstacle: str) -> None:
    machine.repository()
    projects = machine.data / "projects"
    if obstacle == "file":
        projects.write_text("a file where a folder should be")
    else:
        fill_up(projects)
    url = server.start(text("Never mind the disk."), text("And again."))
    child = machine.start(url)
    child.read_until(READY)
    say(child, "hello")
    child.read_until("The transcript cannot be written")
    child.read_until("Never mind the disk.")
    assert "The session goes on in memory" in " ".join(" ".join(child.rows).split()), "wherever it is wrapped"
    say(child, "go on")
    child.read_until("And again.")
    assert server.rejections == []
    try:
        lives_on(child)
    finally:
        if obstacle == "full":
            subprocess.run(["umount", str(projects)], check=False)


def fill_up(folder: Path) -> None:
    """A disk of its own for the folder, with no room left."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    with (folder / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)


def test_a_foreign_package_of_the_same_name_is_not_run(machine: Machine, server: Server) -> None:
    machine.repository()
    for package in ("core", "themes"):
        (machine.project / package).mkdir()
        for module in ("__init__", "version", "engine"):
            (machine.project / package / f"{module}.py").write_text(
                "open('EXECUTED', 'w').close()\nraise SystemExit(9)\n"
            )
    url = server.start(text("Mine, not theirs."))
    child = machine.start(url, program=(sys.executable, "-m", "tui"), PYTHONPATH=f".:{ROOT}")
    child.read_until(READY)
    say(child, "hello")
    child.read_until("Mine, not theirs.")
    assert leave(child) == 0
    assert not (machine.project / "EXECUTED").exists()
    child = machine.start(url, PYTHONPATH=".")
    child.read_until(READY)
    assert leave(child) == 0
    assert not (machine.project / "EXECUTED").exists()


def test_standard_input_that_is_no_terminal(machine: Machine) -> None:
    machine.repository()
    done = subprocess.run(
        [str(PROGRAM)], cwd=machine.project, env=machine.environ(), input="hi", capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "this is not a terminal" in done.stderr and 'agent-tui -p "…"' in done.stderr


def test_nothing_to_continue_leaves_a_line_in_the_shell(machine: Machine) -> None:
    machine.repository()
    child = machine.start("http://127.0.0.1:9", "--continue")
    assert child.wait() == 1
    assert "There is no earlier session in this folder." in "\n".join(child.rows)
    assert b"Traceback" not in child.output


def test_a_session_that_is_open_elsewhere(machine: Machine, server: Server) -> None:
    machine.repository()
    url = server.start(text("First."))
    first = machine.start(url)
    first.read_until(READY)
    say(first, "hello")
    first.read_until("First.")
    second = machine.start(url, "--continue")
    assert second.wait() == 1
    assert "open in another agent-tui" in "\n".join(second.rows)
    assert leave(first) == 0


def test_hostile_output_reaches_no_terminal(machine: Machine, server: Server) -> None:
    machine.repository()
    evil = b"A\x1b[2J\x1b]0;owned\x07B\x1b]52;c;b3duZWQ=\x07C\x1b[?1003hD\x9b31mE\x1bcF"
    (machine.project / "evil.txt").write_bytes(evil)
    url = server.start(
        tools(("Read", {"file_path": "evil.txt"}), ("Bash", {"command": "cat evil.txt"}), words=evil.decode("latin-1")),
        text("done and dusted"),
    )
    child = machine.start(url)
    child.read_until(READY)
    say(child, "read it")
    child.read_until("done and dusted")
    child.send(b"\x0f")
    child.read_until("$ cat evil.txt")
    assert leave(child) == 0
    for sequence in (b"]0;owned", b"]52;", b"\x1bc", b"A\x1b[2J"):
        assert sequence not in child.output, sequence
    assert server.rejections == []
