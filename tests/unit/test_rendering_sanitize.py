"""Laws and examples of making untrusted text safe; the hostile cases of the security corpus."""

import base64
import json
import re
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.rendering.line import plain
from tui.rendering.sanitize import StreamCleaner, ansi_spans, clean, clean_line, reveal

CASES: list[dict[str, Any]] = [
    json.loads(row) for row in (Path(__file__).parent / "data" / "terminal_cases.jsonl").read_text().splitlines()
]

FRAGMENTS = (
    "a", "word ", "\n", "\t", "\r", "\r\n", "\x1b", "\x1b[", "31m", "\x1b[0m", "\x1b[2J", "\x1b]0;",
    "\x07", "\x1b\\", "\x9b", "\x9d", "\x9c", "\x1bP", "\x1b(B", "\x1bc", "\x00", "\x7f", "\x85",
    "\u200b", "\u200d", "\ufe0f", "👩", "💻", "#", "\u20e3", "\u0301", "\u0301" * 9, "\u202e", "\u2028",
    "\U000e0061", "\U000e007f", "\U0001f3f4", "\ud800", "\ufeff", "é", "漢",
)  # fmt: skip
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join) | st.text(
    st.characters(codec=None, categories=None), max_size=40
)


def is_safe(text: str) -> bool:
    """Nothing that a terminal obeys, and nothing that hides or reorders text but joiners."""
    return all(
        c == "\n" or (unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and not "\u202a" <= c <= "\u202e")
        for c in text
    )


def streamed(chunks: list[str]) -> str:
    cleaner = StreamCleaner()
    return "".join([cleaner.feed(chunk) for chunk in chunks]) + cleaner.close()


@given(texts)
@settings(max_examples=200, deadline=None)
def test_cleaned_text_is_safe_and_stays_as_it_is(text: str) -> None:
    assert is_safe(clean(text))
    assert clean(clean(text)) == clean(text)
    assert is_safe(reveal(text))
    assert all(is_safe(plain(line)) and "\n" not in plain(line) for line in ansi_spans(text))


