"""The input: what is typed, pasted, recalled, sent and queued."""

from __future__ import annotations

import asyncio

from core.llm.scripted import Reply, call, say
from core.protocol.ops import EditQueued, SubmitPrompt, WarmUp
from tests.fakes.windows import Opener
from tui.widgets.queue_lane import QueueLane
from tui.widgets.transcript.blocks import PromptBlock


async def test_typing_and_enter_sends(opener: Opener) -> None:
    async with opener([Reply([say("Hello back.")])]) as window:
        assert window.composer.has_focus
        await window.press("h", "i")
        assert window.composer.text == "hi"
        assert window.sent(WarmUp) == [WarmUp()]
        await window.press("enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == [SubmitPrompt(text="hi")]
        assert window.composer.text == ""
        assert window.line("❯ hi")
        assert window.shows("Hello back.")


async def test_the_cursor_stands_still(opener: Opener) -> None:
    """A blinking one writes to the terminal twice a second as long as the window is open."""
    async with opener() as window:
        assert window.composer.has_focus and not window.composer.cursor_blink


async def test_blank_input_is_not_sent(opener: Opener) -> None:
    async with opener() as window:
        await window.press("space", "enter", "enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == []


async def test_new_lines_in_four_ways(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await window.press("a", "ctrl+j", "b", "backslash", "enter", "c", "alt+enter", "d", "shift+enter", "e")
        assert window.composer.text == "a\nb\nc\nd\ne"
        assert window.sent(SubmitPrompt) == []
        await window.press("enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == [SubmitPrompt(text="a\nb\nc\nd\ne")]
        assert [source.source for source in window.blocks(PromptBlock)] == ["a\nb\nc\nd\ne"]


async def test_a_long_paste_keeps_every_line_and_the_window_its_shape(opener: Opener) -> None:
    text = "\r\n".join(f"line {number}" for number in range(200))
    async with opener([Reply([say("Got it.")])]) as window:
        await window.paste(text)
        assert window.composer.text == "[Pasted text #1 +200 lines]"
        await window.paste(text)
        assert window.composer.text == text.replace("\r\n", "\n")
        assert window.composer.size.height <= 12
        assert window.transcript.size.height >= 5
        assert window.shows("line 199", "agent-tui")
        await window.press("enter")
        await window.settle()
        assert window.sent(SubmitPrompt)[0].text == text.replace("\r\n", "\n")
        assert window.shows("more lines", "Got it.")


async def test_a_hostile_paste_is_plain_text(opener: Opener) -> None:
    text = "A\x1b[2J\x1b[H\x07B \x1b]0;owned\x07[red]x[/red] [@click=app.quit]q[/] \u202eC"
    async with opener([Reply([say("ok")])]) as window:
        await window.paste(text)
        assert window.shows("[red]x[/red]", "[@click=app.quit]q[/]")
        await window.press("enter")
        await window.settle()
        sent = window.sent(SubmitPrompt)[0].text
        assert "\x1b" not in sent and "\x07" not in sent and "\u202e" not in sent
        assert window.shows("[red]x[/red]", "[@click=app.quit]q[/]")


async def test_history_goes_up_and_comes_back_to_the_draft(opener: Opener) -> None:
    async with opener([Reply([say("1")]), Reply([say("2")])]) as window:
        await window.ask("first")
        await window.ask("second")
        await window.press(*"new")
        await window.press("up")
        assert window.composer.text == "second"
        await window.press("up")
        assert window.composer.text == "first"
        await window.press("up")
        assert window.composer.text == "first"
        await window.press("down", "down")
        assert window.composer.text == "new"
        await window.press("down")
        assert window.composer.text == "new"


async def test_up_moves_in_the_text_before_it_recalls(opener: Opener) -> None:
    async with opener([Reply([say("1")])]) as window:
        await window.ask("earlier")
        await window.press("a", "ctrl+j", "b", "up")
        assert window.composer.text == "a\nb"
        await window.press("x", "up")
        assert window.composer.text == "earlier"


async def test_history_is_there_in_the_next_session_of_the_folder(opener: Opener) -> None:
    async with opener([Reply([say("1")])]) as window:
        await window.ask("two\nlines")
    async with opener() as window:
        await window.press("up")
        assert window.composer.text == "two\nlines"


async def test_messages_queue_while_it_works(opener: Opener) -> None:
    gate = asyncio.Event()
    script = [Reply([say("Working."), call("LS", "l1", path=".")], gates={1: gate}), Reply([say("Both seen.")])]
    async with opener(script) as window:
        await window.prompt("go")
        await window.until_shows("Working.")
        lane = window.main.query_one(QueueLane)
        assert not lane.display
        await window.prompt("also this")
        await window.prompt("and that")
        await window.until_shows("next step: also this", "next step: and that")
        assert window.blocks(PromptBlock)[-1].source == "go"
        gate.set()
        await window.settle()
        assert not lane.display
        assert [block.source for block in window.blocks(PromptBlock)] == ["go", "also this", "and that"]
        assert window.shows("Both seen.")


async def test_up_takes_what_is_queued_back(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say("Working."), say("Done.")], gates={1: gate})]) as window:
        await window.prompt("go")
        await window.until_shows("Working.")
        await window.prompt("one")
        await window.prompt("two")
        await window.until_shows("next step: one", "next step: two")
        await window.press("up")
        await window.until(lambda: not window.main.query_one(QueueLane).display)
        assert window.composer.text == "one\ntwo"
        assert [op.text for op in window.sent(EditQueued)] == ["", ""]
        gate.set()
        await window.settle()
        assert [block.source for block in window.blocks(PromptBlock)] == ["go"]
        assert len(window.requests) == 1


async def test_typing_before_the_engine_runs_is_not_lost(opener: Opener) -> None:
    async with opener([Reply([say("Early bird.")])], is_started=False) as window:
        await window.press("h", "i", "enter")
        await window.until_shows("Early bird.")
        assert window.line("❯ hi")


async def test_the_prompt_of_the_command_line_is_sent(opener: Opener) -> None:
    async with opener([Reply([say("At once.")])], first_prompt="from the shell") as window:
        await window.until_shows("❯ from the shell", "At once.")
