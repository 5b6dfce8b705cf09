"""Messages that wait for their turn, above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.rendering.line import Line, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

if TYPE_CHECKING:
    from core.protocol.views import QueuedMessage

MAX_SHOWN = 4


class QueueLane(LineWidget):
    """One line a message; not there when nothing waits."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="queue")
        self.items: tuple[QueuedMessage, ...] = ()
        self.display = False

    def show(self, items: tuple[QueuedMessage, ...]) -> None:
        """The queue as it is now."""
        self.items = items
        self.display = bool(items)
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        lines: list[Line] = [
            truncate((("  ⏎ queued ", "caution"), (clean_line(item.text), "text")), width)
            for item in self.items[:MAX_SHOWN]
        ]
        if len(self.items) > MAX_SHOWN:
            lines.append(((f"  … {len(self.items) - MAX_SHOWN} more", "muted"),))
        if lines:
            lines.append((("    sent after the running step · ", "faint"), ("↑", "key"), (" takes it back", "faint")))
        return lines
