"""The conversation: streamed text, thinking, tool calls in every state, folding, following."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.llm.scripted import Reply, call, say, think
from core.protocol import events as ev
from tests.fakes.gate import gate_call, install_gate
from tests.fakes.windows import WIDE, Opener, Window
from tui.widgets.transcript.blocks import TextBlock, ThinkingBlock
from tui.widgets.transcript.tool_block import ToolBlock

MARKDOWN = """\
# A heading

Some **bold** words, `code`, and a list:

- one
- two

| left | right |
|---|---|
| a | b |

```python
def answer() -> int:
    return 42
```

The end.
"""


async def test_streaming_text_shows_before_it_ends_and_equals_the_source_after(opener: Opener) -> None:
    gate = asyncio.Event()
    async with opener([Reply([say(MARKDOWN), say("Last.")], gates={1: gate})], size=WIDE) as window:
        await window.prompt("go")
        await window.until_shows("A heading", "return 42")
        assert window.engine.session.is_busy
        assert window.shows("Esc to stop")
        gate.set()
        await window.settle()
        assert [block.source for block in window.blocks(TextBlock)] == [MARKDOWN, "Last."]
        assert window.shows("A heading", "bold", "• one", "return 42", "The end.", "Last.")
        assert not window.shows("**bold**") and not window.shows("```")
        assert not window.shows("Esc to stop")


async def test_thinking_is_folded_with_its_length(opener: Opener) -> None:
    async with opener([Reply([think("Let me look at it from all sides."), say("Yes.")])]) as window:
        await window.ask("go")
        assert "Thought · 8 words ▸" in window.line("Thought")
        assert not window.shows("from all sides")
        await window.press("ctrl+o")
        assert window.shows("Let me look at it from all sides.", "▾")
        await window.press("ctrl+o")
        assert not window.shows("from all sides")


async def test_thinking_without_words_leaves_nothing(opener: Opener) -> None:
    async with opener([Reply([think(""), say("Yes.")])]) as window:
        await window.ask("go")
        assert window.blocks(ThinkingBlock) == []
        assert not window.shows("Thought")


async def test_a_tool_through_its_states(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = install_gate(monkeypatch)
    calls = [gate_call("first", safe=False), gate_call("second", safe=False), gate_call("third", safe=False, error="x")]
    async with opener([Reply(calls), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await gates.inside("first")
        await window.until_shows("◐ Gate first  running")
        assert "waiting" in window.line("○ Gate second")
        assert window.shows("Running Gate")
        gates.open("first")
        await gates.inside("second")
        await window.until_shows("● Gate first", "◐ Gate second")
        gates.open("second", "third")
        await window.settle()
        assert window.line("● Gate second")
        assert "failed" in window.line("✗ Gate third")
        assert window.shows("Gate failed unexpectedly: RuntimeError: x")
        assert [block.state for block in window.blocks(ToolBlock)] == ["done", "done", "failed"]


async def test_a_batch_is_drawn_as_one_group(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = install_gate(monkeypatch)
    calls = [gate_call(name) for name in ("north", "south", "west")]
    async with opener([Reply([*calls, gate_call("alone", safe=False)]), Reply([say("Done.")])]) as window:
        await window.prompt("go")
        await gates.inside("north", "south", "west")
        await window.until_shows("╭ 3 calls at once  3 running", "│ ◐ Gate north", "│ ◐ Gate south", "╰ ◐ Gate west")
        assert window.shows("Running 3 tools")
        rows = [index for index, row in enumerate(window.lines) if "◐ Gate" in row]
        assert rows == list(range(rows[0], rows[0] + 3))
        gates.open("north", "south", "west", "alone")
        await window.settle()
        assert window.shows("│ ● Gate north", "│ ● Gate south", "╰ ● Gate west")
        assert window.line("  ● Gate alone").startswith("   ")


async def test_a_batch_after_another_in_a_response_is_a_group_of_its_own(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = install_gate(monkeypatch)
    calls = [gate_call("a"), gate_call("b"), gate_call("write", safe=False), gate_call("c"), gate_call("d")]
    gates.open("a", "b", "write", "c", "d")
    async with opener([Reply(calls), Reply([say("Done.")])]) as window:
        await window.ask("go")
        assert window.shows("│ ● Gate a", "╰ ● Gate b", "│ ● Gate c", "╰ ● Gate d")
        assert [block.group for block in window.blocks(ToolBlock)] == ["first", "last", "", "first", "last"]


async def test_an_input_that_streams_shows_how_far_it_is(opener: Opener) -> None:
    gate = asyncio.Event()
    script = [Reply([say("a"), call("LS", "l1", path="."), say("b")], gates={2: gate}), Reply([say("Done.")])]
    async with opener(script) as window:
        await window.prompt("go")
        await window.until_shows("● LS .")
        gate.set()
        await window.settle()


async def test_results_have_a_summary_and_unfold(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\nbeta\ngamma\n")
    calls = [call("Read", "r1", file_path="notes.txt"), call("Grep", "g1", pattern="beta", output_mode="content")]
    async with opener([Reply(calls), Reply([say("Done.")])], size=WIDE) as window:
        await window.ask("go")
        assert "3 lines" in window.line("Read notes.txt")
        assert "Grep beta" in window.screen
        assert not window.shows("gamma")
        await window.press("ctrl+o")
        assert window.shows("alpha", "gamma")


async def test_the_diff_of_an_edit_is_in_the_conversation(opener: Opener) -> None:
    opener.file("code.py", "def area(r):\n    return 3 * r\n")
    edit = call("Edit", "e1", file_path="code.py", old_string="return 3 * r", new_string="return 3.14 * r * r")
    script = [Reply([call("Read", "r1", file_path="code.py")]), Reply([edit]), Reply([say("Done.")])]
    async with opener(script, size=WIDE, flags={"mode": "acceptEdits"}) as window:
        await window.ask("go")
        assert window.shows("Edit code.py")
        assert "-" in window.line("return 3 * r") and "+" in window.line("return 3.14 * r * r")


async def test_a_click_where_a_change_is_cut_shows_the_rest(opener: Opener) -> None:
    write = call("Write", "w1", file_path="rows.txt", content="".join(f"row {number}\n" for number in range(20)))
    async with opener([Reply([write]), Reply([say("Done.")])], size=WIDE, flags={"mode": "acceptEdits"}) as window:
        await window.ask("go")
        assert not window.shows("row 19")
        await window.pilot.click(offset=(10, window.row("7 more lines")))
        assert window.shows("row 19")


async def test_bash_shows_its_live_tail_and_the_exit_code(opener: Opener) -> None:
    command = "echo working; mkfifo go; read x < go; echo ended; exit 3"
    script = [Reply([call("Bash", "b1", command=command)]), Reply([say("Done.")])]
    async with opener(script, size=WIDE) as window:
        await window.prompt("go")
        await window.answer("y")
        await window.until_shows("◐ Bash", "running · 1 line")
        assert [row.strip() for row in window.lines].count("working") == 1
        await asyncio.to_thread(open_gate, window.cwd / "go")
        await window.settle()
        assert "exit 3" in window.line("✗ Bash")
        assert window.shows("ended", "[Exit code 3.]")


def open_gate(path: Path) -> None:
    path.write_text("x\n")


async def test_folding_by_click_and_by_key(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\nbeta\n")
    async with opener([Reply([call("Read", "r1", file_path="notes.txt")]), Reply([say("Done.")])]) as window:
        await window.ask("go")
        row = next(index for index, line in enumerate(window.lines) if "Read notes.txt" in line)
        await window.pilot.click(offset=(10, row))
        assert window.shows("alpha")
        await window.pilot.click(offset=(10, row))
        assert not window.shows("alpha")
        window.composer.focus()
        await window.press("shift+tab")
        window.transcript.focus()
        await window.press("end", "up", "up", "up", "k")
        while not is_on_tool(window):
            await window.press("j")
        await window.press("enter")
        assert window.shows("alpha")
        await window.press("space")
        assert not window.shows("alpha")


def is_on_tool(window: Window) -> bool:
    at = window.transcript.cursor
    return at is not None and isinstance(list(window.transcript.blocks)[at], ToolBlock)


async def test_tab_reaches_the_conversation_and_comes_back(opener: Opener) -> None:
    async with opener([Reply([say("Done.")])]) as window:
        await window.ask("go")
        await window.press("tab")
        assert window.transcript.has_focus
        await window.press("tab")
        assert window.composer.has_focus


LONG = "\n\n".join(f"paragraph {number}" for number in range(60))


async def test_scrolling_up_stops_following_and_the_pill_leads_back(opener: Opener) -> None:
    gate = asyncio.Event()
    script = [Reply([say(LONG), say("Later words."), say("The very end.")], gates={1: gate})]
    async with opener(script) as window:
        await window.prompt("go")
        await window.until_shows("paragraph 59")
        await window.press("pageup", "pageup")
        before = [row.rstrip("▁▂▃▄▅▆▇█ ") for row in window.lines[1:16]]
        assert window.shows("↓ Ctrl+End to follow") and not window.shows("paragraph 59")
        gate.set()
        await window.settle()
        assert [row.rstrip("▁▂▃▄▅▆▇█ ") for row in window.lines[1:16]] == before
        assert window.shows("new · Ctrl+End") and not window.shows("The very end.")
        await window.press("ctrl+end")
        assert window.shows("The very end.") and not window.shows("Ctrl+End")


async def test_the_pill_is_clickable_and_home_goes_to_the_beginning(opener: Opener) -> None:
    async with opener([Reply([say(LONG)])]) as window:
        await window.ask("go")
        await window.press("ctrl+home")
        assert window.shows("❯ go", "paragraph 0") and not window.shows("paragraph 59")
        row = next(index for index, line in enumerate(window.lines) if "Ctrl+End" in line)
        await window.pilot.click(offset=(40, row))
        assert window.shows("paragraph 59") and not window.shows("Ctrl+End")


async def test_scrolling_down_to_the_end_follows_again(opener: Opener) -> None:
    async with opener([Reply([say(LONG)]), Reply([say("Second answer.")])]) as window:
        await window.ask("go")
        await window.press("pageup")
        await window.press("pagedown", "pagedown")
        assert not window.shows("Ctrl+End")
        await window.ask("again")
        assert window.shows("Second answer.")


async def test_resizing_keeps_everything(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\n")
    script = [Reply([say(MARKDOWN), call("Read", "r1", file_path="notes.txt")]), Reply([say("Done.")])]
    async with opener(script, size=WIDE) as window:
        await window.ask("go")
        before = window.screen
        await window.resize(60, 20)
        assert all(len(row) <= 60 for row in window.lines)
        assert window.shows("Done.", "agent-tui", "asks before changes", "Ask, or tell it")
        await window.press("h", "i")
        assert window.shows("hi")
        await window.press("backspace", "backspace")
        await window.resize(*WIDE)
        assert window.screen == before


async def test_a_resumed_session_shows_what_was(opener: Opener) -> None:
    opener.file("notes.txt", "alpha\n")
    script = [
        Reply([think("Hm."), say("I **read** it."), call("Read", "r1", file_path="notes.txt")]),
        Reply([say("Done.")]),
    ]
    async with opener(script, size=WIDE) as window:
        await window.ask("read the notes")
        first = [block.source for block in window.transcript.blocks]
        cost = window.lines[-1].rpartition("·")[2]
    async with opener([Reply([say("Going on.")])], size=WIDE, selection={"resume": "latest"}) as window:
        assert window.shows("❯ read the notes", "I read it.", "● Read notes.txt", "Done.", "Taken up")
        assert "1 line" in window.line("Read notes.txt")
        kept = [block.source for block in window.transcript.blocks]
        assert [text for text in first if text in ("Hm.", "I **read** it.", "Done.", "read the notes")] == [
            text for text in kept if text in ("Hm.", "I **read** it.", "Done.", "read the notes")
        ]
        assert window.lines[-1].rpartition("·")[2] == cost
        await window.ask("go on")
        assert window.shows("Going on.")
        assert not window.events(ev.FaultOccurred)
