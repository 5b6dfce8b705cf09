"""Where lines go. Everything printed passes through here and is made harmless; nothing is ever taken back."""

from __future__ import annotations

from typing import TextIO

from tui.rendering.line import Line, plain
from tui.rendering.sanitize import clean

WIDE = 4_000
"""Columns for what is laid out as in the window: the terminal wraps it, so that words and addresses stay whole."""


class Paper:
    """Prints lines; no colours, no cursor movement. Raises ``BrokenPipeError`` where nobody reads any more."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_marked = False
        self.count = 0
        """Lines so far."""

    def line(self, text: str = "", indent: str = "") -> None:
        """One line, or several where the text has several."""
        rows = [f"{indent}{row}".rstrip() for row in clean(text).split("\n")]
        lead = "\n" if self._is_marked else ""
        self._is_marked = False
        self.count += len(rows)
        self._out.write(lead + "\n".join(rows) + "\n")
        self._out.flush()

    def lines(self, rows: list[Line], indent: str = "") -> None:
        """Lines that were laid out for the window, without their styles."""
        for row in rows:
            self.line(plain(row), indent)

    def mark(self) -> None:
        """Show that a line may be typed; the next output begins below it."""
        if not self._is_marked:
            self._is_marked = True
            self._out.write("> ")
            self._out.flush()

    def typed(self) -> None:
        """A line was typed: the terminal has ended it."""
        self._is_marked = False
