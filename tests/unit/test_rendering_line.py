"""Laws and examples of measuring, wrapping and cutting styled lines."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.rendering.line import Line, cell_len, graphemes, line_width, pad, plain, truncate, wrap

CLUSTERS = ("a", "b", " ", " ", "word", "é", "e\u0301", "漢", "。", "👩\u200d💻", "🇩🇪", "👍🏽", "1\ufe0f\u20e3", "—")
pieces = st.lists(st.sampled_from(CLUSTERS), max_size=30).map("".join)
spans = st.lists(st.tuples(pieces | st.text(max_size=12), st.sampled_from(["text", "strong", "code"])), max_size=6)
widths = st.integers(1, 30)


def styled_characters(lines: list[Line]) -> list[tuple[str, str]]:
    """The characters with their styles, without the words that tell how a row goes on the one above."""
    return [
        (character, style.removesuffix(" joined").removesuffix(" glued"))
        for line in lines
        for text, style in line
        for character in text
    ]


@given(spans, widths, st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_line_is_wider_than_the_width(row: Line, width: int, words: bool) -> None:
    for line in wrap(row, width, first_prefix=(("- ", "mark"),), rest_prefix=(("  ", "mark"),), words=words):
        assert line_width(line) <= width


@given(spans, st.integers(2, 30))
@settings(max_examples=150, deadline=None)
def test_wrapping_loses_only_blanks(row: Line, width: int) -> None:
    lines = wrap(row, width)
    wanted = [(c, style) for text, style in row for c in text]
    kept = [pair for pair in styled_characters(lines) if pair[0] not in " \n"]
    assert kept == [pair for pair in wanted if pair[0] not in " \n"]
    exact = styled_characters(wrap(row, width, words=False))
    assert exact == [pair for pair in wanted if pair[0] != "\n"]


@given(pieces, st.integers(2, 12))
@settings(max_examples=100, deadline=None)
def test_graphemes_are_not_torn(text: str, width: int) -> None:
    assert "".join(graphemes(text)) == text
    assert sum(cell_len(cluster) for cluster in graphemes(text)) == cell_len(text)
    joined = [cluster for line in wrap([(text, "text")], width, words=False) for cluster in graphemes(plain(line))]
    assert joined == graphemes(text)


@given(spans, st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_truncated_lines_fit_and_say_so(row: Line, width: int) -> None:
    line = tuple(row)
    cut = truncate(line, width)
    assert line_width(cut) <= width
    assert cut == line if line_width(line) <= width else not cut or plain(cut).endswith("…")


def rows(text: str, width: int, *, words: bool = True) -> list[str]:
    return [plain(line) for line in wrap([(text, "text")], width, words=words)]


def test_words_stay_whole_where_they_can() -> None:
    assert rows("one two three", 7) == ["one two", "three"]
    assert rows("one   two", 4) == ["one", "two"]
    assert rows("a verylongword b", 6) == ["a", "verylo", "ngword", "b"]
    assert rows("    indented text", 8) == ["    inde", "nted", "text"]
    assert rows("trailing   ", 8) == ["trailing"]
    assert rows("", 8) == [""]
    assert rows("one\n\ntwo", 8) == ["one", "", "two"]
    assert rows("two words", 4, words=False) == ["two ", "word", "s"]


def test_wide_text_breaks_beside_its_characters() -> None:
    assert rows("漢字漢字", 5) == ["漢字", "漢字"]
    assert rows("漢字。漢", 4) == ["漢", "字。", "漢"]
    assert rows("ab漢字", 5) == ["ab漢", "字"]
    assert rows("é é é", 3) == ["é é", "é"]
    assert rows("漢", 1) == ["…"]


def test_prefixes_lead_the_lines() -> None:
    lines = wrap([("one two", "text")], 6, first_prefix=(("• ", "mark"),), rest_prefix=(("  ", "mark"),))
    assert lines == [(("• ", "mark"), ("one", "text")), (("  ", "mark"), ("two", "text joined"))]
    assert wrap([("ab", "text")], 2, first_prefix=(("• ", "mark"),)) == [(("ab", "text"),)]


def test_styles_survive_the_cuts() -> None:
    assert wrap([("one t", "a"), ("wo", "b")], 4) == [(("one", "a"),), (("t", "a joined"), ("wo", "b"))]


def test_padding() -> None:
    assert pad((("a", "x"),), 3, "y") == (("a", "x"), ("  ", "y decor"))
    assert pad((("abc", "x"),), 2, "y") == (("abc", "x"),)
