"""Stopping, leaving, modes, the todo list, the gauge, help, notices and errors."""

from __future__ import annotations

import asyncio

import pytest

from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say
from core.protocol import events as ev
from core.protocol.ops import Interrupt, SetMode
from core.protocol.usage import Usage
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tui.key_names import written
from tui.keymap import ALL_KEYS, keys_of
from tui.presenter.presenter import Presenter
from tui.widgets.todo import TodoLine, TodoPanel


def todos(*states: str) -> list[dict[str, str]]:
    words = ("Read the code", "Fix the bug", "Run the tests")
    doing = ("Reading the code", "Fixing the bug", "Running the tests")
    return [
        {"id": str(number), "content": words[number], "activeForm": doing[number], "status": state}
        for number, state in enumerate(states)
    ]


# Stopping


async def test_escape_stops_a_streaming_answer(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say("A half sentence"), say("never")], gates={1: gate}), Reply([say("Yes?")])]) as window:
        await window.prompt("go")
        await window.until_shows("A half sentence")
        await window.press("escape")
        await window.settle()
        assert window.sent(Interrupt) == [Interrupt()]
        assert window.shows("A half sentence", "■ Interrupted")
        assert not window.shows("Esc to stop")
        await window.ask("again")
        assert window.shows("Yes?")


async def test_escape_stops_a_running_command(opener: Opener) -> None:
    command = "echo up; sleep 300; touch survived"
    async with opener([Reply([call("Bash", "b1", command=command)])]) as window:
        await window.prompt("go")
        await window.answer("y")
        await window.until_shows("running · 1 line")
        await window.press("escape")
        await window.settle()
        assert "interrupted" in window.line("✗ Bash")
        assert window.shows("■ Interrupted. What was done stands")
        assert window.engine.calls.services.shells.background == ()


async def test_what_is_queued_is_sent_after_an_interrupt(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say("Working"), say("x")], gates={1: gate}), Reply([say("The other one.")])]) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        await window.prompt("no, the other")
        await window.until_shows("next step: no, the other")
        await window.press("escape")
        await window.settle()
        assert window.shows("■ Interrupted", "❯ no, the other", "The other one.")


# Leaving


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+d"])
async def test_leaving_takes_two_presses(opener: Opener, key: str) -> None:
    async with opener() as window:
        await window.press(key)
        name = "Ctrl+C" if key == "ctrl+c" else "Ctrl+D"
        assert window.shows(f"{name} once more leaves")
        window.clock.now += 10
        await window.press(key)
        assert window.app.is_running
        await window.press(key)
        await window.until(lambda: not window.app.is_running)
        assert window.app.return_code == 0


async def test_ctrl_c_clears_the_input_first(opener: Opener) -> None:
    async with opener() as window:
        await window.press("a", "b", "ctrl+c")
        assert window.composer.text == "" and not window.shows("once more leaves")
        await window.press("a", "left", "ctrl+d")
        assert window.composer.text == "" and not window.shows("once more leaves")


async def test_ctrl_c_stops_a_turn_and_does_not_leave(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say("Working"), say("x")], gates={1: gate})]) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        await window.press("ctrl+c")
        await window.settle()
        assert window.shows("■ Interrupted") and window.app.is_running


async def test_a_hint_goes_when_one_types(opener: Opener) -> None:
    async with opener() as window:
        await window.press("ctrl+c")
        assert window.shows("once more leaves")
        await window.press("a")
        assert not window.shows("once more leaves")


# Mode, todo list, gauge


async def test_the_mode_goes_round_and_reaches_the_engine(opener: Opener) -> None:
    async with opener() as window:
        assert window.line("◆ asks before changes")
        for words in ("accepts edits", "plan mode: read-only", "asks before changes"):
            await window.press("shift+tab")
            await window.settle()
            assert words in window.lines[-1]
        assert [op.mode for op in window.sent(SetMode)] == ["acceptEdits", "plan", "default"]
        assert window.engine.calls.policies.policy.mode == "default"


async def test_the_todo_list_has_a_panel_where_there_is_room_and_a_line_where_there_is_not(opener: Opener) -> None:
    script = [
        Reply([call("TodoWrite", "t1", todos=todos("completed", "in_progress", "pending"))]),
        Reply([say("ok")]),
        Reply([call("TodoWrite", "t2", todos=todos("completed", "completed", "in_progress"))]),
        Reply([say("more")]),
    ]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        panel, line = window.main.query_one(TodoPanel), window.main.query_one(TodoLine)
        assert window.shows("Todo  1/3 done", "☑ Read the code", "◐ Fixing the bug", "☐ Run the tests")
        assert not line.display
        await window.resize(109, 30)
        assert not window.shows("Todo  1/3 done")
        assert "◐ Fixing the bug  then: Run the tests" in window.line("☑ 1/3")
        await window.resize(110, 30)
        assert window.shows("Todo  1/3 done") and panel.is_on_screen
        await window.press("ctrl+t")
        assert not window.shows("Todo  1/3 done") and not line.display
        await window.press("ctrl+t")
        await window.ask("go on")
        assert window.shows("Todo  2/3 done", "◐ Running the tests")


