"""The keys of vi on a plain text: ``|`` marks the cursor."""

from __future__ import annotations

import pytest

from tui.widgets.composer.vim import Vim


class Text:
    """A text with a cursor and an undo of one step each."""

    def __init__(self, marked: str) -> None:
        self.cursor = marked.index("|")
        self.text = marked.replace("|", "", 1)
        self._undo: list[tuple[str, int]] = []
        self._redo: list[tuple[str, int]] = []

    def replace(self, start: int, end: int, text: str) -> None:
        self._undo.append((self.text, self.cursor))
        self._redo.clear()
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)

    def undo(self) -> None:
        if self._undo:
            self._redo.append((self.text, self.cursor))
            self.text, self.cursor = self._undo.pop()

    def redo(self) -> None:
        if self._redo:
            self._undo.append((self.text, self.cursor))
            self.text, self.cursor = self._redo.pop()

    @property
    def marked(self) -> str:
        return f"{self.text[: self.cursor]}|{self.text[self.cursor :]}"


def normal() -> Vim:
    vim = Vim()
    vim.press("escape", Text("|"))
    return vim


def play(vim: Vim, text: Text, keys: str) -> None:
    """``<`` is Esc, ``~`` is Ctrl+R; in insert mode letters go into the text as the editor does it."""
    for key in keys:
        name = {"<": "escape", "~": "ctrl+r"}.get(key, key)
        if not vim.press(name, text) and len(name) == 1:
            text.replace(text.cursor, text.cursor, name)


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("|one two", "l", "o|ne two"),
        ("o|ne two", "h", "|one two"),
        ("|one", "9l", "on|e"),
        ("|one two, three", "w", "one |two, three"),
        ("|one two, three", "3w", "one two, |three"),
        ("one two, thr|ee", "bb", "one two|, three"),
        ("|one two", "e", "on|e two"),
        ("|one two", "ee", "one tw|o"),
        ("|one\ntwo", "w", "one\n|two"),
        ("  one t|wo", "0", "|  one two"),
        ("  one t|wo", "^", "  |one two"),
        ("|one two\nx", "$", "one tw|o\nx"),
        ("on|e\n\ntwo", "jj", "one\n\ntw|o"),
        ("one\ntw|o", "k", "on|e\ntwo"),
        ("a\nb\n|c", "gg", "|a\nb\nc"),
        ("|a\nb\nc", "G", "a\nb\n|c"),
        ("|a\nb\nc", "2G", "a\n|b\nc"),
        ("|a.b.c", "f.", "a|.b.c"),
        ("|a.b.c", "t.", "|a.b.c"),
        ("|ab.c.d", "t.;", "ab.|c.d"),
        ("|ab.c.d", "f.;", "ab.c|.d"),
        ("|ab.c.d", "f.;,", "ab|.c.d"),
        ("a.b.|c", "F.", "a.b|.c"),
        ("a.b.c|d", "T.", "a.b.|cd"),
        ("|abc", "fz", "|abc"),
    ],
)
def test_motions(before: str, keys: str, after: str) -> None:
    text = Text(before)
    play(normal(), text, keys)
    assert text.marked == after


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("o|ne", "x", "o|e"),
        ("on|e", "x", "o|n"),
        ("|abcd", "2x", "|cd"),
        ("ab|c", "X", "a|c"),
        ("|one two three", "dw", "|two three"),
        ("|one two three", "2dw", "|three"),
        ("|one two three", "d2w", "|three"),
        ("|one\ntwo", "dw", "|\ntwo"),
        ("one |two three", "d$", "one| "),
        ("one |two", "D", "one| "),
        ("one tw|o", "db", "one |o"),
        ("|one two", "de", "| two"),
        ("|a, b, c", "df,", "| b, c"),
        ("|a, b, c", "dt,", "|, b, c"),
        ("one\nt|wo\nthree", "dd", "one\n|three"),
        ("one\nt|wo", "dd", "|one"),
        ("|one", "dd", "|"),
        ("o|ne\ntwo\nthree", "2dd", "|three"),
        ("o|ne\ntwo\nthree", "dj", "|three"),
        ("one\ntwo\nth|ree", "dgg", "|"),
        ("|one two", "cwnew<", "ne|w two"),
        ("|a b", "cwxy<", "x|y b"),
        ("one |two\nx", "Cend<", "one en|d\nx"),
        ("a\no|ne\nb", "ccnew<", "a\nne|w\nb"),
        ("o|ne", "rX", "o|Xe"),
        ("|one", "2rX", "X|Xe"),
        ("|one", "iab<", "a|bone"),
        ("|one", "aX<", "o|Xne"),
        ("  on|e", "IX<", "  |Xone"),
        ("o|ne\nx", "AX<", "one|X\nx"),
        ("o|ne\nx", "oX<", "one\n|X\nx"),
        ("a\no|ne", "OX<", "a\n|X\none"),
        ("|one two", "yyp", "one two\n|one two"),
        ("|one\ntwo", "ddp", "two\n|one"),
        ("one\nt|wo", "ddP", "|two\none"),
        ("|one two", "dwP", "one| two"),
        ("|ab", "xp", "b|a"),
        ("|ab", "yl3p", "aaa|ab"),
        ("|one two", "ywP", "one| one two"),
        ("|one two three", "dw.", "|three"),
        ("|one two", "cwX<w.", "X |X"),
        ("|a\nb", "A;<j.", "a;\nb|;"),
        ("|abc", "x.", "|c"),
        ("|one", "xu", "|one"),
        ("|one", "xu~", "|ne"),
        ("|one", "dQx", "|ne"),
        ("|one", "zZx", "|ne"),
        ("|one two", "d<x", "|ne two"),
    ],
)
def test_changes(before: str, keys: str, after: str) -> None:
    text = Text(before)
    play(normal(), text, keys)
    assert text.marked == after


def test_escape_and_keys_that_are_the_editors() -> None:
    vim, text = Vim(), Text("one|")
    assert not vim.press("a", text)
    assert vim.press("escape", text) and vim.mode == "normal" and text.marked == "on|e"
    assert not vim.press("enter", text) and not vim.press("up", text) and not vim.press("ctrl+k", text)
    assert not vim.press("escape", text)
    assert vim.press("d", text) and vim.press("escape", text)
    vim.start_over()
    assert vim.mode == "insert"


@pytest.mark.parametrize("marked", ["|", "|\n", "a|\n", "\n\n|"])
def test_no_key_breaks_on_an_empty_place(marked: str) -> None:
    keys = "h j k l w b e 0 ^ $ gg G x X dd dw d$ D p P u . ; , fx rx yy cc< cw< o< O< 99dd 3. de db dG ye"
    for command in keys.split():
        text = Text(marked)
        vim = normal()
        play(vim, text, f"{command}{command}")
        assert 0 <= text.cursor <= len(text.text)
