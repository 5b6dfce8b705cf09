"""What stands around the conversation: status line, footer, queue lane, title and calls."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from core.engine import wiring
from core.llm.errors import ModelError
from core.llm.scripted import Reply, call, say
from core.protocol.ops import EditQueued, MoveQueued, SubmitPrompt
from core.protocol.usage import Usage
from core.protocol.views import ContextLimits
from core.sessions.load import LoadedSession
from tests.fakes.windows import USUAL, WIDE, Opener, Window
from tui.rendering.palette import Palette
from tui.signals import LONG_TURN_S, channel, notification
from tui.widgets.gauge import Footer
from tui.widgets.queue_lane import QueueLane
from tui.widgets.status import StatusLine
from tui.widgets.transcript.retry_block import RetryBlock

TOUCH = call("Bash", "b1", command="touch made")


def working(gate: asyncio.Event, *more: Reply) -> list[Reply]:
    return [Reply([say("Working"), say("x")], gates={1: gate}), *more]


# Status


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120])
async def test_the_key_that_stops_is_never_cut(opener: Opener, columns: int) -> None:
    gate = asyncio.Event()
    async with opener(working(gate), size=(columns, 24)) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        window.clock.now += 65
        window.main.status.show_item("Rewriting the whole parser from the beginning to its very end")
        window.main.status.show_tokens("↑ 123.4k ↓ 5.6k")
        for activity in ("Answering", "Running some_very_long_tool_name_of_a_server_far_away"):
            window.main.status.show_activity(activity)
            await window.pilot.pause()
            row = window.line("Esc to stop")
            assert "Esc to stop)" in row
            assert ("1m 05s" in row) or columns < 60
        window.main.status.show_retry("Overloaded", 8, "attempt 3 of 8")
        await window.pilot.pause()
        assert "Esc to stop)" in window.line("Esc to stop")
        assert columns < 80 or "Overloaded · again in 8 s · attempt 3 of 8" in window.line("Esc to stop")
        gate.set()
        await window.settle()


async def test_nothing_moves_while_the_user_is_waited_for(opener: Opener) -> None:
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await window.asked()
        timer = window.main.status._timer  # pyright: ignore[reportPrivateUsage]
        assert timer is None and "? Waiting for you  (" in window.line("Waiting for you")
        await window.press("y")
        await window.settle()
        assert window.main.status._timer is None  # pyright: ignore[reportPrivateUsage]


async def test_a_retry_counts_down(opener: Opener) -> None:
    status = StatusLine(Palette({}), lambda: 0.0)
    assert status.build(60) == [(("", "text"),)], "nothing while idle"
    error = ModelError("connection", "The server cannot be reached (refused).")
    async with opener([Reply(error=error), Reply([say("At last.")])]) as window:
        await window.ask("go")
        assert window.shows("At last.")


def status_row(status: StatusLine, width: int = 80) -> str:
    return "".join(text for text, _style in status.build(width)[0])


async def test_the_wait_and_the_silence_are_told_by_the_second(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate)) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        status = window.main.status
        status.show_retry("Overloaded", 8, "attempt 3 of 8")
        for left in ("again in 8 s", "again in 6 s", "again in 3 s", "again in 1 s", "again now"):
            assert f"Overloaded · {left} · attempt 3 of 8  (" in status_row(status)
            window.clock.now += 2.5
        status.show_activity("Thinking", is_awaited=True)
        window.clock.now += 19
        assert "silent" not in status_row(status)
        window.clock.now += 21
        assert "Thinking… silent for 40s" in status_row(status)
        status.hear()
        assert "silent" not in status_row(status)
        status.show_activity("Running Bash")
        window.clock.now += 100
        assert "silent" not in status_row(status), "a tool may take its time"
        gate.set()
        await window.settle()


async def test_retries_of_one_request_are_one_line(opener: Opener) -> None:
    busy = ModelError("overloaded", "Overloaded (529 overloaded_error).")
    lost = ModelError("dropped", "The connection broke off (ReadError).")
    failing = [Reply(error=error) for error in (busy, busy, lost, busy)]
    async with opener([*failing, Reply([say("At last.")]), Reply(error=lost), Reply([say("Again.")])]) as window:
        await window.ask("go")
        (line,) = window.blocks(RetryBlock)
        assert line.source == (
            "4 of 8 attempts failed: Overloaded (529 overloaded_error) ×3; The connection broke off (ReadError)."
        )
        assert window.screen.count("failed") == 1
        await window.ask("more")
        assert [block.source[:22] for block in window.blocks(RetryBlock)] == [
            "4 of 8 attempts failed",
            "1 of 8 attempts failed",
        ]


async def test_a_line_of_retries_stands_where_they_were(opener: Opener) -> None:
    """Where a response broke off behind something that is kept, what fails next is told below that."""
    lost = ModelError("dropped", "The connection broke off.")
    opener.file("a.txt", "alpha\n")
    broken = [Reply([call("Read", f"r{n}", file_path="a.txt")], error=lost) for n in range(2)]
    async with opener([*broken, Reply([say("Done.")])]) as window:
        await window.ask("go")
        first, second = window.blocks(RetryBlock)
        assert (first.source, second.source) == (
            "1 of 8 attempts failed: The connection broke off.", "2 of 8 attempts failed: The connection broke off."
        )  # fmt: skip


async def test_a_model_that_stands_in_is_named_at_the_top(opener: Opener) -> None:
    busy = [Reply(error=ModelError("overloaded", "Overloaded.")) for _ in range(3)]
    gate = asyncio.Event()
    replies = [*busy, Reply([say("One."), say("Two.")], gates={1: gate})]
    flags = {"fallback_models": ("claude-sonnet-5-5",)}
    async with opener(replies, size=WIDE, flags=flags) as window:
        await window.prompt("go")
        await window.until_shows("One.")
        assert "claude-sonnet-5-5 (for claude-opus-5-5)" in window.lines[0]
        assert window.shows("is overloaded, 3 times in a row", "answers for the rest of this turn")
        gate.set()
        await window.settle()
        assert window.lines[0].endswith("claude-opus-5-5")
        assert len(window.blocks(RetryBlock)) == 1


# Footer


def footer(used: int, *, limits: ContextLimits | None = None, now: float = 0.0) -> Footer:
    made = Footer(Palette({}), lambda: now)
    made.show_window(200_000, limits or ContextLimits(warning=147_000, autocompact=167_000, blocking=177_000))
    made.show_usage(used, "$1.23")
    return made


def row(made: Footer, width: int) -> str:
    return "".join(text for text, _style in made.build(width)[0])


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_what_gives_way_in_the_footer(width: int) -> None:
    text = row(footer(170_000), width)
    assert len(text) == width
    assert "asks before changes" in text and "85%" in text
    assert "▲ compaction due" in text or width == 40
    assert ("$1.23" in text) == (width >= 80)
    assert ("F1" in text) == (width >= 80)


def test_an_open_breaker_is_told() -> None:
    made = footer(1_000)
    assert "autocompact" not in row(made, 120)
    made.show_usage(1_000, "", breaker="open")
    assert "⊘ no autocompact" in row(made, 120)


async def test_the_cache_counts_minutes_and_goes_cold_once(opener: Opener) -> None:
    usage = Usage(input_tokens=100, cache_read_tokens=900, output_tokens=10)
    async with opener([Reply([say("one")], usage=usage)], size=WIDE) as window:
        await window.ask("go")
        clock = window.engine.calls.services.host.clock
        made = window.main.query_one(Footer)
        for passed, shown in ((0, "cache 90% · 5 min"), (1, "4 min"), (60, "3 min"), (120, "1 min"), (60, "<1 min")):
            clock.now += passed  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
            made._count_down()  # pyright: ignore[reportPrivateUsage]
            await window.pilot.pause()
            assert shown in window.lines[-1]
            assert 0 < next_tick(made) <= 60.1
        clock.now += 60  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        made._count_down()  # pyright: ignore[reportPrivateUsage]
        await window.pilot.pause()
        assert "cache cold" in window.lines[-1] and "min" not in window.lines[-1]
        assert made._cooling is None, "once cold nothing moves"  # pyright: ignore[reportPrivateUsage]


def next_tick(made: Footer) -> float:
    """Seconds until the footer is drawn on its own."""
    timer = made._cooling  # pyright: ignore[reportPrivateUsage]
    assert timer is not None
    return timer._interval  # pyright: ignore[reportPrivateUsage]


def test_what_a_cold_cache_costs_is_told_where_it_is_known() -> None:
    made = footer(1_000, now=100.0)
    for cost, shown in (("$0.42", "cache cold · next send ≈ $0.42"), ("", "cache cold · $1.23")):
        made._cache, made._warm_until, made._cold_cost = 97, 90.0, cost  # pyright: ignore[reportPrivateUsage]
        assert shown in row(made, 120)


# A slow start


async def test_a_session_that_takes_long_to_read_is_told(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opener([Reply([say("Hello.")])]) as window:
        await window.ask("go")
    may_read = threading.Event()
    load = wiring.load_session

    def slow(transcript: Path) -> LoadedSession:
        may_read.wait(10)
        return load(transcript)

    monkeypatch.setattr(wiring, "load_session", slow)
    monkeypatch.setattr("tui.app.SLOW_S", 0.001)
    async with opener(selection={"resume": "latest"}, is_started=False) as window:
        await window.until_shows("Reading the session…")
        await window.press("h", "i")
        assert window.composer.text == "hi", "keys are taken meanwhile"
        may_read.set()
        await window.until_shows("Hello.")
        assert not window.shows("Reading the session…")


# Queue


async def test_tab_sends_after_the_turn(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate, Reply([say("Later.")]))) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        await window.paste("and afterwards this")
        await window.press("tab")
        await window.until_shows("⏎ after the turn: and afterwards this")
        assert window.sent(SubmitPrompt)[-1].lane == "follow_up"
        assert window.composer.has_focus and window.composer.text == ""
        await window.press("tab")
        assert not window.composer.has_focus, "with nothing typed it is the key that goes on"
        gate.set()
        await window.settle()
        assert window.shows("❯ and afterwards this", "Later.")


async def queue_of(window: Window, *texts: str) -> QueueLane:
    await window.prompt("go")
    await window.until_shows("Working")
    for text in texts:
        await window.prompt(text)
    await window.until_shows(f"next step: {texts[-1]}")
    return window.main.query_one(QueueLane)


async def test_the_lane_is_worked_with_the_keyboard(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate, Reply([say("Taken.")]))) as window:
        lane = await queue_of(window, "one", "two", "three")
        await window.press("alt+up")
        assert lane.has_focus and "❯" in window.line("next step: three")
        await window.press("up", "alt+up")
        await window.until(lambda: [item.text for item in lane.items] == ["two", "one", "three"])
        assert "❯" in window.line("next step: two"), "the choice stays with its message"
        await window.press("x")
        await window.until(lambda: [item.text for item in lane.items] == ["one", "three"])
        assert "❯" in window.line("next step: one")
        await window.press("enter")
        await window.until(lambda: [item.text for item in lane.items] == ["three"])
        assert window.composer.has_focus and window.composer.text == "one"
        assert len(window.sent(MoveQueued)) == 1 and len(window.sent(EditQueued)) == 2
        await window.press("alt+up", "escape")
        assert window.composer.has_focus and window.main.status.is_busy, "Esc goes back, it stops nothing"
        gate.set()
        await window.settle()
        assert not lane.display and window.composer.has_focus
        assert window.composer.text == "one"


async def test_the_keys_come_back_when_the_queue_empties(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate, Reply([say("Taken.")]))) as window:
        lane = await queue_of(window, "one")
        await window.press("alt+up")
        assert lane.has_focus
        gate.set()
        await window.settle()
        await window.until(lambda: window.composer.has_focus)


async def test_a_click_chooses(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate, Reply([say("Taken.")]))) as window:
        await queue_of(window, "one", "two")
        await window.pilot.click(QueueLane, offset=(6, 0))
        assert "❯" in window.line("next step: one")
        gate.set()
        await window.settle()


async def test_a_long_queue_says_how_many_more(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener(working(gate, Reply([say("Taken.")])), size=USUAL) as window:
        await queue_of(window, "one", "two", "three", "four")
        await window.prompt("five")
        await window.until_shows("… 1 more")
        await window.press("alt+up")
        await window.until_shows("❯ ↪ next step: five")
        for _ in range(4):
            await window.press("up")
        assert "❯" in window.line("next step: one") and not window.shows("next step: five")
        for _ in range(4):
            await window.press("down")
        assert "❯" in window.line("next step: five") and not window.shows("next step: one")
        gate.set()
        await window.settle()


async def test_a_short_screen_has_room_for_what_matters(opener: Opener) -> None:
    todos = [{"id": "1", "content": "Look", "activeForm": "Looking", "status": "in_progress"}]
    long = call("Write", "w1", file_path="new.txt", content="row\n" * 30)
    other = call("Read", "r1", file_path="/etc/hosts")
    gate = asyncio.Event()
    asks = Reply([call("TodoWrite", "t1", todos=todos), long, other])
    script = [asks, Reply([say("Still at it"), say("x")], gates={1: gate}), Reply([say("Done.")])]
    async with opener(script, size=(60, 20)) as window:
        await window.prompt("go")
        await window.asked()
        assert window.shows("? Waiting for you", "Ask, or tell it", "y Yes, this once", "n No, and stop")
        assert "more lines: PgDn" in window.line("? Write wants to"), "nobody approves what they have not seen"
        assert "asks before changes" in window.lines[-1]
        await window.press("y")
        await window.asked("Read wants to read")
        await window.press("y")
        await window.until_shows("Still at it", "☑ 0/1  ◐ Looking", "Ask, or tell it")
        for text in ("one", "two"):
            await window.engine.handle(SubmitPrompt(text=text))
        await window.until_shows("next step: one … 1 more")
        assert "asks before changes" in window.lines[-1]
        gate.set()
        await window.settle()


# Title and calls


def written(window: Window) -> list[str]:
    """What went to the terminal past the screen, from now on."""
    pieces: list[str] = []
    driver = window.app._driver  # pyright: ignore[reportPrivateUsage]
    assert driver is not None
    setattr(driver, "write", pieces.append)  # noqa: B010  a method of this one driver
    return pieces


async def test_the_title_follows_and_a_waiting_question_calls(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.signals.UNANSWERED_S", 0.001)
    async with opener([Reply([TOUCH]), Reply([say("Done.")])]) as window:
        pieces = written(window)
        await window.prompt("go")
        await window.asked()
        assert [piece for piece in pieces if "needs you" in piece] == ["\x1b]0;agent-tui: work · needs you\x07"]
        await window.until(lambda: window.app._signals._waiting is not None)  # pyright: ignore[reportPrivateUsage]
        window.app._signals._call_for_answer()  # pyright: ignore[reportPrivateUsage]  its time has come
        assert "\x07" not in pieces, "who looks at it is not called"
        await window.press("n")
        await window.settle()
        assert pieces[-1] == "\x1b]0;agent-tui: work · done\x07"
        assert not any("touch" in piece for piece in pieces), "nothing of a model is in a title"


@pytest.mark.parametrize(("seconds", "calls"), [(LONG_TURN_S + 1, 1), (LONG_TURN_S - 1, 0)])
async def test_the_end_of_a_long_turn_calls_who_looks_elsewhere(opener: Opener, seconds: float, calls: int) -> None:
    gate = asyncio.Event()
    async with opener(working(gate)) as window:
        await window.prompt("go")
        await window.until_shows("Working")
        pieces = written(window)
        window.app.app_focus = False
        window.clock.now += seconds
        gate.set()
        await window.settle()
        assert pieces.count("\x07") == calls


def test_each_terminal_is_called_in_its_way() -> None:
    assert channel({"TERM_PROGRAM": "iTerm.app"}) == "osc9"
    assert channel({"TERM": "xterm-kitty"}) == "osc99"
    assert channel({"TERM": "foot"}) == "osc777"
    assert channel({"TERM": "xterm-256color"}) == "bell"
    assert notification("done", {"TERM": "foot"}, "auto") == "\x1b]777;notify;agent-tui;done\x07"
    assert notification("done", {"TERM": "foot"}, "bell") == "\x07"
    assert notification("done", {"TERM": "foot"}, "off") == ""
    inside = notification("done", {"TERM": "tmux-256color", "TMUX": "x", "LC_TERMINAL": "iTerm2"}, "auto")
    assert inside == "\x1bPtmux;\x1b\x1b]9;agent-tui: done\x07\x1b\\\x07"
