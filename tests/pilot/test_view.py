"""Reading in the conversation: selecting and copying, searching, jumping, reading with everything unfolded."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp

from core.llm.scripted import Reply, call, say, think
from tests.fakes.windows import WIDE, Opener, Window
from tui.widgets.transcript.blocks import NoticeBlock, TextBlock

CODE = """\
def answer(question: str) -> int:
    if question:
        return 42

    return 0"""
PROSE = (
    "A paragraph with **bold** words that is so long that it has to be wrapped into more than one row of the screen, "
    "wherever the window ends, and then goes on for a while."
)
ANSWER = f"{PROSE}\n\n```python\n{CODE}\n```\n\n- one\n- two\n\nThe end."


@pytest.fixture
def clipboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clipboard tool that writes what it is given to a file."""
    tools = tmp_path / "tools"
    tools.mkdir()
    copied = tmp_path / "copied"
    tool = tools / "wl-copy"
    tool.write_text(f"#!/bin/sh\ncat > '{copied}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")
    for name in ("SSH_CONNECTION", "SSH_TTY", "TMUX", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return copied


async def copied(window: Window, clipboard: Path) -> str:
    await window.until(lambda: clipboard.exists() and window.shows("Copied"))
    return clipboard.read_text()


async def test_a_drag_over_code_copies_the_code_and_nothing_else(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        await window.ask("go")
        top, bottom = window.row("def answer"), window.row("return 0")
        await window.drag((0, top), (78, bottom))
        assert await copied(window, clipboard) == CODE
        assert window.shows("Copied 5 lines (wl-copy)")
        assert window.composer.has_focus


async def test_a_drag_over_wrapped_prose_copies_it_in_one_line(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        await window.ask("go")
        await window.drag((0, window.row("A paragraph")), (78, window.row("for a while.")))
        assert await copied(window, clipboard) == PROSE.replace("**", "")


async def test_a_drag_over_the_whole_answer_copies_its_markdown(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say(ANSWER)])], size=WIDE) as window:
        await window.ask("the question")
        await window.drag((0, window.row("❯ the question")), (78, window.row("The end.")))
        assert await copied(window, clipboard) == f"the question\n\n{ANSWER}"


async def test_a_drag_backwards_is_a_drag(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        await window.ask("go")
        row = window.row("def answer")
        start = window.line("def answer").index("answer")
        await window.drag((start + 5, row), (start, row))
        assert await copied(window, clipboard) == "answer"


async def test_a_double_click_takes_the_word_and_a_third_the_row(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say("See src/main.py:12 there.")])]) as window:
        await window.ask("go")
        place = (window.line("See src").index("main"), window.row("See src"))
        await window.pilot.click(offset=place, times=2)
        assert await copied(window, clipboard) == "src/main.py:12"
        clipboard.unlink()
        await window.pilot.click(offset=place, times=3)
        await window.until(lambda: clipboard.exists() and clipboard.read_text() == "See src/main.py:12 there.")


async def test_keys_copy_a_block_its_code_and_its_output(opener: Opener, clipboard: Path) -> None:
    opener.file("notes.txt", "alpha\nbeta\n")
    script = [Reply([call("Bash", "b1", command="cat notes.txt")]), Reply([say(ANSWER)])]
    async with opener(script) as window:
        await window.ask("go")
        await window.press("tab", "up", "up")
        for key, text in (("y", ANSWER), ("c", CODE)):
            clipboard.unlink(missing_ok=True)
            await window.press(key)
            await window.until(lambda text=text: clipboard.exists() and clipboard.read_text() == text)
        await window.press("up")
        for key, text in (("c", "cat notes.txt"), ("o", "alpha\nbeta")):
            clipboard.unlink(missing_ok=True)
            await window.press(key)
            await window.until(lambda text=text: clipboard.exists() and clipboard.read_text().strip() == text)


