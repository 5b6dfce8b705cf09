"""What a terminal says of its background is heard, and never taken for keys, however it is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal import Replies, can_be_asked, is_light_colour

WHITE = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
BLACK_BEL = "\x1b]11;rgb:00/00/00\x07"
SWITCHED_TO_LIGHT = "\x1b[?997;2n"


@pytest.mark.parametrize(
    ("text", "is_light"),
    [
        ("rgb:ffff/ffff/ffff", True),
        ("rgb:0/0/0", False),
        ("rgb:fb/fa/f7", True),
        ("rgba:1414/1616/1d1d/ffff", False),
        ("rgb:8000/0000/0000", False),
        ("#ffffff", None),
        ("rgb:gg/00/00", None),
        ("", None),
    ],
)
def test_a_colour_is_light_or_not(text: str, is_light: bool | None) -> None:
    assert is_light_colour(text) is is_light


@pytest.mark.parametrize(
    ("reply", "is_light"), [(WHITE, True), (BLACK_BEL, False), (SWITCHED_TO_LIGHT, True), ("\x1b[?997;1n", False)]
)
def test_an_answer_is_taken_out_of_what_is_typed(reply: str, is_light: bool) -> None:
    assert Replies().take(f"a{reply}b\x1b[A") == ("ab\x1b[A", is_light)


@given(st.lists(st.integers(1, len(WHITE) - 1), max_size=6), st.sampled_from([WHITE, BLACK_BEL, SWITCHED_TO_LIGHT]))
def test_an_answer_in_pieces_is_still_one(cuts: list[int], reply: str) -> None:
    """But for a cut right after its escape, which looks like the key of that name, and is not made to wait."""
    replies = Replies()
    borders = [0, *sorted({cut for cut in cuts if 1 < cut < len(reply)}), len(reply)]
    left = heard = ""
    for start, end in itertools.pairwise(borders):
        text, is_light = replies.take(reply[start:end])
        left += text
        heard += {None: "", True: "light", False: "dark"}[is_light]
    assert left == ""
    assert heard in ("light", "dark")


@pytest.mark.parametrize("typed", ["\x1b", "\x1b[A", "\x1bO", "\x1b[?2026;2$y", "\x1b[<0;1;1M", "hello", "\x1b[200~x"])
def test_other_keys_pass_at_once(typed: str) -> None:
    assert Replies().take(typed) == (typed, None)


def test_a_key_that_looks_like_a_beginning_passes_after_a_moment() -> None:
    replies = Replies()
    assert replies.take("\x1b]") == ("", None)
    assert replies.tick() == "\x1b]"
    assert replies.tick() == ""
    assert replies.take("1") == ("1", None)


def test_the_rest_of_a_cut_answer_may_take_its_time() -> None:
    replies = Replies()
    assert replies.take("\x1b]11;rgb:ff") == ("", None)
    assert [replies.tick() for _ in range(5)] == [""] * 5
    assert replies.take("ff/ffff/ffff\x07x") == ("x", True)


def test_half_an_answer_is_never_typed() -> None:
    replies = Replies()
    assert replies.take("\x1b]11;rgb:ff") == ("", None)
    assert "".join(replies.tick() for _ in range(100)) == ""
    assert replies.take("x") == ("x", None)


@pytest.mark.parametrize(
    ("environ", "can"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color", "TMUX": "1"}, True),
        ({"TERM": "screen-256color", "TMUX": "1"}, True),
        ({"TERM": "screen", "STY": "1.tty"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_understand_are_asked(environ: dict[str, str], can: bool) -> None:
    assert can_be_asked(environ) is can
