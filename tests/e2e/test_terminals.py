"""Terminals of many kinds: what they say of their background, few colours, none, and those that show no window."""

from __future__ import annotations

import json

import pytest

from tests.bench.pty_child import PtyChild
from tests.e2e.children import ESCAPE, Machine, leave
from themes.loader import load_theme
from tui.terminal import ASK, LISTEN, STOP

WHITE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
PROMPT = "Ask, or tell"


def background(child: PtyChild) -> str:
    """Of the conversation, as the terminal has it."""
    return child.screen.buffer[3][40].bg


def ground(name: str) -> str:
    return load_theme(name).colors["background"].removeprefix("#")


def until_background(child: PtyChild, wanted: str) -> None:
    for _ in range(400):
        if background(child) == wanted:
            return
        child.pump(0.05)
    raise TimeoutError(f"the background stays {background(child)}")


@pytest.fixture
def machine_with_project(machine: Machine) -> Machine:
    machine.repository()
    return machine


def test_the_theme_follows_the_terminal_and_its_answers_are_never_typed(machine_with_project: Machine) -> None:
    child = machine_with_project.start("", "--demo", COLORTERM="truecolor")
    child.read_until(PROMPT)
    assert (LISTEN + ASK).encode() in child.output
    until_background(child, ground("dark"))
    child.send(WHITE[:12])
    child.send(WHITE[12:] + b"ab")
    until_background(child, ground("light"))
    child.read_until("ab")
    child.send(b"\x1b[?997;1n" + b"cd")
    until_background(child, ground("dark"))
    child.read_until("abcd")
    row = next(row for row in child.rows if "abcd" in row)
    assert row.strip(" │") == "abcd"
    child.send(b"\x15")
    child.read_until(PROMPT)
    assert leave(child) == 0
    assert STOP.encode() in child.output


def test_a_terminal_that_never_answers_costs_nothing(machine_with_project: Machine) -> None:
    child = machine_with_project.start("", "--demo", COLORTERM="truecolor", COLORFGBG="0;15")
    child.read_until(PROMPT)
    until_background(child, ground("light"))
    child.send(b"x" + ESCAPE)
    child.read_until("x")


def test_the_settings_give_the_first_paint_its_theme(machine_with_project: Machine) -> None:
    config = machine_with_project.home / "agent-tui" / "config"
    (config / "themes").mkdir(parents=True)
    (config / "settings.json").write_text(json.dumps({"theme": "rose"}))
    (config / "themes" / "rose.toml").write_text('base = "dark"\n[colors]\nbackground = "#221118"')
    (config / "keybindings.toml").write_text('"session.help" = "f2"')
    child = machine_with_project.start("", "--demo", COLORTERM="truecolor")
    child.read_until(PROMPT)
    dark = "48;2;" + ";".join(str(int(ground("dark")[at : at + 2], 16)) for at in (0, 2, 4))
    assert dark.encode() not in child.output
    child.read_until("F2 keys")
    assert "F1 keys" not in child.output.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("environ", "wanted", "unwanted"),
    [
        ({"COLORTERM": "", "TERM": "xterm-256color"}, b"38;5;", b"38;2;"),
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, b"39;49m", b"38;2;"),
    ],
)
def test_colours_are_no_more_than_the_terminal_has(
    machine_with_project: Machine, environ: dict[str, str], wanted: bytes, unwanted: bytes
) -> None:
    child = machine_with_project.start("", "--demo", size=(120, 36), **environ)
    child.read_until("how much is asked")
    assert wanted in child.output
    assert unwanted not in child.output


def test_a_dumb_terminal_is_told_what_to_do(machine_with_project: Machine) -> None:
    child = machine_with_project.start("", "--demo", TERM="dumb")
    assert child.wait() == 2
    assert child.shows("this terminal cannot show a window (TERM=dumb)")
    assert b"\x1b" not in child.output
