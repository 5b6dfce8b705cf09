"""Commands of the user's own: run unasked, shown, queued, interrupted, and told to the model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import BackgroundTools, EditQueued, Interrupt, RunShell, SubmitPrompt
from core.protocol.views import QueuedMessage
from core.query.shell_line import ShellLine, read_shell_line
from core.settings.schema import Settings
from tests.fakes.engines import Rig, running
from tests.fakes.gate import Gate, gate_call, install_gate
from tests.fakes.wire import assert_all_valid, assert_growing, texts_in

DONE = Reply([say("Done.")])


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> type[Gate]:
    return install_gate(monkeypatch)


async def shell(rig: Rig, command: str) -> ev.ShellFinished:
    """Run a command to its end."""
    count = len(rig.of(ev.ShellFinished))
    await rig.do(RunShell(command=command))
    await rig.until(lambda: len(rig.of(ev.ShellFinished)) > count)
    await rig.settle()
    return rig.of(ev.ShellFinished)[-1]


async def waits(rig: Rig, count: int) -> tuple[QueuedMessage, ...]:
    """What is queued, once it is so many."""
    event = await rig.event(ev.QueueChanged, lambda event: len(event.items) == count)
    return event.items


async def test_a_command_runs_unasked_and_the_next_request_tells_of_it(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE, DONE], tmp_path, isolated_machine) as rig:
        done = await shell(rig, "touch made.txt; echo seen; exit 4")
        assert (tmp_path / "made.txt").exists()
        assert (done.exit_code, done.command) == (4, "touch made.txt; echo seen; exit 4")
        assert done.output == "seen\n[Exit code 4.]"
        assert not rig.of(ev.PermissionRequested) and not rig.requests and not rig.of(ev.TurnStarted)
        await rig.prompt("What went wrong?")
        *_, told, prompt = texts_in(rig.requests[0])
        assert prompt == "What went wrong?"
        assert "touch made.txt; echo seen; exit 4" in told
        assert '<shell-output exit-code="4">\nseen\n' in told
        await shell(rig, "true")
        await rig.prompt("And now?")
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)
        assert [event.text for event in rig.of(ev.PromptSubmitted)] == ["What went wrong?", "And now?"]


async def test_the_mode_that_only_reads_does_not_bind_the_user(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([], tmp_path, isolated_machine, settings=Settings(mode="plan")) as rig:
        assert (await shell(rig, "touch made.txt")).exit_code == 0
        assert (tmp_path / "made.txt").exists()


async def test_the_folder_carries_over(tmp_path: Path, isolated_machine: Path) -> None:
    (tmp_path / "sub").mkdir()
    replies = [Reply([call("Bash", "b", command="pwd")]), DONE]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await shell(rig, "cd sub")
        assert (await shell(rig, "pwd")).output == str(tmp_path / "sub")
        await rig.prompt("where are we?")
        assert rig.of(ev.ToolFinished)[0].content == str(tmp_path / "sub")


async def test_output_is_shown_while_it_runs_and_interrupting_ends_it(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([DONE], tmp_path, isolated_machine) as rig:
        await rig.do(RunShell(command="echo first; sleep 300; echo never"))
        await rig.until(lambda: any("first" in event.text for event in rig.of(ev.ToolProgress)))
        assert rig.engine.session.is_busy
        assert rig.of(ev.ToolProgress)[0].tool_use_id == rig.of(ev.ShellStarted)[0].shell_id
        await rig.do(Interrupt())
        await rig.settle()
        (done,) = rig.of(ev.ShellFinished)
        assert (done.output, done.exit_code) == ("first\n[Interrupted by the user.]", None)
        await rig.prompt("go on")
        assert "<shell-output>\nfirst\n[Interrupted by the user.]" in texts_in(rig.requests[0])[-2]
        assert_all_valid(rig.requests)


async def test_during_a_turn_it_waits_for_its_end_and_what_was_typed_later_waits_too(
    tmp_path: Path, isolated_machine: Path, gate: type[Gate]
) -> None:
    replies = [Reply([gate_call("a")]), Reply([say("First done.")]), Reply([say("Second done.")])]
    async with running(replies, tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="first"))
        await gate.inside("a")
        await rig.do(SubmitPrompt(text="also"))
        await rig.do(RunShell(command="echo mine"))
        await rig.do(SubmitPrompt(text="what do you see?"))
        waiting = await waits(rig, 3)
        assert [(item.text, item.is_line) for item in waiting] == [
            ("also", False),
            ("!echo mine", True),
            ("what do you see?", False),
        ]
        assert not rig.of(ev.ShellStarted)
        gate.open("a")
        await rig.settle()
        order = [
            event.text if isinstance(event, ev.PromptSubmitted) else type(event).__name__
            for event in rig.events
            if isinstance(event, ev.PromptSubmitted | ev.TurnEnded | ev.ShellFinished)
        ]
        assert order == ["first", "also", "TurnEnded", "ShellFinished", "what do you see?", "TurnEnded"]
        assert rig.of(ev.QueueChanged)[-1].items == ()
        assert "echo mine" in texts_in(rig.requests[2])[-2]
        assert_all_valid(rig.requests)
        assert_growing(rig.requests)


async def test_a_queued_command_can_be_taken_back(tmp_path: Path, isolated_machine: Path, gate: type[Gate]) -> None:
    async with running([Reply([gate_call("a")]), DONE], tmp_path, isolated_machine) as rig:
        await rig.do(SubmitPrompt(text="first"))
        await gate.inside("a")
        await rig.do(RunShell(command="echo one"))
        await rig.do(RunShell(command="echo two"))
        one, two = await waits(rig, 2)
        await rig.do(EditQueued(message_id=one.id, text=""))
        await rig.do(EditQueued(message_id=two.id, text="!echo three"))
        gate.open("a")
        await rig.settle()
        assert [event.command for event in rig.of(ev.ShellFinished)] == ["echo three"]


async def test_it_can_go_to_the_background(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([], tmp_path, isolated_machine) as rig:
        await rig.do(RunShell(command="echo up; exec sleep 300"))
        await rig.until(lambda: any("up" in event.text for event in rig.of(ev.ToolProgress)))
        await rig.do(BackgroundTools())
        await rig.settle()
        assert "background" in rig.of(ev.ShellFinished)[0].output
        assert rig.of(ev.TasksChanged)[-1].tasks[0].status == "running"


async def test_nothing_is_run_for_nothing(tmp_path: Path, isolated_machine: Path) -> None:
    async with running([], tmp_path, isolated_machine) as rig:
        await rig.do(RunShell(command="  "))
        await rig.do(RunShell(command="echo \0"))
        await rig.settle()
        assert not rig.of(ev.ShellStarted)
        assert rig.of(ev.Notice)[-1].level == "error"


async def test_closing_ends_it(tmp_path: Path, isolated_machine: Path) -> None:
    async with asyncio.timeout(20), running([], tmp_path, isolated_machine) as rig:
        await rig.do(RunShell(command="exec sleep 300"))
        await rig.event(ev.ShellStarted)


PIECES = ("a", "\n", "<", ">", '"', "!", " ", "é", "</shell-output>", "</shell-command>", "<shell-output>")
TEXT = st.lists(st.sampled_from(PIECES)).map("".join)


@given(TEXT.filter(lambda text: "\n</shell-command>\n" not in f"{text}\n"), TEXT, st.none() | st.integers(-64, 255))
def test_what_was_written_can_be_read(command: str, output: str, code: int | None) -> None:
    line = ShellLine(command, output, code)
    assert read_shell_line(line.text()) == line


def test_other_texts_are_no_shell_lines() -> None:
    assert read_shell_line("The user ran this in the shell: ls") is None
