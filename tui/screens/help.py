"""The list of keys, written by the keymap itself."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui.keymap import ALL_KEYS
from tui.rendering.line import Line, cell_len
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget
from tui.widgets.wall import Walled

KEY_COLUMN = 14


class _Keys(LineWidget):
    def build(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for group in ("Session", "Conversation", "Input"):
            lines.append(((group, "heading"),))
            for key in ALL_KEYS:
                if key.group == group and key.shown:
                    gap = " " * max(1, KEY_COLUMN - cell_len(key.shown))
                    lines.append((("  ", "text"), (key.shown, "key"), (gap + key.tooltip, "text")))
            lines.append((("", "text"),))
        lines.append((("A line may begin with / for a command or ! for the shell; @ mentions a file.", "muted"),))
        lines.append((("While it works, Enter queues a message: it is sent after the running step.", "muted"),))
        lines.append((("Answer questions with their letters; Tab adds a comment to the answer.", "muted"),))
        lines.append((("Esc closes this.", "muted"),))
        return lines


class HelpScreen(Walled, ModalScreen[None]):
    """Any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", id="help.close", tooltip="Close")
    ]

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield _Keys(self._palette)
