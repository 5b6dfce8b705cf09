"""The composer's keys as people of the terminal know them: kills and yanks, undo, stash, search, clearing, ghost."""

from __future__ import annotations

import pytest
from textual import events

from core.llm.scripted import Reply, say
from core.protocol.ops import Interrupt, SubmitPrompt
from tests.fakes.windows import Opener, Window
from tui.widgets.composer.history_search import HistorySearch


async def typed(window: Window, text: str) -> None:
    """Have a text in the editor, the cursor at its end."""
    window.composer.put(text)
    await window.pilot.pause()


async def test_it_grows_to_ten_lines_and_no_further(opener: Opener) -> None:
    async with opener() as window:
        for lines, height in ((1, 3), (2, 4), (10, 12), (30, 12)):
            await typed(window, "\n".join("x" for _ in range(lines)))
            assert window.composer.size.height + 2 == height or window.composer.outer_size.height == height


async def test_line_start_and_end_are_those_of_the_text_however_it_is_wrapped(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "word " * 40)
        await window.press("ctrl+a")
        assert window.composer.cursor_location == (0, 0)
        await window.press("ctrl+e")
        assert window.composer.cursor_location == (0, 200)


async def test_kills_in_a_row_are_one_entry_and_yank_brings_them_back(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "one two three")
        await window.press("ctrl+w", "ctrl+w")
        assert window.composer.text == "one "
        await window.press("ctrl+a", "ctrl+k")
        assert window.composer.text == ""
        await window.press("ctrl+y")
        assert window.composer.text == "one "
        await window.press("alt+y")
        assert window.composer.text == "two three"
        await window.press("alt+y")
        assert window.composer.text == "one "
        await window.press("x", "alt+y")
        assert window.composer.text == "one x"


async def test_words_are_moved_over_and_killed(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "alpha beta gamma")
        await window.press("alt+b", "alt+b")
        assert window.composer.cursor_location == (0, 6)
        await window.press("alt+d")
        assert window.composer.text == "alpha  gamma"
        await window.press("alt+f", "alt+backspace")
        assert window.composer.text == "alpha  "


async def test_kill_to_start_and_over_line_breaks(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "first\nsecond")
        await window.press("ctrl+u")
        assert window.composer.text == "first\n"
        await window.press("ctrl+u")
        assert window.composer.text == "first"
        await window.press("ctrl+y", "ctrl+a", "up", "ctrl+e", "ctrl+k")
        assert window.composer.text == "firstsecond"


async def test_readline_flavor_kills_back_to_a_blank(opener: Opener) -> None:
    async with opener(flags={"keybinding_flavor": "readline"}) as window:
        await typed(window, "see src/main.py")
        await window.press("ctrl+w")
        assert window.composer.text == "see "
    async with opener() as window:
        await typed(window, "see src/main.py")
        await window.press("ctrl+w")
        assert window.composer.text == "see src/main."


async def test_undo_and_redo(opener: Opener) -> None:
    async with opener() as window:
        await window.press(*"word", "ctrl+w")
        assert window.composer.text == ""
        await window.press("ctrl+underscore")
        assert window.composer.text == "word"
        await window.press("alt+underscore")
        assert window.composer.text == ""


async def test_ctrl_d_deletes_forward(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "abc")
        await window.press("ctrl+a", "ctrl+d")
        assert window.composer.text == "bc"


async def test_stash_survives_sending_another_prompt(opener: Opener) -> None:
    async with opener([Reply([say("ok")])]) as window:
        await typed(window, "for later")
        await window.press("ctrl+s")
        assert window.composer.text == ""
        await window.until_shows("brings it back")
        await window.ask("now this")
        await window.press("ctrl+s")
        assert window.composer.text == "for later"
        await window.press("ctrl+a", "ctrl+k", "ctrl+s")
        assert window.composer.text == ""
        await window.until_shows("Nothing is put aside")