@given(texts, st.lists(st.integers(0, 1000), max_size=8))
@settings(max_examples=200, deadline=None)
def test_chunk_borders_make_no_difference(text: str, places: list[int]) -> None:
    borders = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    chunks = [text[start:end] for start, end in pairwise(borders)]
    whole = streamed([text])
    assert streamed(chunks) == whole
    assert is_safe(whole)
    if "\r" not in text:
        assert whole == clean(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
@settings(max_examples=30)
def test_plain_text_is_untouched(text: str) -> None:
    assert clean(text) is text
    assert StreamCleaner().feed(text) is text


@given(texts.filter(lambda text: not re.search("[\u200d\ufe0f\U000e0000-\U000e007f]", text)))
@settings(max_examples=50, deadline=None)
def test_colours_change_no_text(text: str) -> None:
    assert "\n".join(plain(line) for line in ansi_spans(text)).rstrip("\n") == clean(text).rstrip("\n")


def shown(case: dict[str, Any], way: str) -> str:
    raw = base64.b64decode(case["input_b64"])
    following = base64.b64decode(case.get("next_chunk_b64", ""))
    first, second = (part.decode("utf-8", "surrogateescape") for part in (raw, following))
    match way:
        case "clean":
            return clean(first + second)
        case "stream":
            return streamed([first, second])
        case "stream, byte by byte":
            return streamed(list(first + second))
        case "ansi":
            return "\n".join(plain(line) for line in ansi_spans(first + second))
        case _:
            return reveal(first + second)


@pytest.mark.parametrize("way", ["clean", "stream", "stream, byte by byte", "ansi", "reveal"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_hostile_case(case: dict[str, Any], way: str) -> None:
    surfaces = case["surfaces"]
    if way == "reveal" and "permission_prompt" not in surfaces:
        pytest.skip("not shown in prompts")
    if way != "reveal" and surfaces == ["permission_prompt"]:
        pytest.skip("only shown in prompts")
    text = shown(case, way)
    if case["id"] != "term-034" or way == "clean":  # A stream gives up on an endless string, and shows it.
        assert all(part in text for part in case["must_show"])
    emitted = text.encode("utf-8", "surrogateescape").decode("latin-1")
    assert not [pattern for pattern in case["must_not_emit"] if re.search(pattern, emitted)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\tb\n\tc", "a   b\n    c"),
        ("10%\r20%\r30%\ndone\r", "30%\ndone"),
        ("a\r\nb\r\r\nc", "a\nb\nc"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;never closed\ntext", "\ntext"),
        ("\x1bc\x1b(Ba\x1b7", "a"),
        ("a\x1b", "a␛"),
        ("\x00\x07\x7f", "␀␇␡"),
        ("a\u200bb\u202ec\ufeff", "abc"),
        ("👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3 x\ufe0f", "👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3 x"),
        ("Z" + "\u0301" * 20 + "!", "Z" + "\u0301" * 4 + "⟨+16⟩!"),
        ("naïve – “quoted” 漢字", "naïve – “quoted” 漢字"),
        ("\u00a0", "\u00a0"),
    ],
)
def test_clean(text: str, wanted: str) -> None:
    assert clean(text) == wanted


def test_clean_line_shows_newlines() -> None:
    assert clean_line("a\nb\x1b[2J") == "a⏎b"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ls -la\n\tcat 'x'", "ls -la\n    cat 'x'"),
        ("a\tb", "a⟨U+0009⟩b"),
        ("a\u00a0b\u200b", "a⟨U+00A0⟩b⟨U+200B⟩"),
        ("a\u202eb\r", "a⟨U+202E⟩b⟨U+000D⟩"),
        ("\x1b[2Jx", "⟨U+001B⟩⟨[ 2 J⟩x"),
        ("a" + " " * 50 + "b", "a ⟨50 spaces⟩ b"),
        ("сat naïve", "с⟨U+0441⟩at naïve"),
        ("https://аpple.com/x", "https://а⟨U+0430⟩pple.com ⟨xn--pple-43d.com⟩/x"),
        ("\u3164\ufe0f", "⟨U+3164⟩⟨U+FE0F⟩"),
        ("cat /א/1", "cat /א⟨RTL⟩/1"),
    ],
)
def test_reveal(text: str, wanted: str) -> None:
    assert reveal(text) == wanted


def test_a_string_that_never_ends_is_shown_after_a_while() -> None:
    cleaner = StreamCleaner()
    assert cleaner.feed("\x1b]0;" + "x" * 4000) == ""
    assert cleaner.feed("y" * 200) == "0;" + "x" * 4000 + "y" * 200
    assert cleaner.feed("z") == "z"


def test_a_stream_breaks_lines_where_clean_overwrites() -> None:
    assert streamed(["10%\r", "20%", "\r", "30%\r\n", "\rx"]) == "10%\n20%\n30%\nx"


def test_tab_stops_go_across_chunks() -> None:
    assert streamed(["a", "b\tc", "\t\n", "\td"]) == clean("ab\tc\t\n\td")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain\n", [(("plain", "text"),)]),
        ("", []),
        ("a\n\nb", [(("a", "text"),), (), (("b", "text"),)]),
        ("\x1b[31mred\x1b[0m x", [(("red", "text ansi.red"), (" x", "text"))]),
        ("\x1b[1;94;41mx", [(("x", "text ansi.bright_blue ansi.on_red bold"),)]),
        ("\x1b[38;5;196mx", [(("x", "text fg.#ff0000"),)]),
        ("\x1b[38;2;1;2;3;48:2::4:5:6mx", [(("x", "text fg.#010203 bg.#040506"),)]),
        ("\x1b[38;5;3;4:3mx", [(("x", "text ansi.yellow underline"),)]),
        ("\x1b[38;5;232mx", [(("x", "text fg.#080808"),)]),
        ("\x1b[8mhidden", [(("hidden", "text"),)]),
        ("\x1b[30;40mhidden", [(("hidden", "text"),)]),
        ("\x1b[1;2;3mx\x1b[22;23my", [(("x", "text bold dim italic"), ("y", "text"))]),
        ("\x1b[31mold\r\x1b[32mnew\n", [(("new", "text ansi.green"),)]),
        ("\x1b[31ma\nb", [(("a", "text ansi.red"),), (("b", "text ansi.red"),)]),
        ("a\x1b[2K\x1b[1Gb", [(("ab", "text"),)]),
        ("\x9b31ma\tb", [(("a   b", "text ansi.red"),)]),
        ("a" + "\x1b[0m\u0301" * 20, [(("a" + "\u0301" * 4 + "⟨+16⟩", "text"),)]),
        ("\x1b[38;5m\x1b[38mx", [(("x", "text"),)]),
    ],
)
def test_colours_of_output(text: str, wanted: list[Any]) -> None:
    assert ansi_spans(text) == wanted