async def test_without_a_tool_the_terminal_takes_it_else_a_file(
    opener: Opener, clipboard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setenv("TERM", "xterm-256color")
    async with opener([Reply([say("word")])]) as window:
        await window.ask("go")
        await window.press("tab", "up", "up", "y")
        await window.until_shows("Copied block (through the terminal)")
        monkeypatch.setenv("TERM", "dumb")
        await window.press("y")
        await window.until(lambda: "this terminal has no clipboard" in " ".join(window.screen.split()))
        saved = next(window.home.rglob("copied.txt"))
        assert saved.read_text() == "word"
        assert saved.stat().st_mode & 0o077 == 0


async def test_a_selection_stays_where_it_is_while_more_comes(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say(ANSWER)]), Reply([say(f"More. {PROSE}")])]) as window:
        await window.ask("go")
        row = window.row("return 42")
        await window.drag((0, row), (78, row))
        await window.ask("again")
        assert window.transcript.selected == "return 42" or window.transcript.selected == "        return 42"


async def test_search_goes_from_hit_to_hit_and_unfolds_what_hides_them(opener: Opener) -> None:
    opener.file("notes.txt", "\n".join(f"line {number}" for number in range(40)) + "\nneedle in the file\n")
    script = [
        Reply([say("A Needle first.\n\n" + "filler\n\n" * 40), call("Read", "r1", file_path="notes.txt")]),
        Reply([say("The last needle.")]),
    ]
    async with opener(script) as window:
        await window.ask("go")
        await window.press("ctrl+home", "ctrl+f", *"needle")
        assert window.shows("A Needle first.", "1 of 3")
        await window.press("enter", "n")
        assert window.shows("needle in the file", "2 of 3")
        await window.press("n")
        assert window.shows("The last needle.", "3 of 3")
        await window.press("n")
        assert window.shows("A Needle first.", "1 of 3")
        await window.press("N")
        assert window.shows("The last needle.", "3 of 3")
        await window.press("escape", "escape")
        assert window.composer.has_focus and not window.shows("of 3")


async def test_a_search_for_nothing_says_so(opener: Opener) -> None:
    async with opener([Reply([say("words")])]) as window:
        await window.ask("go")
        await window.press("ctrl+f", *"nowhere")
        assert window.shows("not found")
        await window.press("escape")
        assert window.composer.has_focus


async def test_a_large_letter_makes_the_search_exact(opener: Opener) -> None:
    async with opener([Reply([say("Apple and apple.")])]) as window:
        await window.ask("go")
        await window.press("ctrl+f", *"apple")
        assert window.shows("1 of 2")
        await window.press("backspace", "backspace", "backspace", "backspace", "backspace", *"Apple")
        assert window.shows("1 of 1")


async def test_reading_unfolds_everything_and_leaves_it_as_it_was(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\n")
    script = [
        Reply([think("From all sides."), call("Read", "r1", file_path="notes.txt")]),
        Reply([say("Done.")]),
    ]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        await window.pilot.click(offset=(10, window.row("Read notes.txt")))
        before = window.lines[:-5]
        assert window.shows("alpha") and not window.shows("From all sides.")
        await window.press("ctrl+o")
        assert window.shows("alpha", "From all sides.", "Reading") and not window.shows("Ask, or tell it")
        await window.press("q")
        assert window.lines[:-5] == before
        await window.press("h", "i")
        assert window.composer.text == "hi"


async def test_keys_jump_from_prompt_to_prompt(opener: Opener) -> None:
    script = [Reply([say("filler\n\n" * 30)]) for _ in range(3)]
    async with opener(script) as window:
        for name in ("first", "second", "third"):
            await window.ask(f"the {name} question")
        await window.press("tab", "{", "{")
        assert "the second question" in window.lines[2] and not window.shows("the third question")
        await window.press("{")
        assert "the first question" in "\n".join(window.lines[1:4])
        await window.press("}", "}")
        assert window.shows("the third question")


async def test_unfolding_while_the_end_is_followed_keeps_the_head_in_place(opener: Opener) -> None:
    opener.file("notes.txt", "\n".join(f"line {number}" for number in range(60)))
    async with opener([Reply([call("Read", "r1", file_path="notes.txt")]), Reply([say("Done.")])]) as window:
        await window.ask("go")
        row = window.row("Read notes.txt")
        await window.pilot.click(offset=(10, row))
        assert window.row("Read notes.txt") == row and window.shows("line 3")
        await window.pilot.click(offset=(10, row))
        assert window.shows("Done.") and not window.shows("line 3")


async def test_a_wide_answer_is_laid_out_anew_only_where_one_looks(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 60)]) for _ in range(12)]) as window:
        for _ in range(12):
            await window.ask("go")
        await window.resize(60, 20)
        plan = window.transcript.plan
        fresh = [entry for entry in plan if isinstance(entry.block, TextBlock) and entry.width == plan.width]
        assert 1 <= len(fresh) < 4