async def test_history_search_narrows_down_and_inserts_without_sending(opener: Opener) -> None:
    async with opener([Reply([say(str(number))]) for number in range(4)]) as window:
        for text in ("fix the parser", "write tests\nfor the lexer", "fix the parser", "explain closures"):
            await window.ask(text)
        await typed(window, "half a thought")
        await window.press("ctrl+r")
        await window.until_shows("3 of 3")
        assert window.shows("write tests ⏎ for the lexer")
        await window.press(*"fix the", "enter")
        await window.until(lambda: window.composer.has_focus)
        assert window.composer.text == "fix the parser"
        assert not window.main.query(HistorySearch)
        assert len(window.sent(SubmitPrompt)) == 4
        await window.press("ctrl+underscore")
        assert window.composer.text == "half a thought"


async def test_history_search_moves_and_is_left_without_a_trace(opener: Opener) -> None:
    async with opener([Reply([say(str(number))]) for number in range(3)]) as window:
        for text in ("first", "second", "third"):
            await window.ask(text)
        await typed(window, "mine")
        await window.press("ctrl+r", "ctrl+r", "down", "up", "tab")
        await window.until(lambda: window.composer.has_focus)
        assert window.composer.text == "second"
        for key in ("escape", "ctrl+c"):
            await typed(window, "mine")
            await window.press("ctrl+r")
            await window.until(lambda: bool(window.main.query(HistorySearch)))
            await window.press("x", key)
            await window.until(lambda: not window.main.query(HistorySearch) and window.composer.has_focus)
            assert window.composer.text == "mine"
        assert window.sent(Interrupt) == []


async def test_search_in_an_empty_history_says_so(opener: Opener) -> None:
    async with opener() as window:
        await window.press("ctrl+r")
        await window.until_shows("No prompt was sent here yet")
        assert window.composer.has_focus


async def test_escape_twice_clears_and_up_brings_it_back(opener: Opener) -> None:
    async with opener() as window:
        await typed(window, "precious words")
        await window.press("escape")
        await window.until_shows("Esc once more clears")
        assert window.composer.text == "precious words"
        await window.press("escape")
        assert window.composer.text == ""
        await window.press("up")
        assert window.composer.text == "precious words"
        window.clock.now += 5
        await window.press("escape")
        assert window.composer.text == "precious words"


@pytest.mark.parametrize("keys", [("ctrl+c",), ("escape", "escape")])
async def test_what_was_cleared_is_in_the_history_of_the_next_run(opener: Opener, keys: tuple[str, ...]) -> None:
    async with opener() as window:
        await typed(window, "never sent")
        await window.press(*keys)
        await window.settle()
    async with opener() as window:
        assert window.composer.text == ""
        await window.press("up")
        assert window.composer.text == "never sent"


async def test_a_suggestion_is_taken_with_tab_and_gone_with_the_first_letter(opener: Opener) -> None:
    async with opener() as window:
        window.composer.suggest("run the [red]tests[/]\x1b[2J")
        await window.until_shows("run the [red]tests[/]")
        await window.press("x")
        assert not window.shows("run the")
        await window.press("backspace")
        assert window.shows("Ask, or tell it what to do")
        for key in ("tab", "right"):
            window.composer.suggest("run the tests")
            await window.press(key)
            assert window.composer.text == "run the tests" and window.composer.has_focus
            await window.press("ctrl+u")
        await window.press("tab")
        assert not window.composer.has_focus


async def burst(window: Window, *keys: str) -> None:
    """Keys that come faster than the window takes them in, as over a slow line."""
    for key in keys:
        window.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await window.pilot.pause()
    await window.pilot.pause()


async def test_keys_that_come_all_at_once_act_in_their_order(opener: Opener) -> None:
    async with opener() as window:
        await burst(window, *"abx", "backspace", *"c", "ctrl+a", *"1", "ctrl+e", *"2")
        assert window.composer.text == "1abc2"
        await burst(window, "ctrl+u", *"one two", "ctrl+w", "ctrl+w", *"x", "ctrl+y")
        assert window.composer.text == "xone two"
