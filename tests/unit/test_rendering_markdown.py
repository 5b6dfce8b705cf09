"""Laws and examples of Markdown rendering, whole and streamed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.rendering.line import Line, line_width, plain
from tui.rendering.markdown import MarkdownStream, render_markdown
from tui.rendering.sanitize import clean

FRAGMENTS = (
    "word", "two words", " ", "  ", "    ", "\t", "\n", "\n", "\n\n", "- ", "* ", "1. ", "10) ", "> ",
    "# ", "## ", "===", "---", "***", "```", "```py\n", "~~~~", "`", "``", "*", "**", "_", "~~", "|",
    "a | b", "|---|:-:|", "--- | ---", "[ ] ", "[x](http://e.com)", "[ref]: /url", "![i](j)", "<b>",
    "<http://a.b>", "&amp;", "&#x1b;", "&#8238;", "\\", "\\\n", "  \n", "def f(x):\n", '"""', "/* ",
    "\x1b[31m", "\x1b]0;t", "\x07", "\r\n", "\r", "漢字", "👩\u200d💻", "e\u0301", "\u202e", "x" * 40,
)  # fmt: skip

fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
code_lines = st.lists(
    st.sampled_from(["", "    x = 1", "def f():", '"""', "/*", "*/", "```", "- ```", "text", "~~~", "  ```", "\u202e"]),
    max_size=90,
)
codes = st.tuples(
    st.sampled_from(["", "> q\n\n", "p\n", "- l\n"]), st.sampled_from(["py", "js", "", "html"]), code_lines
).map(lambda parts: f"{parts[0]}```{parts[1]}\n" + "\n".join(parts[2]))
NESTED = (
    "- a", "- b", "* c", "-", "1. d", "7) e", "- [ ] f", "1. [x] g", "> h", ">", "", "", "  - i", "   - j",
    "    k", "  l", "   m", "> - n", "- > o", "- - p", "1. - q", "> > r", "  > s", "s", "```", "```py",
    "  ```", "   ```py", "- ```", "> ```", "> ```py", "  - ```", "x = 1", "  x = 1", "   def f():", ">   y",
    "> z", "| a | b |", "|---|---|", "| c | d |", "  | a | b |", "  |---|---|", "  | c | d |", "> | a | b |",
    "> |--|--|", "> | c | d |", "---", "===", "# t", "  # u", "-     v", "&#8203;", "- &#8203;",
    "  ```py | x", "``` | x", "  --|--", "a | b",
)  # fmt: skip
nests = st.lists(st.sampled_from(NESTED), max_size=24).map("\n".join)
long_tables = st.tuples(st.sampled_from(["", "- ", "> "]), st.integers(38, 90), st.integers(1, 40), nests).map(
    lambda parts: "\n".join(
        [
            f"{parts[0] if row == 0 or parts[0] == '> ' else '  '}{cells}"
            for row, cells in enumerate(table_rows(*parts[1:3]))
        ]
        + [parts[3]]
    )
)
texts = fragments | st.text(max_size=60) | codes | nests | long_tables
widths = st.sampled_from([1, 2, 7, 12, 24, 80])


def table_rows(count: int, size: int) -> list[str]:
    return ["| a | b |", "|--|--|", *(f"| {number} | {'w ' * (number * size % 60)} |" for number in range(count))]


def cut(text: str, places: list[int]) -> list[str]:
    borders = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(borders)]


def text_of(lines: list[Line]) -> list[str]:
    return [plain(line) for line in lines]


def draw(source: str, width: int = 40) -> list[str]:
    return text_of(render_markdown(source, width))


def styles_of(source: str, text: str, width: int = 60) -> str:
    return next(style for line in render_markdown(source, width) for part, style in line if text in part)


@given(texts, st.lists(st.integers(0, 10_000), max_size=12), widths, widths)
@settings(max_examples=120, deadline=None)
def test_a_streamed_text_ends_as_the_whole_text(text: str, places: list[int], width: int, other: int) -> None:
    stream = MarkdownStream()
    seen: list[Line] = []
    for chunk in cut(text, places):
        stream.feed(chunk)
        lines = stream.lines(width)
        assert lines[: len(seen)] == seen, "a committed line has changed"
        seen = lines[: stream.committed_count(width)]
    stream.finish()
    assert stream.source == text
    assert stream.lines(width)[: len(seen)] == seen
    assert stream.lines(width) == render_markdown(text, width)
    assert stream.lines(other) == render_markdown(text, other)
    assert stream.committed_count(other) == len(stream.lines(other))