async def test_a_prompt_leads_back_to_the_end(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 40)]), Reply([say("Second answer.")])]) as window:
        await window.ask("go")
        await window.press("ctrl+home")
        assert not window.transcript.viewport.following
        await window.ask("again")
        assert window.shows("❯ again", "Second answer.") and not window.shows("Ctrl+End")


async def press_at(window: Window, kind: type[MouseEvent], place: tuple[int, int], button: int = 1) -> None:
    """One event of the mouse at one cell."""
    await window.pilot._post_mouse_events([kind], offset=place, button=button)  # pyright: ignore[reportPrivateUsage]
    await window.pilot.pause()


async def test_a_block_that_goes_takes_nothing_else_with_it(opener: Opener) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        view = window.transcript
        first = NoticeBlock("first", "info", "a notice")
        view.append(first)
        await window.ask("go")
        await window.press("tab", "up", "up")
        await window.drag((0, window.row("return 42")), (78, window.row("return 42")))
        await window.press("ctrl+f", *"two", "enter")
        last = NoticeBlock("last", "info", "gone at once")
        view.append(last)
        view.scroll_edge(1)
        await window.pilot.hover(offset=(3, window.row("gone at once")))
        cursor, view.cursor = len(view.plan) - 2, len(view.plan) - 2
        view.drop(last)
        view.show_position()
        assert view.cursor == cursor and view.selected.strip() == "return 42"
        block = view.plan[cursor].block
        view.drop(first)
        view.flush()
        assert view.plan[view.cursor].block is block
        assert view.selected.strip() == "return 42" and not window.shows("a notice")
        await window.press("n")
        assert window.shows("1 of 1")


async def test_a_selection_ends_with_its_block(opener: Opener) -> None:
    async with opener([]) as window:
        view = window.transcript
        block = NoticeBlock("n1", "info", "a notice")
        view.append(block)
        view.flush()
        await window.drag((0, window.row("a notice")), (78, window.row("a notice")))
        assert view.selected == "a notice"
        view.drop(block)
        view.flush()
        assert view.selection is None and not window.shows("a notice")


async def test_a_drag_that_ends_on_the_way_down_selects_and_stays(opener: Opener, clipboard: Path) -> None:
    async with opener([Reply([say("filler\n\n" * 40)])]) as window:
        await window.ask("go")
        await window.press("ctrl+home")
        pill = window.row("Ctrl+End")
        await window.drag((4, 3), (4, pill))
        assert not window.transcript.viewport.following
        await copied(window, clipboard)
        await window.pilot.click(offset=(40, pill))
        assert window.transcript.viewport.following


async def test_another_screen_ends_a_drag(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 40)])]) as window:
        await window.ask("go")
        await press_at(window, MouseDown, (4, 8))
        await press_at(window, MouseMove, (4, 6))
        await press_at(window, MouseMove, (4, 0))
        assert window.transcript.is_edge_scrolling
        await window.press("f1")
        assert window.app.mouse_captured is None and not window.transcript.is_edge_scrolling


async def test_a_release_that_nobody_told_of_ends_a_drag(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 40)])]) as window:
        await window.ask("go")
        await press_at(window, MouseDown, (4, 8))
        await press_at(window, MouseMove, (4, 6))
        await press_at(window, MouseMove, (4, 0))
        await press_at(window, MouseMove, (4, 9), button=0)
        assert window.app.mouse_captured is None and not window.transcript.is_edge_scrolling


