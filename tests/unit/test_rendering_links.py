"""Which addresses become links, and that what reaches the terminal of them is harmless."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from textual.strip import Strip

from tests.unit.test_rendering_markdown import draw
from tui.rendering.line import Line
from tui.rendering.links import HREF, is_safe, target
from tui.rendering.markdown import render_markdown
from tui.rendering.palette import Palette

PALETTE = Palette({"text": "#aaaaaa", "link": "underline"})
OPENED = re.compile(r"\x1b\]8;id=[^;]*;([^\x1b]*)\x1b\\")


def sent(lines: list[Line]) -> str:
    """What a terminal gets."""
    console = Console(force_terminal=True, color_system="truecolor", width=200)
    assert console.color_system == ColorSystem.TRUECOLOR.name.lower()
    return "".join(Strip(PALETTE.segments(line)).render(console) for line in lines)


def targets(source: str, width: int = 60) -> list[str]:
    return OPENED.findall(sent(render_markdown(source, width)))


@pytest.mark.parametrize(
    "address",
    ["http://e.com", "https://e.com:8080/a?b=c#d", "http://[::1]/x", "http://localhost:3000", "mailto:a@b.org"],
)
def test_plain_addresses_are_links(address: str) -> None:
    assert is_safe(address)
    assert target(HREF + address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "https://bank.com@evil.org/",
        "https://user:secret@evil.org/",
        "https://evil.org\\@bank.com",
        "http://e.com:port/",
        "http://e.com/\x1b[2J",
        "http://e.com/a b",
        "http://ex\u0430mple.com",
        "http://e.com/\u202e",
        "https://e.com/" + "a" * 3000,
        "mailto:a@b.org?body=x",
        "mailto:a@b.org\nbcc:c@d.org",
        "vscode://file/x",
        "",
    ],
)
def test_other_addresses_stay_text(address: str) -> None:
    assert not is_safe(address)
    assert target(HREF + address) == ""


def test_links_open_what_they_show() -> None:
    assert targets("[here](http://e.com/a)") == ["http://e.com/a", "http://e.com/a"]
    assert draw("[here](http://e.com/a)") == ["here (http://e.com/a)"]
    assert targets("<https://e.com/x>") == ["https://e.com/x"]
    assert targets("see https://e.com/a_(b), or (http://f.org/x).") == ["https://e.com/a_(b)", "http://f.org/x"]
    assert targets("`https://e.com`") == []
    assert targets("[safe](https://bank.com@evil.org/)") == []


def test_a_host_in_another_alphabet_shows_its_ascii_form() -> None:
    assert "xn--" in draw("<http://ex\u0430mple.com/>", 80)[0]
    assert "xn--" in draw("[http://ex\u0430mple.com](http://ex\u0430mple.com)", 80)[0]
    assert targets("http://ex\u0430mple.com/ is text") == []


def test_a_long_link_is_one_link_on_all_its_rows() -> None:
    address = "https://e.com/" + "path/" * 12
    found = targets(f"go to {address} now", 30)
    assert len(found) >= 3
    assert set(found) == {address}


@given(st.text(max_size=40), st.sampled_from(["<{}>", "[x]({})", "[x](<{}>)", "{}", "![a]({})"]))
@settings(max_examples=150, deadline=None)
def test_no_text_escapes_through_a_link(text: str, form: str) -> None:
    for address in (text, f"https://e.com/{text}", f"https://{text}.com"):
        out = sent(render_markdown(form.format(address), 60))
        rest = re.sub(r"\x1b\]8;(?:id=[0-9-]*)?;[!-~]*\x1b\\|\x1b\[[0-9;]*m", "", out)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", rest)


def test_a_long_host_that_is_none_is_judged_at_once() -> None:
    """Judging it by trying every way to split it would take longer than the universe has been there."""
    assert not is_safe("https://" + "a" * 500 + "(.com")
