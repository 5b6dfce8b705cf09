"""vi's keys in the composer, where the setting wants them."""

from __future__ import annotations

from core.llm.scripted import Reply, say
from core.protocol.ops import Interrupt, SubmitPrompt
from tests.fakes.windows import Opener

LONG = "\n".join(f"row {number}" for number in range(120))


async def test_modes_are_shown_and_enter_sends_in_normal_mode(opener: Opener) -> None:
    async with opener([Reply([say("ok")])], flags={"vim": True}) as window:
        assert window.shows("─ INSERT ─")
        await window.press(*"fix teh bug", "escape")
        assert window.shows("─ NORMAL ─")
        assert window.sent(Interrupt) == []
        await window.press("b", "b", *"cwthe", "escape", *"xu")
        assert window.composer.text == "fix the bug"
        await window.press("d", "d", "u", "ctrl+r")
        assert window.composer.text == ""
        await window.press("u", "enter")
        await window.settle()
        assert window.sent(SubmitPrompt) == [SubmitPrompt(text="fix the bug")]
        assert window.composer.text == "" and window.shows("─ INSERT ─")


async def test_a_chip_goes_as_a_whole(opener: Opener) -> None:
    async with opener(flags={"vim": True}) as window:
        await window.press("a")
        await window.paste(LONG)
        await window.press("b", "escape", *"0lx")
        assert window.composer.text == "ab"
        await window.press("u")
        assert window.composer.text == "a[Pasted text #1 +120 lines]b"
        await window.press(*"0llx")
        assert window.composer.text == "a[Pasted text #1 +120 lines]"


async def test_without_the_setting_letters_are_letters(opener: Opener) -> None:
    async with opener() as window:
        await window.press(*"dd", "escape", *"x")
        assert window.composer.text == "ddx"
        assert not window.shows("INSERT")
