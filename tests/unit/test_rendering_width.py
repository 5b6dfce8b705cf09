"""Text of all scripts keeps the columns straight, and hostile text stays harmless on every drawn surface."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from textual.strip import Strip

from core.protocol.views import ToolDisplay
from tui.rendering.copying import plain_text
from tui.rendering.diff import diff_lines
from tui.rendering.line import Line, line_width, plain
from tui.rendering.markdown import render_markdown
from tui.rendering.palette import Palette
from tui.widgets.transcript.blocks import NoticeBlock, PromptBlock, TextBlock
from tui.widgets.transcript.tool_block import ToolBlock

PALETTE = Palette({"text": "#aaaaaa"})
SAMPLES = {
    "family": "👨\u200d👩\u200d👧\u200d👦 and 👩🏽\u200d🚀",
    "flags": "🇩🇪🇫🇷🇯 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "selectors": "☎\ufe0f 1\ufe0f\u20e3 ✔\ufe0e ❤\ufe0f",
    "marks": "e\u0301 o\u0308\u0323 Z\u0351\u036b\u0343",
    "hebrew": "שלום עולם and back",
    "arabic": "مرحبا بالعالم 123",
    "bidi": "a\u202eb\u2066c\u2069\u200f\u061cd",
    "chinese": "漢字かな交じり文。全角、半角",
    "korean": "한국어 \u1112\u1161\u11ab",
    "indic": "नमस्ते स्थिति",
    "thai": "สวัสดี ำ",
    "blanks": "a\u3000b\u00a0c\u2003d",
}
BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200c\u200e-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "terminal_cases.jsonl").read_text("utf-8").splitlines()
]


def surfaces(text: str, width: int) -> dict[str, list[Line]]:
    """A text on every surface that this package draws."""
    table = f"| a | b |\n|---|---|\n| {text.replace('|', '')} | x |\n| y | {text.replace('|', '')} |"
    tool = ToolBlock("c", f"mcp__{text}__x", "/w")
    tool.set_input({"command": text})
    tool.finish(text, ToolDisplay(summary=text), 0, is_error=False, todos=())
    tool.toggle()
    prose = TextBlock("t")
    prose.finish(f"{text}\n\n![{text}]({text})\n\n[{text}](https://e.com/{text})", interrupted=False)
    return {
        "prose": prose.lines(width),
        "table": render_markdown(table, width),
        "list": render_markdown(f"- [ ] {text}\n  > {text}", width),
        "code": render_markdown(f"```py\n{text}\n```", width),
        "prompt": PromptBlock("p", text).lines(width),
        "notice": NoticeBlock("n", "error", text).lines(width),
        "tool": tool.lines(width),
        "diff": diff_lines(f"{text}\nold", f"{text} new\nnew", path="x.py", width=width),
        "side by side": diff_lines(f"{text}\nold", f"{text} new\nnew", path="x.py", width=150),
    }


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", [11, 30, 79])
def test_every_row_is_as_wide_as_the_screen_thinks(name: str, width: int) -> None:
    for surface, lines in surfaces(SAMPLES[name], width).items():
        room = 150 if surface == "side by side" else width
        for line in lines:
            strip = Strip(PALETTE.segments(line))
            assert strip.cell_length == line_width(line) <= room
            assert sum(segment.cell_length for segment in strip) == line_width(line)
            assert not BAD.search(plain(line))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_borders_of_a_table_stand_in_one_column(name: str) -> None:
    rows = surfaces(SAMPLES[name], 60)["table"]
    assert plain(rows[0]).startswith("┌")
    assert len({line_width(row) for row in rows}) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_hostile_text_is_harmless_on_every_surface_and_in_the_clipboard(case: dict[str, str]) -> None:
    text = base64.b64decode(case["input_b64"]).decode("utf-8", "replace")[:4000]
    for lines in surfaces(text, 60).values():
        for line in lines:
            assert not BAD.search(plain(line))
        copied = plain_text([(line, 0, 200) for line in lines])
        assert not BAD.search(copied.replace("\n", ""))
