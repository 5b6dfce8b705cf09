"""Ctrl+R: a list of earlier prompts above the composer, narrowed down by typing."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from tui.rendering.line import Line, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

MAX_ROWS = 8
SHOWN_CHARACTERS = 400
"""Of a long prompt only the beginning is drawn; all of it is searched."""


class HistorySearch(LineWidget):
    """Takes the keys while it is there. Inserts, never sends."""

    can_focus = True

    class Chosen(Message):
        """The user wants this prompt in the editor."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The user goes back to what was typed."""

    def __init__(self, palette: Palette, prompts: Sequence[str]) -> None:
        """``prompts`` newest first, each once."""
        super().__init__(palette, id="history-search")
        self._prompts = prompts
        self._folded = [prompt.casefold() for prompt in prompts]
        self._found: Sequence[int] = range(len(prompts))
        self._query = ""
        self._at = 0

    def build(self, width: int) -> list[Line]:
        top = max(0, min(self._at - MAX_ROWS // 2, len(self._found) - MAX_ROWS))
        count = f"  {len(self._found):,} of {len(self._prompts):,}"
        lines: list[Line] = [(("  history ", "muted"), (self._query, "strong text"), ("▏", "accent"), (count, "faint"))]
        for place in range(top, min(top + MAX_ROWS, len(self._found))):
            is_current = place == self._at
            shown = clean_line(self._prompts[self._found[place]][:SHOWN_CHARACTERS].replace("\n", " ⏎ "))
            mark = ("❯ " if is_current else "  ", "accent")
            lines.append(truncate((mark, (shown, "strong text" if is_current else "text")), width))
        if not self._found:
            lines.append((("  nothing matches", "muted"),))
        lines.append(
            (
                ("  Enter", "key"),
                (" insert  ", "faint"),
                ("↑ ↓ Ctrl+R", "key"),
                (" move  ", "faint"),
                ("Esc", "key"),
                (" back to what was typed", "faint"),
            )
        )
        return lines

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "escape":
                self.post_message(self.Closed())
            case "enter" | "tab":
                if self._found:
                    self.post_message(self.Chosen(self._prompts[self._found[self._at]]))
            case "down" | "ctrl+r" | "ctrl+n":
                self._move(1)
            case "up" | "ctrl+p":
                self._move(-1)
            case "backspace":
                self._search(self._query[:-1])
            case "ctrl+u":
                self._search("")
            case "ctrl+w":
                self._search(self._query.rstrip().rpartition(" ")[0])
            case _ if event.is_printable and event.character:
                self._search(self._query + event.character)
            case _:
                return
        event.prevent_default()
        event.stop()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._search(self._query + clean_line(event.text))

    def on_blur(self) -> None:
        self.post_message(self.Closed())

    def _move(self, by: int) -> None:
        if self._found:
            self._at = (self._at + by) % len(self._found)
            self.update_lines()

    def _search(self, query: str) -> None:
        """Prompts that hold every word."""
        self._query, self._at = query, 0
        words = query.casefold().split()
        self._found = [index for index, text in enumerate(self._folded) if all(word in text for word in words)]
        self.update_lines()
