"""What a selection copies: the text that was drawn, without what the drawing added."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol.views import FileDiff, ToolDisplay
from tests.unit.test_rendering_line import spans
from tui.rendering.copying import plain_text
from tui.rendering.line import Line, cell_len, line_width, plain, wrap
from tui.rendering.markdown import render_markdown
from tui.rendering.palette import Palette
from tui.widgets.transcript.blocks import Block, NoticeBlock, PromptBlock, TextBlock
from tui.widgets.transcript.tool_block import ToolBlock


def whole(lines: list[Line]) -> str:
    return plain_text([(line, 0, line_width(line)) for line in lines])


def copied(source: str, width: int = 20) -> str:
    return whole(render_markdown(source, width))


def normal(text: str) -> str:
    """Rows without blanks at their ends; a run of blanks is one, as a line break may have swallowed any of them."""
    return "\n".join(re.sub(" +", " ", row).strip() for row in text.split("\n"))


@given(spans, st.integers(2, 30))
@settings(max_examples=200, deadline=None)
def test_wrapped_text_is_copied_as_it_was(row: Line, width: int) -> None:
    text = plain(row).replace("\u2028", "").replace("\r", "")
    row = tuple((part.replace("\u2028", "").replace("\r", ""), style) for part, style in row)
    first: Line = (("> ", "mark decor"),)
    for lines in (wrap(row, width), wrap(row, width, first_prefix=first, rest_prefix=first)):
        assert normal(whole(lines)) == normal(text)
    exact = whole(wrap(row, width, first_prefix=first, rest_prefix=first, words=False))
    assert exact == "\n".join(part.rstrip() for part in text.split("\n"))


def test_prose_is_copied_without_its_breaks() -> None:
    text = "Some words that take several rows, and averyverylongwordthatiscut apart.\n\nNext."
    assert copied(text) == text
    assert copied("https://example.org/a/very/long/path/to/copy") == "https://example.org/a/very/long/path/to/copy"


def test_code_is_copied_to_the_letter() -> None:
    code = "def f(x):\n    return [y for y in range(x) if y]\n\n\nclass A:\n        pass"
    for around in ("```py\n{}\n```", "```\n{}\n```"):
        assert copied(around.format(code)) == code
    inside = code.replace("\n", "\n  ").replace("  \n", "\n")
    assert whole(render_markdown(f"- ```py\n  {inside}\n  ```", 24)[1:]).lstrip("- ") == code
    assert whole(render_markdown(f"> ```py\n> {code.replace(chr(10), chr(10) + '> ')}\n> ```", 24)) == code


def test_lists_are_copied_as_markdown() -> None:
    source = (
        "- one two three four five\n  - inner words that wrap as well\n- [ ] open\n- [x] done\n\n1. first\n2. second"
    )
    assert copied(source) == source
    assert copied("- one\n\n  two words that wrap here") == "- one\n\ntwo words that wrap here"


def test_quotes_rules_and_headings_are_copied_plain() -> None:
    assert copied("# Title\n\n> some words that wrap in here\n>\n> more\n\n---") == (
        "Title\n\nsome words that wrap in here\n\nmore\n\n---"
    )


def test_tables_are_copied_by_cells() -> None:
    source = "| name | text |\n|---|---|\n| one | some words that are long |\n| two | short |"
    wanted = "name | text\none | some words that are long\ntwo | short"
    assert copied(source, 60) == wanted
    assert copied(source, 26) == wanted
    assert copied(source, 15) == "name: one\ntext: some words that are long\n\nname: two\ntext: short"


def block_text(block: Block, width: int = 30) -> str:
    return whole(block.lines(width))


def test_prompts_and_notices_are_copied_without_margins() -> None:
    prompt = "please look at the file and\n\n    keep this"
    assert block_text(PromptBlock("p", prompt), 20) == prompt
    assert block_text(NoticeBlock("n", "warning", "It is rather late now", "Go home."), 14) == (
        "It is rather late now Go home."
    )
    text = TextBlock("t")
    text.finish("Words that go on and on and on", interrupted=True)
    assert block_text(text, 16) == "Words that go on and on and on"


def bash(output: str) -> ToolBlock:
    block = ToolBlock("c", "Bash", "/w")
    block.set_input({"command": "cat some/file | sort --reverse"})
    block.finish(output, ToolDisplay(summary="ok"), 0, is_error=False, todos=())
    return block


def test_a_command_and_its_output_are_copied() -> None:
    output = "\n".join(f"{number} some line of output, quite long" for number in range(9))
    block = bash(output)
    assert block_text(block, 60).split("\n")[1:] == output.split("\n")[:4]
    block.toggle()
    assert block_text(block).split("\n", 1)[1] == f"cat some/file | sort --reverse\n{output}"
    assert (block.code, block.output) == ("cat some/file | sort --reverse", output)


def test_a_diff_is_copied_as_its_new_text() -> None:
    old = "".join(f"line {number} of a file\n" for number in range(30))
    new = old.replace("line 15 of", "line fifteen and a few more words of")
    block = ToolBlock("c", "Edit", "/w")
    block.set_input({"file_path": "a.txt", "old_string": "line 15", "new_string": "line fifteen"})
    diff = FileDiff(path="a.txt", old=old, new=new)
    block.finish("", ToolDisplay(diff=diff), 0, is_error=False, todos=())
    assert block_text(block).split("\n")[1:] == new.split("\n")[12:19]
    assert block.code == "line fifteen"


def test_a_part_of_rows_is_copied() -> None:
    rows = render_markdown("one two three four", 9)
    assert [plain(row) for row in rows] == ["one two", "three", "four"]
    assert plain_text([(rows[0], 4, 7), (rows[1], 0, 3)]) == "two thr"
    assert plain_text([(rows[1], 2, 5)]) == "ree"
    wide: Line = (("a漢字b", "text"),)
    assert plain_text([(wide, 1, 4)]) == "漢字"[: cell_len("漢") // 2 + 1]


def test_code_of_a_text_keeps_tabs_and_loses_what_is_hostile() -> None:
    block = TextBlock("t")
    block.finish("a\n\n```make\nx:\n\techo \x1b[2J\n```\n\n- b\n  ```\n  y\n  ```\n", interrupted=False)
    assert block.code == "x:\n\techo \n\ny"
    assert "\x1b" not in bash("\x1b[201~evil\x07").output


def test_the_words_for_copying_change_no_look() -> None:
    palette = Palette({"text": "#aaaaaa", "code": "#00ff00"})
    for word in ("decor", "decor.row", "decor.divider", "decor.more", "joined", "glued", "list.indent"):
        assert palette.style(word) == palette.style("text")
        assert palette.style(f"code {word}") == palette.style("code")