async def test_scrolling_at_the_edge_ends_at_the_end(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 20)])]) as window:
        await window.ask("go")
        await press_at(window, MouseDown, (4, 8))
        await press_at(window, MouseMove, (4, 6))
        await press_at(window, MouseMove, (4, 0))
        await window.until(lambda: window.transcript.viewport.top == (0, 0))
        await window.until(lambda: not window.transcript.is_edge_scrolling)
        await press_at(window, MouseUp, (4, 0))


async def test_another_width_ends_a_selection(opener: Opener) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        await window.ask("go")
        await window.drag((0, window.row("return 42")), (78, window.row("return 42")))
        await window.resize(60, 24)
        assert window.transcript.selection is None


async def test_the_same_search_can_be_asked_for_again(opener: Opener) -> None:
    async with opener([Reply([say("words and words")])]) as window:
        await window.ask("go")
        for _ in range(2):
            window.main.action_search("words")
            await window.pilot.pause()
            assert window.shows("1 of 2")
            await window.press("escape")


async def test_a_search_finds_what_a_call_is_about(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\n")
    async with opener([Reply([call("Read", "r1", file_path="notes.txt")]), Reply([say("Done.")])]) as window:
        await window.ask("go")
        await window.press("ctrl+f", *"notes.txt")
        assert window.shows("1 of 1")


async def test_two_hits_in_one_row_are_counted_apart_at_its_end(opener: Opener) -> None:
    async with opener([Reply([say("one word and a word\n\nthen a word")])]) as window:
        await window.ask("go")
        await window.press("ctrl+f", *"word", "enter")
        seen = [window.shows("1 of 3")]
        for number in ("3 of 3", "1 of 3"):
            await window.press("n")
            seen.append(window.shows(number))
        assert all(seen)


async def test_the_end_of_a_search_leaves_no_word_of_it(opener: Opener) -> None:
    async with opener([Reply([say("words")])]) as window:
        await window.ask("go")
        await window.press("ctrl+f", *"words", "enter", "escape")
        assert not window.shows("not found")


async def test_the_block_under_the_cursor_is_not_under_the_way_down(opener: Opener) -> None:
    async with opener([]) as window:
        view = window.transcript
        for number in range(60):
            view.append(NoticeBlock(f"n{number}", "info", f"notice {number}."))
        view.flush()
        await window.press("tab", "ctrl+home")
        view.cursor = 0
        for number in range(30):
            await window.press("down")
            assert view.cursor is not None
            assert window.shows(view.plan[view.cursor].block.source), number


async def test_prompts_are_jumped_to_from_where_one_reads(opener: Opener) -> None:
    async with opener([Reply([say("filler\n\n" * 30)]) for _ in range(3)]) as window:
        for name in ("first", "second", "third"):
            await window.ask(f"the {name} question")
        await window.press("tab", "{", "{", "{")
        window.transcript.scroll_edge(1)
        await window.press("{")
        assert "the third question" in "\n".join(window.lines[1:4])


async def test_a_tiny_window_is_survived(opener: Opener) -> None:
    async with opener([Reply([say(ANSWER)])]) as window:
        await window.ask("go")
        await window.press("ctrl+home")
        for size in ((10, 3), (1, 1), (3, 24), (80, 2), (80, 24)):
            await window.resize(*size)
            await window.press("ctrl+f", "a", "escape")
            await window.drag((0, 0), (size[0] - 1, size[1] - 1))
        assert window.shows("go")


async def test_what_is_folded_away_is_not_selected_with_what_is_around_it(opener: Opener) -> None:
    opener.file("notes.txt", "\n".join(f"line {number}" for number in range(60)))
    script = [Reply([say("Before."), call("Read", "r1", file_path="notes.txt")]), Reply([say("After.")])]
    async with opener(script) as window:
        await window.ask("go")
        await window.drag((0, window.row("Before.")), (78, window.row("After.")))
        assert "line 3" not in window.transcript.selected
        assert all(text in window.transcript.selected for text in ("Before.", "Read notes.txt", "After."))