@given(texts, st.lists(st.integers(0, 10_000), max_size=8), widths, widths)
@settings(max_examples=40, deadline=None)
def test_a_change_of_width_renders_the_same_as_a_fresh_stream(
    text: str, places: list[int], width: int, other: int
) -> None:
    stream = MarkdownStream()
    for number, chunk in enumerate(cut(text, places)):
        stream.feed(chunk)
        stream.lines(other if number % 2 else width)
    stream.finish()
    assert stream.lines(width) == render_markdown(text, width)


@given(texts, widths)
@settings(max_examples=80, deadline=None)
def test_every_line_fits_and_is_safe(text: str, width: int) -> None:
    lines = render_markdown(text, width)
    assert all(line_width(line) <= width for line in lines)
    assert not lines or (lines[0] and lines[-1]), "a blank line at an end"
    assert all(clean(row) == row for row in text_of(lines))
    assert all(part and style for line in lines for part, style in line)


def test_headings_lose_their_signs() -> None:
    assert draw("# One\n\n## Two") == ["One", "━━━", "", "Two"]
    assert styles_of("# One", "One") == "text heading.1"
    assert styles_of("### Three", "Three") == "text heading.3"


def test_inline_styles_are_layered() -> None:
    source = "a **b *c*** `d` ~~e~~"
    assert [styles_of(source, text) for text in "abcde"] == [
        "text",
        "text strong",
        "text strong emphasis",
        "text code",
        "text strike",
    ]
    assert draw(source) == ["a b c d e"]


def test_links_tell_where_they_lead() -> None:
    assert draw("[here](http://e.com/a)") == ["here (http://e.com/a)"]
    assert styles_of("[here](http://e.com/a)", "here") == "text link href=http://e.com/a"
    assert styles_of("[here](http://e.com/a)", "e.com") == "text link.address href=http://e.com/a"
    assert draw("[http://e.com](http://e.com) <http://f.org>") == ["http://e.com http://f.org"]
    assert draw("[x](javascript:alert)") == ["[x](javascript:alert)"]
    assert draw("[a][b]\n\n[b]: http://e.com") == ["[a][b]", "", "[b]: http://e.com"]
    assert draw("![a *cat*](cat.png)") == ["[image: a cat · cat.png]"]
    assert len(draw(f"![](data:image/png;base64,{'A' * 1500})", 200)) == 1


def test_lists_hang_and_nest() -> None:
    assert draw("- one two three four\n  - five\n    1. six\n- seven", 17) == [
        "• one two three",
        "  four",
        "  ◦ five",
        "    1. six",
        "• seven",
    ]
    assert draw("9. a\n10. b\n\n    c") == ["9. a", "10. b", "", "    c"]
    assert draw("- a\n\n- b\n- c") == ["• a", "", "• b", "• c"]
    assert draw("- [ ] open\n- [x] done\n- plain") == ["☐ open", "☑ done", "• plain"]
    assert draw("-\n- a") == ["• ", "• a"]


def test_quotes_have_a_bar() -> None:
    assert draw("> a\n> > b\n\nc") == ["▎ a", "▎ ", "▎ ▎ b", "", "c"]
    assert styles_of("> a", "a") == "text quote"


def test_code_is_labelled_and_coloured() -> None:
    assert draw("```py\ndef f(): pass\n```") == ["  py", "  def f(): pass"]
    assert styles_of("```py\ndef f(): pass\n```", "def") == "syntax.keyword"
    assert styles_of("```\ndef f(): pass\n```", "def") == "code.block"
    assert draw("```{.rust title=x}\nfn\n```")[0] == "  {.rust title=x}"
    assert draw("a\n\n    b\n     c") == ["a", "", "  b", "   c"]


def test_long_code_is_wrapped_with_a_mark() -> None:
    assert draw("```\n" + "x" * 25 + "\n```", 12) == ["  " + "x" * 10, "↪ " + "x" * 10, "↪ xxxxx"]