async def test_the_shared_tasks_stand_beside_the_todo_list(opener: Opener) -> None:
    design = {"subject": "Design\x1b[31m", "description": "", "activeForm": "Designing"}
    script = [
        Reply([call("ToolSearch", "s1", query="select:TaskCreate,TaskUpdate")]),
        Reply([call("TaskCreate", "c1", **design), call("TaskCreate", "c2", subject="Build", description="")]),
        Reply([call("TaskUpdate", "u1", taskId="2", addBlockedBy=["1"])]),
        Reply([call("TaskUpdate", "u2", taskId="1", status="in_progress", owner="ann")]),
        Reply([say("ok")]),
        Reply([call("TodoWrite", "t1", todos=todos("completed", "in_progress", "pending"))]),
        Reply([call("TaskUpdate", "u3", taskId="1", status="completed")]),
        Reply([say("more")]),
        Reply([call("TodoWrite", "t2", todos=[])]),
        Reply([call("TaskUpdate", "u4", taskId="1", status="deleted")]),
        Reply([call("TaskUpdate", "u5", taskId="2", status="deleted")]),
        Reply([say("nothing left")]),
    ]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        assert window.shows("Shared tasks  0/2 done · 1 open", "◐ 1 Designing (ann)", "☐ 2 Build waits for 1")
        assert window.shows("ToolSearch select:TaskCreate,TaskUpdate", "found: TaskCreate, TaskUpdate")
        assert window.shows("TaskUpdate 2 waits for 1", "TaskUpdate 1 → in_progress  by ann")
        await window.ask("go on")
        assert window.shows("Todo  1/3 done", "◐ Fixing the bug", "Shared tasks  1/2 done", "☑ 1 Design", "☐ 2 Build")
        await window.resize(100, 30)
        assert "tasks 1/2  ◐ Fixing the bug" in window.line("☑ 1/3")
        await window.resize(*WIDE)
        await window.ask("the end")
        assert not window.shows("Todo  ") and not window.shows("Shared tasks")
        await window.resize(*USUAL)
        await window.press("ctrl+t")
        assert not window.shows("☑ 2/3")


async def test_the_gauge_follows_the_session(opener: Opener) -> None:
    first = Usage(cache_write_5m_tokens=400_000, output_tokens=1_000)
    second = Usage(input_tokens=100_000, cache_read_tokens=400_000, output_tokens=1_000)
    script = [Reply([say("one")], usage=first), Reply([say("two")], usage=second)]
    async with opener(script, size=WIDE, flags={"background_agents": False}) as window:
        await window.ask("go")
        assert "40% 401k/1M · cache 0%" in window.lines[-1]
        cost = float(window.lines[-1].rpartition("$")[2])
        await window.ask("go on")
        assert "50% 501k/1M · cache 80%" in window.lines[-1]
        assert float(window.lines[-1].rpartition("$")[2]) > cost > 0
        assert "$" in window.line("1 request ·")
        await window.resize(60, 20)
        assert "50%" in window.lines[-1] and "asks before changes" in window.lines[-1]


# Help


async def test_help_lists_every_key(opener: Opener) -> None:
    async with opener(size=(100, 110)) as window:
        await window.press("f1")
        for key in ALL_KEYS:
            if key.shown and keys_of(key):
                row = next(row for row in window.lines if key.tooltip in row)
                assert f" {written(keys_of(key)[0])} " in row
        listed = [key for key in ALL_KEYS if key.shown]
        assert len(listed) >= 20
        # Of the keys to agents 1 to 9 the first speaks for all.
        numbered = {f"agents.go_{number}" for number in range(2, 10)}
        assert {key.id for key in ALL_KEYS if not key.shown} <= {"input.word_left", "input.word_right", *numbered}
        await window.press("escape")
        assert not window.shows("Session")
        assert window.composer.has_focus


