"""Laws and examples of syntax colours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.rendering.highlight import CodeStream, highlight, language_for_path
from tui.rendering.line import Line, plain

LINES = (
    "",
    "",
    "def f(x):",
    "    return 'a' + x  # c",
    '"""',
    "/* open",
    "close */",
    "<p>",
    "key: value",
    "漢字 = {",
    "\tx",
)
codes = st.lists(st.sampled_from(LINES), max_size=60)
languages = st.sampled_from(["python", "js", "html", "yaml", "rust", "c", "console", "no such language", ""])


def stream(lines: list[str], language: str) -> list[Line]:
    code = CodeStream(language)
    done = [line for row in lines for line in code.push(row)]
    return done + code.pending()


@given(codes, languages)
@settings(max_examples=60, deadline=None)
def test_colours_change_no_text(lines: list[str], language: str) -> None:
    code = "\n".join(lines)
    wanted = code.expandtabs(4).removesuffix("\n").split("\n")
    assert [plain(line) for line in highlight(code, language)] == wanted
    assert [plain(line) for line in stream(lines, language)] == lines


@given(codes, languages)
@settings(max_examples=40, deadline=None)
def test_what_was_handed_out_does_not_depend_on_looking(lines: list[str], language: str) -> None:
    looked = CodeStream(language)
    done: list[Line] = []
    for row in lines:
        done += looked.push(row)
        looked.pending("half a li")
    assert done + looked.pending() == stream(lines, language)


def test_token_styles() -> None:
    line = highlight("@d\ndef f(): return len('a', 1) # c", "python")[1]
    styles = dict(line)
    assert styles["def"] == "syntax.keyword"
    assert styles["f"] == "syntax.name.function"
    assert styles["len"] == "syntax.builtin"
    assert styles["'a'"] == "syntax.string"
    assert styles["1"] == "syntax.number"
    assert styles["# c"] == "syntax.comment"
    assert highlight("@d\n", "python") == [(("@d", "syntax.decorator"),)]
    assert ("<p", "syntax.tag") in highlight("<p>", "html")[0] or ("p", "syntax.tag") in highlight("<p>", "html")[0]


@pytest.mark.parametrize("language", ["", "text", "no such language"])
def test_unknown_languages_are_plain(language: str) -> None:
    assert highlight("def f():\n\n  pass", language) == [(("def f():", "code.block"),), (), (("  pass", "code.block"),)]


def test_what_is_too_long_is_plain() -> None:
    assert highlight("x = " + "1" * 3000, "python")[0][0][1] == "code.block"
    assert {style for line in highlight("x = 1\n" * 50_000, "python") for _, style in line} == {"code.block"}


def test_code_is_cleaned() -> None:
    assert [plain(line) for line in highlight("a\x1b[2J\u202e = 1", "python")] == ["a = 1"]


def test_a_stream_goes_on_in_the_state_of_the_lexer() -> None:
    rules = ["p {", *["  color: red;", ""] * 60, "}"]
    coloured = stream(rules, "css")
    assert coloured[1] == coloured[99] == highlight("\n".join(rules), "css")[1]


def test_scripts_and_styles_in_a_page_have_their_own_colours() -> None:
    page = [
        "<style>",
        *["p { color: red }", ""] * 40,
        "</style>",
        "<script>",
        *["let x = 1", ""] * 40,
        "</script>",
        "<p>",
    ]
    coloured = stream(page, "html")
    assert coloured[1] == coloured[77] == highlight("p { color: red }", "css")[0]
    assert coloured[83] == coloured[159] == highlight("let x = 1", "js")[0]
    assert coloured[-1] == highlight("<p>", "html")[0]


@pytest.mark.parametrize("language", ["yaml", "sml", "console"])
def test_lexers_with_a_state_of_their_own_are_coloured(language: str) -> None:
    assert (
        stream(["- key: 'v' ; (define x)", "$ ls # c"], language)[0]
        == highlight("- key: 'v' ; (define x)", language)[0]
    )


@pytest.mark.parametrize(
    ("path", "language"),
    [("a/b.py", "python"), ("C:\\x.ts", "typescript"), ("Makefile", "make"), ("a.unknown", ""), ("", "")],
)
def test_language_of_a_path(path: str, language: str) -> None:
    assert language_for_path(path) == language