def test_tables_are_drawn_aligned() -> None:
    assert draw("| a | b | c |\n|---|--:|:-:|\n| x | 1 | yyy |\n| xx | 22 | y |") == [
        "┌────┬────┬─────┐",
        "│ a  │  b │  c  │",
        "├────┼────┼─────┤",
        "│ x  │  1 │ yyy │",
        "│ xx │ 22 │  y  │",
        "└────┴────┴─────┘",
    ]


def test_tables_shrink_and_then_become_records() -> None:
    source = "| name | text |\n|---|---|\n| one | some words that are long |\n| two | short |"
    assert draw(source, 26) == [
        "┌──────┬─────────────────┐",
        "│ name │ text            │",
        "├──────┼─────────────────┤",
        "│ one  │ some words that │",
        "│      │ are long        │",
        "├──────┼─────────────────┤",
        "│ two  │ short           │",
        "└──────┴─────────────────┘",
    ]
    assert draw(source, 15) == [
        "name: one",
        "text: some",
        "  words that",
        "  are long",
        "",
        "name: two",
        "text: short",
    ]


def test_html_and_markup_are_text() -> None:
    assert draw("<b>x</b> [bold]y[/bold] <!-- z -->") == ["<b>x</b> [bold]y[/bold] <!-- z -->"]
    assert draw("a &lt;b&gt; &#x1b;[2J &#8238;x") == ["a <b> \ufffd[2J x"]


def test_breaks_and_rules() -> None:
    assert draw("a  \nb\\\nc\nd\n\n---", 10) == ["a", "b", "c d", "", "─" * 10]


@pytest.mark.parametrize(
    "source",
    [
        ">" * 1000 + " deep",
        "- " * 1000 + "deep",
        "\n".join("  " * level + "- deep" for level in range(1000)),
        "\n".join("> " * level + "deep" for level in range(300)),
        "[" * 2000 + "deep",
        "*a " * 2000 + "deep",
        "`" * 2000 + "deep",
    ],
    ids=["quotes", "bullets", "nested list", "nested quotes", "brackets", "emphasis", "ticks"],
)
def test_deep_nesting_loses_no_text(source: str) -> None:
    rows = "".join(draw(source, 60)).replace(" ", "")
    assert "deep" in rows
    assert rows.count("deep") == source.count("deep")


def test_the_stream_commits_what_is_finished() -> None:
    stream = MarkdownStream()
    stream.feed("# Title\n\nFirst paragraph.\n\nSecond")
    assert text_of(stream.lines(40)) == ["Title", "━━━━━", "", "First paragraph.", "", "Second"]
    assert stream.committed_count(40) == 2
    stream.feed(" one.\nAnd more.\n")
    assert stream.committed_count(40) == 4


def test_a_long_open_code_block_is_committed_in_parts() -> None:
    stream = MarkdownStream()
    stream.feed("Text:\n\n```py\n")
    assert stream.committed_count(40) == 3
    stream.feed("".join(f"x{number} = 1\n\n" for number in range(200)))
    assert len(stream.lines(40)) - stream.committed_count(40) < 40


def test_feeding_after_the_end_is_refused() -> None:
    stream = MarkdownStream()
    stream.finish()
    stream.finish()
    with pytest.raises(ValueError, match="finished"):
        stream.feed("x")
    assert stream.lines(10) == []


def test_a_base_style_lies_below_everything() -> None:
    assert render_markdown("a `b`", 20, base="muted") == [(("a ", "muted"), ("b", "muted code"))]


def test_a_long_paragraph_keeps_its_text_and_its_marks() -> None:
    words = "some **strong words** and `code of it` "
    for source in (words * 300, words.replace(" ", "\n") * 300, "x" * 9000, "*a [b " * 900):
        drawn = render_markdown(source.strip(), 60)
        kept = "".join(plain(line) for line in drawn).replace(" ", "")
        wanted = source if source.startswith(("x", "*a")) else source.replace("**", "").replace("`", "")
        assert kept == "".join(wanted.split())
    strong = [text for line in render_markdown(words * 300, 10_000) for text, style in line if "strong" in style]
    assert strong == ["strong words"] * 300