async def test_help_while_a_question_is_open(opener: Opener) -> None:
    async with opener([Reply([call("Bash", "b1", command="touch made")]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked()
        await window.press("f1", "escape")
        await window.answer("y")
        await window.settle()
        assert (window.cwd / "made").exists()


# What goes wrong


async def test_a_fault_of_the_window_costs_only_what_it_was_about(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event after the one that cannot be shown may be a question: it must not be lost."""
    shown = Presenter.on_tool_started

    def broken(self: Presenter, event: ev.ToolStarted) -> None:
        if event.tool_use_id == "b1":
            raise RuntimeError("cannot draw this")
        shown(self, event)

    monkeypatch.setattr(Presenter, "on_tool_started", broken)
    script = [Reply([call("Bash", "b1", command="touch made")]), Reply([say("Still here.")]), Reply([say("Again.")])]
    async with opener(script) as window:
        await window.prompt("go")
        await window.until_shows("Unexpected error: RuntimeError('cannot draw this'); details are in the log.")
        await window.answer("y")
        await window.settle()
        assert window.shows("Still here.")
        await window.ask("and")
        assert window.shows("Again.")
        log = (window.home / "agent-tui" / "log" / "agent-tui.log").read_text()
        assert "cannot draw this" in log and "Traceback" in log


ERRORS = {
    "auth": ("invalid x-api-key (401 authentication_error)", "Set ANTHROPIC_API_KEY"),
    "not_found": ("model: nosuch (404 not_found_error)", "Check the model's name"),
    "invalid": ("messages: must not be empty (400 invalid_request_error)", ""),
}


@pytest.mark.parametrize("kind", sorted(ERRORS))
async def test_an_error_that_ends_the_turn(opener: Opener, kind: str) -> None:
    text, hint = ERRORS[kind]
    script = [Reply(error=ModelError(kind, text, hint)), Reply([say("Better now.")])]  # pyright: ignore[reportArgumentType]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        assert hint in window.line(f"✗ {text}")
        assert window.screen.count(text) == 1
        assert not window.shows("Esc to stop") and not window.shows("Traceback")
        await window.ask("again")
        assert window.shows("Better now.")


async def test_retries_are_told_and_the_answer_comes(opener: Opener) -> None:
    error = ModelError("connection", "The server cannot be reached (refused).", "Check the network.")
    async with opener([Reply(error=error), Reply(error=error), Reply([say("At last.")])], size=WIDE) as window:
        await window.ask("go")
        assert window.shows("2 of 8 attempts failed: The server cannot be reached (refused) ×2.", "At last.")


async def test_an_unreachable_server_ends_the_turn_after_all_attempts(opener: Opener) -> None:
    error = ModelError("connection", "The server cannot be reached (refused).", "Check the network.")
    async with opener(lambda _request: Reply(error=error), size=(120, 50)) as window:
        await window.ask("go")
        assert "Check the network." in window.line("✗ The server cannot be reached (refused).")
        assert window.app.is_running and window.composer.has_focus


async def test_an_unexpected_error_of_the_engine_is_a_notice_with_the_log(opener: Opener) -> None:
    def script(_request: object) -> Reply:
        raise ZeroDivisionError("no")

    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        assert window.shows("ZeroDivisionError", "agent-tui.log")
        assert not window.shows("Traceback")
        assert still_usable(window)


def still_usable(window: Window) -> bool:
    return window.app.is_running and window.composer.has_focus and not window.engine.session.is_busy


async def test_reading_what_cannot_be_read(opener: Opener) -> None:
    opener.file("notes.txt", "x\n")
    (opener.cwd / "image.bin").write_bytes(b"\0\1\2" * 100)
    script = [
        Reply([call("Read", "r1", file_path="missing.txt"), call("Read", "r2", file_path="image.bin")]),
        Reply([call("Edit", "e1", file_path="notes.txt", old_string="nowhere", new_string="y")]),
        Reply([say("Done.")]),
    ]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        assert window.line("✗ Read missing.txt") and window.line("✗ Read image.bin") and window.line("✗ Edit notes.txt")
        assert window.screen.count("missing.txt does not exist") == 1
        assert window.shows("Done.") and still_usable(window)


async def test_a_resumed_session_groups_calls_as_they_were(opener: Opener) -> None:
    one, two = call("LS", "l1", path="."), call("LS", "l2", path=".")
    script = [
        Reply([one]),
        Reply([two]),
        Reply([call("LS", "l3", path="."), call("Glob", "g1", pattern="*")]),
        Reply([say("ok")]),
    ]
    async with opener(script, size=(120, 50)) as window:
        await window.ask("go")
        live = [row for row in window.lines if "● LS" in row or "● Glob" in row]
    async with opener(size=(120, 50), selection={"resume": "latest"}) as window:
        assert [row for row in window.lines if "● LS" in row or "● Glob" in row] == live
