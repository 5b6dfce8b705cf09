"""The blocks of a conversation: lines from a row on, and what is kept of a finished text."""

from __future__ import annotations

import pytest

from tui.rendering.line import plain
from tui.widgets.transcript.blocks import Block, NoticeBlock, PromptBlock, TextBlock, ThinkingBlock
from tui.widgets.transcript.shell_block import ShellBlock
from tui.widgets.transcript.tool_block import ToolBlock

PROSE = "# Title\n\nSome words.\n\n- one\n- two\n\n```py\nx = 1\n```\n\nThe end"


def finished(text: str = PROSE, *, interrupted: bool = False) -> TextBlock:
    block = TextBlock("b")
    block.feed(text[:20])
    block.feed(text[20:])
    block.finish(text, interrupted=interrupted)
    return block


@pytest.mark.parametrize(
    "block",
    [
        finished(),
        finished(interrupted=True),
        PromptBlock("p", "one\ntwo"),
        ThinkingBlock("t"),
        NoticeBlock("n", "error", "bad"),
        ToolBlock("c", "Bash", "/"),
    ],
)
def test_lines_from_a_row_are_the_rest_of_all_lines(block: Block) -> None:
    lines = block.lines(30)
    for start in range(len(lines) + 2):
        assert block.lines_from(30, start) == lines[start:]


def test_a_text_that_arrives_gives_its_end() -> None:
    block = TextBlock("b")
    for count in range(len(PROSE)):
        block.feed(PROSE[count])
        stable = block.stable_lines(40)
        assert block.lines_from(40, stable) == block.lines(40)[stable:]


def test_a_released_text_is_drawn_again() -> None:
    block = finished()
    before = block.lines(40)
    block.release()
    assert (block.lines(40), block.source) == (before, PROSE)
    assert block.stable_lines(40) == len(before)
    assert block.lines(8) != before


def test_an_open_text_is_not_released() -> None:
    block = TextBlock("b")
    block.feed("one")
    block.release()
    block.feed(" two")
    assert plain(block.lines(40)[0]) == "  one two"


def test_blocks_have_no_dictionary() -> None:
    assert not any(
        hasattr(block, "__dict__") for block in (finished(), PromptBlock("p", "x"), ToolBlock("c", "A", "/"))
    )


def test_a_running_shell_line_is_not_said_twice() -> None:
    block = ShellBlock("s1", "sleep 9", "/home/ada")
    block.progress("still asleep", 1)
    block.folded = False
    assert [plain(line) for line in block.lines(60)] == ["! sleep 9  running · 1 line", "  still asleep"]
    long = ShellBlock("s2", "echo " + "x" * 80, "/home/ada")
    long.folded = False
    assert sum(plain(line).count("x") for line in long.lines(60)[1:]) == 80
