"""Reading in the conversation: selecting and copying, searching, jumping, reading with everything unfolded."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say, think
from tests.fakes.windows import WIDE, Opener, Window
from tui.widgets.transcript.blocks import TextBlock

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
        await window.until_shows("this terminal has no clipboard")
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
    async with opener([Reply([say("filler\n\n" * 10)]) for _ in range(12)]) as window:
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
