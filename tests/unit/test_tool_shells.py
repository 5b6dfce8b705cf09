"""Background shells: started or moved there, read in steps, listed, killed, and gone at the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from core.bus.bus import Author
from core.host import process
from core.protocol.events import TasksChanged
from core.tools import task_registry
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from core.tools.builtin.kill_shell.tool import KillShell
from core.tools.shells import Shell
from tests.fakes.errand import Errand
from tests.fakes.tools import PATIENCE_S, Bench, names, open_bench


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    async with open_bench(tmp_path) as bench:
        os.mkfifo(bench.root / "gate")
        yield bench


async def start(bench: Bench, command: str) -> Shell:
    """A command in the background."""
    said = await bench.text(Bash(), command=command, run_in_background=True)
    shell = bench.services.shells.background[-1]
    assert shell.id in said
    return shell


@pytest.fixture
def let_pass(bench: Bench) -> Iterator[Callable[[], int]]:
    """What lets a command go on that reads a line from the gate. Open both ways it never blocks us."""
    descriptor = os.open(bench.root / "gate", os.O_RDWR)
    try:
        yield lambda: os.write(descriptor, b"go\n")
    finally:
        os.close(descriptor)


async def output(bench: Bench, shell: Shell, want: str) -> str:
    """What is printed up to and with ``want``, read as often as it takes."""
    got = ""
    async with asyncio.timeout(PATIENCE_S):
        while want not in got:
            got += (await bench.text(BashOutput(), shell_id=shell.id)).split("\n", 1)[1].replace("[Nothing new.]", "")
            await asyncio.sleep(0)
    return got


async def test_each_look_shows_only_what_is_new(bench: Bench, let_pass: Callable[[], int]) -> None:
    shell = await start(bench, "echo one; read < gate; echo two; read < gate; echo three")
    assert await output(bench, shell, "one\n") == "one\n"
    assert await bench.text(BashOutput(), shell_id=shell.id) == f"[{shell.id} running]\n[Nothing new.]"
    let_pass()
    assert await output(bench, shell, "two\n") == "two\n"
    let_pass()
    await shell.done.wait()
    assert await bench.text(BashOutput(), shell_id=shell.id) == f"[{shell.id} completed, exit 0]\nthree\n"
    assert await bench.text(BashOutput(), shell_id=shell.id) == f"[{shell.id} completed, exit 0]\n[Nothing new.]"


async def test_a_character_cut_in_two_by_time_is_shown_once_and_whole(
    bench: Bench, let_pass: Callable[[], int]
) -> None:
    shell = await start(bench, r"printf 'a\xe2\x82'; read < gate; printf '\xacb\n'")
    first = await output(bench, shell, "a")
    let_pass()
    assert first + await output(bench, shell, "b\n") == "a€b\n"


async def test_much_output_comes_in_pieces_and_says_that_more_waits(bench: Bench) -> None:
    shell = await start(bench, "seq 1 20000")
    await shell.done.wait()
    whole = "".join(f"{n}\n" for n in range(1, 20_001))
    got = ""
    looks = 0
    while len(got) < len(whole):
        text = (await bench.text(BashOutput(), shell_id=shell.id)).split("\n", 1)[1]
        body, _, more = text.partition("\n[")
        got += body
        looks += 1
        assert ("bytes wait" in more) == (len(got) < len(whole))
    assert got == whole
    assert looks == 4


async def test_a_full_look_is_not_taken_for_too_large_a_result(bench: Bench) -> None:
    assert BashOutput.max_result_size_chars is None


@pytest.mark.parametrize(
    ("command", "state"),
    [("exit 3", "failed, exit 3"), ("kill -9 $$", "failed, exit -9"), ("true", "completed, exit 0")],
)
async def test_the_end_is_told(bench: Bench, command: str, state: str) -> None:
    shell = await start(bench, command)
    await shell.done.wait()
    assert (await bench.text(BashOutput(), shell_id=shell.id)).startswith(f"[{shell.id} {state}]")
    assert bench.events(TasksChanged)[-1].tasks[0].exit_code == shell.exit_code


async def test_the_list_and_a_wrong_id(bench: Bench) -> None:
    assert "no background shells" in await bench.text(BashOutput())
    assert "no background shell or agent b9" in await bench.refusal(KillShell(), shell_id="b9")
    shell = await start(bench, "sleep 1000")
    assert await bench.text(BashOutput()) == f"{shell.id} running: sleep 1000"
    assert f"There are: {shell.id}" in await bench.refusal(BashOutput(), shell_id="b9")
    assert [task.status for task in bench.events(TasksChanged)[-1].tasks] == ["running"]


@pytest.mark.parametrize(
    "command",
    [
        "sleep 1000",
        "sleep 1000 & sleep 1000 & wait",
        "sleep 1000 &",
        "trap '' TERM; echo on; while :; do sleep 0.01; done",
    ],
)
async def test_killing_ends_the_group_and_says_so(bench: Bench, command: str) -> None:
    shell = await start(bench, f"echo begun; {command}")
    await output(bench, shell, "begun")
    async with asyncio.timeout(PATIENCE_S):
        assert await bench.text(KillShell(), shell_id=shell.id) == f"{shell.id} was killed."
    assert await bench.is_quiet()
    assert "already ended (killed)" in await bench.text(KillShell(), shell_id=shell.id)
    assert bench.events(TasksChanged)[-1].tasks[0].status == "killed"


async def test_two_kills_at_once_both_return(bench: Bench) -> None:
    shell = await start(bench, "sleep 1000")
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(shell.stop(), shell.stop())
    assert shell.status == "killed"


async def test_a_child_outside_the_group_does_not_hang_the_kill(bench: Bench) -> None:
    """It holds the pipe and outlives the kill; nothing may wait for it."""
    shell = await start(bench, "setsid sleep 1000 & echo begun; wait")
    await output(bench, shell, "begun")
    async with asyncio.timeout(PATIENCE_S):
        await shell.stop()
    for pid in bench.processes():
        os.kill(pid, 9)


async def test_moved_to_the_background_it_goes_on_and_keeps_its_output(
    bench: Bench, let_pass: Callable[[], int]
) -> None:
    call = asyncio.create_task(bench.run(Bash(), command="echo before; read < gate; cd /; echo after", timeout=60_000))
    await bench.until_reported(lambda: bool(bench.reports))
    assert bench.services.shells.background == ()
    assert bench.services.shells.detach_all() == 1
    result = await call
    shell = bench.services.shells.background[0]
    assert f"moved to the background by the user and goes on as {shell.id}" in str(result.content)
    assert bench.state.cwd == bench.root
    reports = len(bench.reports)
    let_pass()
    await shell.done.wait()
    assert len(bench.reports) == reports, "a call that has ended reports no progress"
    assert await bench.text(BashOutput(), shell_id=shell.id) == f"[{shell.id} completed, exit 0]\nbefore\nafter\n"
    assert [task.status for event in bench.events(TasksChanged) for task in event.tasks] == ["running", "completed"]


async def test_a_background_command_reports_no_progress(bench: Bench) -> None:
    shell = await start(bench, "echo out")
    await shell.done.wait()
    assert bench.reports == []


async def test_nothing_runs_nothing_moves(bench: Bench) -> None:
    await bench.run(Bash(), command="true")
    await start(bench, "sleep 1000")
    assert bench.services.shells.detach_all() == 0


async def test_closing_ends_everything_and_removes_its_scratch_files(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    await start(bench, "sleep 1000 | cat")
    await start(bench, "(trap '' TERM; while :; do sleep 0.01; done)")
    await start(bench, "sleep 1000 >/dev/null 2>&1 &")
    call = asyncio.create_task(bench.run(Bash(), command="echo begun; sleep 1000"))
    await bench.until_reported(lambda: bool(bench.reports))
    async with asyncio.timeout(PATIENCE_S):
        await bench.services.shells.close()
        assert (await call).is_error
    assert await bench.is_quiet()
    assert names(scratch) == []
    assert bench.services.shells.background == ()


def errand(bench: Bench, task_id: str, **more: str) -> Errand:
    return Errand(bench.services.task_registry, task_id, **more)  # pyright: ignore[reportArgumentType]


async def test_an_agent_is_read_listed_and_killed_by_its_id_too(bench: Bench) -> None:
    task = errand(bench, "a04bf57")
    assert await bench.text(BashOutput(), shell_id="a04bf57") == "[a04bf57 running]\nso far a04bf57"
    shell = await start(bench, "sleep 1000")
    assert (await bench.text(BashOutput())).splitlines() == [
        "a04bf57 running: Errand a04bf57",
        f"{shell.id} running: sleep 1000",
    ]
    assert await bench.text(KillShell(), shell_id="a04bf57") == "a04bf57 was killed."
    assert task.info.status == "killed"
    assert bench.services.task_registry.take_notifications() == (), "the model did it itself"


async def test_what_was_read_to_its_end_need_not_be_told(bench: Bench) -> None:
    registry = bench.services.task_registry
    task = errand(bench, "a04bf57")
    task.end()
    assert await bench.text(BashOutput(), shell_id="a04bf57") == "[a04bf57 completed]\nresult of a04bf57"
    shell = await start(bench, "seq 1 20000")
    await shell.done.wait()
    await bench.text(BashOutput(), shell_id=shell.id)
    assert registry.take_notifications() == (shell,), "there is more to read"


async def test_a_task_that_ended_just_before_it_was_to_be_killed_is_still_told(bench: Bench) -> None:
    task = errand(bench, "a04bf57")

    async def too_late() -> None:
        task.end()

    task.stop = too_late  # pyright: ignore[reportAttributeAccessIssue]
    assert "ended by itself" in await bench.text(KillShell(), shell_id="a04bf57")
    assert bench.services.task_registry.take_notifications() == (task,)


async def test_the_end_is_told_with_the_last_lines(bench: Bench) -> None:
    shell = await start(bench, "seq 1 100; exit 2")
    await shell.done.wait()
    (told,) = bench.services.task_registry.take_notifications()
    assert told is shell
    assert told.told == "\n".join(["[80 lines before these.]", *(str(number) for number in range(81, 101))])
    assert told.output().text.endswith("99\n100") and told.output().total_lines == 100
    assert (told.info.status, told.info.exit_code, told.info.is_over) == ("failed", 2, True)
    assert not told.move(to_background=False) and not told.move(to_background=True)
    await told.stop()
    assert told.info.status == "failed", "what is over stays as it is"


async def test_a_command_of_an_agent_is_its_own(bench: Bench) -> None:
    main = bench.publisher
    bench.publisher = main.for_agent(Author("a04bf57", "toolu_1"))
    call = asyncio.create_task(bench.run(Bash(), command="echo begun; sleep 1000", timeout=60_000))
    await bench.until_reported(lambda: bool(bench.reports))
    assert bench.services.shells.detach_all() == 0, "what an agent waits for moves with the agent"
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    shell = await start(bench, "sleep 1000")
    assert shell.info.agent == "a04bf57"
    other = errand(bench, "b000009", kind="shell")
    assert f"There are: {shell.id}." in await bench.refusal(BashOutput(), shell_id=other.info.id)
    assert "no background shell" in await bench.refusal(KillShell(), shell_id=other.info.id)
    bench.publisher = main
    assert await bench.text(KillShell(), shell_id=shell.id) == f"{shell.id} was killed."


async def test_what_ended_long_ago_is_let_go_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_registry, "MAX_ENDED", 1)
    for _ in range(4):
        shell = await start(bench, "true")
        await shell.done.wait()
        bench.services.task_registry.take_notifications()
    scratch = [shell.scratch for shell in bench.services.shells.background]
    assert len(scratch) == 2, "the last, and the one that was forgotten with it"
    assert len(bench.services.task_registry.tasks) == 1
