"""Bash in the foreground: where it runs, what it gives back, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.host import process
from core.tools.builtin.bash.tool import DEFAULT_TIMEOUT_MS, Bash, BashInput
from core.tools.builtin.read.tool import Read
from core.tools.spool import HEAD_CHARS, TAIL_CHARS
from tests.fakes.tools import PATIENCE_S, Bench, names, open_bench

STUBBORN = "trap '' TERM INT HUP; while :; do read -t 60 <> <(:); done"
"""A command that no polite signal ends."""


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    async with open_bench(tmp_path, BASH_ENV="/nonexistent/evil", CDPATH="/", IFS="x") as bench:
        yield bench


# What comes back


@pytest.mark.parametrize(
    ("command", "content"),
    [
        ("echo out", "out"),
        ("echo out; echo err >&2; echo out", "out\nerr\nout"),
        ("true", "[No output.]"),
        ("printf '  indented\\n  more\\n'", "  indented\n  more"),
        ("cat; echo read nothing", "read nothing"),
        ("test -t 0 || echo no terminal", "no terminal"),
        ("printf 'a\\0b\\377c'", "a\0b\ufffdc"),
        ("printf 'no end'", "no end"),
        ("cat <<'EOF'\n$HOME `x`\nEOF", "$HOME `x`"),
        ("echo \"'a'\" '\"b\"'", "'a' \"b\""),
        ('echo "$1-$0-$#"', "-bash-0"),
        ("a='x y'; for w in $a; do echo $w; done", "x\ny"),
    ],
)
async def test_the_output_is_what_the_model_reads(bench: Bench, command: str, content: str) -> None:
    assert await bench.text(Bash(), command=command) == content


@pytest.mark.parametrize(
    ("command", "code", "is_error"),
    [
        ("exit 3", 3, True),
        ("nosuchprogram-x", 127, True),
        ("echo out; false", 1, True),
        ("grep x /dev/null", 1, False),
        ("echo a | grep -q b", 1, False),
        ("grep 'a|b' /dev/null", 1, False),
        ("diff /dev/null /etc/passwd | head -1; test -e /x", 1, True),
        ("test -e /nonexistent", 1, False),
        ("grep", 2, True),
        ("grep -q root /etc/passwd && exit 1", 1, True),
        ("grep -q root /etc/passwd; false", 1, True),
        ("grep -q root /etc/passwd\nfalse", 1, True),
        ("greppy || exit 1", 1, True),
        ("(exit 1)", 1, True),
        ("if true", 2, True),
    ],
)
async def test_an_exit_code_is_told_and_an_answer_is_no_error(
    bench: Bench, command: str, code: int, is_error: bool
) -> None:
    result = await bench.run(Bash(), command=command)
    assert str(result.content).endswith(f"[Exit code {code}.]")
    assert result.is_error == is_error
    assert result.display.details["exit_code"] == code


async def test_a_signal_is_named(bench: Bench) -> None:
    result = await bench.run(Bash(), command="echo before; kill -KILL $$")
    assert result.content == "before\n[Ended by signal 9.]"
    assert result.is_error


async def test_start_up_variables_do_not_reach_the_shell(bench: Bench) -> None:
    text = await bench.text(Bash(), command='echo "[$BASH_ENV][$CDPATH]"; printf %q "$IFS"')
    assert text == "[][]\n$' \\t\\n'"


async def test_a_command_that_cannot_start_is_an_error_result(bench: Bench) -> None:
    nul = BashInput(command="a\0b", description="", timeout=DEFAULT_TIMEOUT_MS)
    assert "NUL" in Bash().check_permissions(nul, bench.context).reason
    assert "could not be started" in await bench.refusal(Bash(), command="x" * 3_000_000)


# Where it runs


async def test_the_working_directory_carries_over_and_nothing_else(bench: Bench) -> None:
    (bench.root / "a b").mkdir()
    await bench.text(Bash(), command="cd 'a b'; export LEFT=1; alias x=y")
    assert bench.state.cwd == bench.root / "a b"
    assert await bench.text(Bash(), command='pwd; echo "[$LEFT]"') == f"{bench.root / 'a b'}\n[]"


@pytest.mark.parametrize(
    "command",
    [
        "cd sub && exit 4",
        "cd sub; false",
        "cd sub; set -e; false; echo no",
        "cd sub\n",
        "cd sub #",
        "cd sub; echo hi >&2",
    ],
)
async def test_it_carries_over_however_the_command_ends(bench: Bench, command: str) -> None:
    (bench.root / "sub").mkdir()
    result = await bench.run(Bash(), command=command)
    assert bench.state.cwd == bench.root / "sub"
    assert f"The working directory is now {bench.root / 'sub'}" in str(result.content)


@pytest.mark.parametrize(
    "command", ["(cd sub)", "cd nosuch", "exec sh -c 'cd sub'", "cd sub; trap - EXIT", "cd sub; kill -9 $$"]
)
async def test_a_subshell_or_a_lost_word_changes_nothing(bench: Bench, command: str) -> None:
    (bench.root / "sub").mkdir()
    await bench.run(Bash(), command=command)
    assert bench.state.cwd == bench.root


async def test_leaving_the_root_is_set_back_with_a_note(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    (bench.root / "link").symlink_to("/tmp")
    await bench.run(Bash(), command="cd sub")
    for command in ("cd /", "cd ../..", "cd link"):
        result = await bench.run(Bash(), command=command)
        assert "set back to" in str(result.content)
        assert bench.state.cwd == bench.root


async def test_a_working_directory_that_is_gone_does_not_end_the_shell_for_good(bench: Bench) -> None:
    (bench.root / "sub").mkdir()
    await bench.run(Bash(), command="cd sub")
    await bench.run(Bash(), command="rmdir ../sub")
    result = await bench.run(Bash(), command="pwd")
    assert str(bench.root) in str(result.content)
    assert not result.is_error
    assert bench.state.cwd == bench.root


async def test_a_root_reached_by_a_link_is_no_change_of_folder(bench: Bench) -> None:
    (bench.root.parent / "door").symlink_to(bench.root)
    bench.state = bench.state.with_cwd(bench.root.parent / "door")
    assert await bench.text(Bash(), command="echo hi") == "hi"


# Much output


async def test_long_output_keeps_both_ends_and_the_whole_on_disk(bench: Bench) -> None:
    text = await bench.text(Bash(), command="seq 1 20000")
    whole = "".join(f"{n}\n" for n in range(1, 20_001))
    path = bench.services.output_dir / "b000001.txt"
    assert path.read_text() == whole
    assert text.startswith(whole[:HEAD_CHARS])
    assert text.endswith(whole[-TAIL_CHARS:].rstrip())
    assert f"[… {len(whole) - HEAD_CHARS - TAIL_CHARS:,} characters left out; the whole is in {path} …]" in text
    assert "20000 lines" in (await bench.run(Bash(), command="seq 1 20000")).display.summary
    assert "[PARTIAL view: lines 19991–20000 of 20000.]" in await bench.text(Read(), file_path=str(path), offset=19_991)


async def test_binary_garbage_does_no_harm(bench: Bench) -> None:
    result = await bench.run(Bash(), command="head -c 300000 /dev/urandom")
    assert not result.is_error
    assert len(str(result.content)) < 31_000
    str(result.content).encode("utf-8")


async def test_output_is_reported_while_it_comes(bench: Bench) -> None:
    os.mkfifo(bench.root / "gate")
    gate = os.open(bench.root / "gate", os.O_RDWR)
    call = asyncio.create_task(bench.run(Bash(), command="seq 1 30; read < gate; echo after"))
    await bench.until_reported(lambda: bool(bench.reports) and bench.reports[-1][1] == 30)
    assert bench.reports[-1][0] == "\n".join(str(n) for n in range(19, 31))
    os.write(gate, b"go\n")
    assert str((await call).content).endswith("30\nafter")
    assert bench.reports[-1][1] == 31
    os.close(gate)


# Time limit, interrupt, children


@pytest.mark.parametrize(
    "command",
    [
        "sleep 1000",
        "sleep 1000 & wait",
        "bash -c 'bash -c \"sleep 1000\" & wait'",
        f"bash -c '{STUBBORN.replace(chr(39), chr(34))}' & wait",
        "(trap '' TERM; sleep 1000) | cat",
    ],
)
async def test_the_time_limit_ends_the_whole_group(bench: Bench, command: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        result = await bench.run(Bash(), command=f"echo begun; {command}", timeout=300)
    assert result.is_error
    assert result.content == "begun\n[Killed: it did not end within 0.3 s.]"
    assert await bench.is_quiet()


async def test_a_shell_that_ignores_the_polite_signal_is_killed(bench: Bench) -> None:
    started = time.monotonic()
    result = await bench.run(Bash(), command="trap '' TERM; echo begun; while :; do sleep 0.01; done", timeout=200)
    assert "Killed" in str(result.content)
    assert time.monotonic() - started < PATIENCE_S
    assert await bench.is_quiet()


async def test_the_beginning_of_killed_output_stays_as_it_is(bench: Bench) -> None:
    result = await bench.run(Bash(), command="printf '    indented\\n'; sleep 1000", timeout=300)
    assert str(result.content).startswith("    indented\n")


async def test_a_background_child_does_not_hang_the_call(bench: Bench) -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert await bench.text(Bash(), command="sleep 1000 & echo started") == "started"


@pytest.mark.parametrize("command", ["sleep 1000 &", "sleep 1000 >/dev/null 2>&1 &", "nohup sleep 1000 & disown"])
async def test_closing_ends_what_a_command_left_running(bench: Bench, command: str) -> None:
    await bench.run(Bash(), command=command)
    await bench.services.shells.close()
    assert await bench.is_quiet()


@pytest.mark.parametrize(
    "command", ["sleep 1000", "trap '' TERM; while :; do sleep 0.01; done", "sleep 1000 | cat & wait"]
)
async def test_cancelling_the_call_ends_the_command(bench: Bench, command: str) -> None:
    call = asyncio.create_task(bench.run(Bash(), command=f"echo begun; {command}"))
    await bench.until_reported(lambda: bool(bench.reports))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await bench.is_quiet()


async def test_cancelling_at_any_step_of_the_start_leaves_nothing(bench: Bench) -> None:
    """The call is dropped after its first, second, third … turn of the event loop."""
    for steps in range(0, 40, 3):
        call = asyncio.create_task(bench.run(Bash(), command="sleep 1000"))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await bench.is_quiet()


async def test_a_cancelled_call_is_forgotten(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    call = asyncio.create_task(bench.run(Bash(), command="echo begun; sleep 1000"))
    await bench.until_reported(lambda: bool(bench.reports))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await bench.run(Bash(), command="true")
    assert names(scratch) == []


async def test_a_process_that_leaves_the_group_does_not_hang_anything(bench: Bench) -> None:
    pid_file = bench.root / "pid"
    async with asyncio.timeout(PATIENCE_S):
        await bench.run(Bash(), command="setsid sleep 1000 & echo $! > pid; sleep 1000", timeout=300)
        await bench.services.shells.close()
    for pid in bench.processes():
        os.kill(pid, 9)
    assert pid_file.exists()


@pytest.mark.parametrize("timeout", [0, -1, 600_001])
async def test_the_time_limit_has_limits(bench: Bench, timeout: int) -> None:
    with pytest.raises(ValueError, match="timeout"):
        await bench.run(Bash(), command="true", timeout=timeout)
