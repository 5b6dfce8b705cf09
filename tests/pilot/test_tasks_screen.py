"""The panel of all tasks, and what a command has given so far."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol import ops
from core.protocol.agent_events import TaskOutputReported
from core.protocol.views import TaskInfo
from tests.fakes.windows import WIDE, Opener, Window
from tests.pilot.test_agents_screen import ONE, calm, focused, play
from tests.pilot.test_consent import EVIL
from tests.snapshot.agents import tasked
from tui.screens.tasks import TaskOutputScreen, TasksScreen

SHELL = TaskInfo(id="b000001", description="npm run dev", command="npm run dev", status="running")
FAILED = TaskInfo(id="b000002", description="make", command="make -j", status="failed", exit_code=2)
AGENT = TaskInfo(id=ONE.id, kind="agent", description=ONE.description, status="running")


async def opened(window: Window, *tasks: TaskInfo) -> TasksScreen:
    play(window, *tasked(ONE), ev.TasksChanged(tasks=tasks))
    await window.paste("/bashes")
    await window.press("enter")
    await window.until(lambda: isinstance(window.app.screen, TasksScreen))
    await calm(window)
    screen = window.app.screen
    assert isinstance(screen, TasksScreen)
    return screen


def report(text: str, total: int = 0, path: str = "") -> ev.Event:
    return TaskOutputReported(task_id=SHELL.id, text=text, total_lines=total, path=path)


async def test_all_kinds_are_listed_those_that_run_first(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, FAILED, SHELL, AGENT)
        assert window.row(SHELL.id) < window.row(AGENT.id) < window.row(FAILED.id)
        assert "command" in window.line(SHELL.id) and "◐ running" in window.line(SHELL.id)
        assert "agent" in window.line(AGENT.id) and "Find the callers" in window.line(AGENT.id)
        assert "✗ failed" in window.line(FAILED.id) and "exit 2" in window.line(FAILED.id)
        await window.press(*"npm")
        assert window.shows(SHELL.id) and not window.shows(FAILED.id)
        await window.press("escape")
        await window.until(lambda: window.composer.has_focus)


async def test_one_that_runs_is_stopped_one_that_is_over_is_taken_away(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, SHELL, FAILED)
        await window.press("x")
        await calm(window)
        assert window.sent(ops.StopTask) == [ops.StopTask(task_id=SHELL.id)]
        await window.press("down", "delete")
        assert not window.shows(FAILED.id) and window.shows(SHELL.id)
        play(window, ev.TasksChanged(tasks=(SHELL, FAILED)))
        assert not window.shows(FAILED.id), "it stays away"
        await window.press("delete")
        await calm(window)
        assert len(window.sent(ops.StopTask)) == 2


async def test_an_agent_is_opened_among_the_agents(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, AGENT)
        await window.press("enter")
        await window.until(lambda: focused(window) == ONE.id)


async def test_what_a_command_gives_is_read_while_it_is_looked_at(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, SHELL)
        await window.press("enter")
        await window.until_shows("$ npm run dev", "Reading…")
        await window.until(lambda: bool(window.sent(ops.ReadTask)))
        play(window, report("\n".join(f"line {n}" for n in range(60)), total=100, path="/tmp/out.log"))
        await window.until_shows("line 59")
        await window.press("home")
        await window.until_shows("… 40 earlier lines, all in /tmp/out.log", "line 0")
        play(window, report("\n".join(f"line {n}" for n in range(70)), total=110))
        await calm(window)
        assert window.shows("line 0"), "who reads is not moved"
        await window.press("end")
        await window.until_shows("line 69")
        play(window, report(f"{EVIL}\nlast"))
        await window.until_shows("last")
        await window.until(lambda: len(window.sent(ops.ReadTask)) >= 2)
        await window.press("y", "x")
        await calm(window)
        assert window.sent(ops.StopTask) == [ops.StopTask(task_id=SHELL.id)]
        await window.press("escape")
        await window.until(lambda: isinstance(window.app.screen, TasksScreen))


async def test_one_that_is_over_is_read_once(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window, FAILED)
        await window.press("enter")
        await window.until(lambda: isinstance(window.app.screen, TaskOutputScreen))
        await window.until(lambda: bool(window.sent(ops.ReadTask)))
        play(window, TaskOutputReported(task_id=FAILED.id, text=""))
        await window.until_shows("No output.")
        assert not window.shows("x stop")
        await window.press("x")
        await calm(window)
        assert window.sent(ops.StopTask) == []


async def test_nothing_runs(opener: Opener) -> None:
    async with opener(size=WIDE) as window:
        await opened(window)
        assert window.shows("Nothing runs, and nothing has run")
        await window.press("enter", "x")
        assert window.sent(ops.StopTask) == []
