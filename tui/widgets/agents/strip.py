"""The line on top: all agents, those that run first."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from tui.rendering.line import Line, Span
from tui.rendering.palette import Palette
from tui.rendering.tile_views import StripItem, strip_line
from tui.widgets.line_widget import LineWidget


class AgentStrip(LineWidget):
    """A click on a name looks at that agent."""

    class Picked(Message):
        """The user wants to look at an agent."""

        def __init__(self, agent_id: str) -> None:
            super().__init__()
            self.agent_id = agent_id

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="agent-strip")
        self._items: Sequence[StripItem] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, items: Sequence[StripItem]) -> None:
        """The agents as they are now."""
        self._items = items
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        running = sum(not item.info.is_over for item in self._items)
        head: list[Span] = [("Agents ", "heading")]
        if self._items:
            head.append((f"{running} of {len(self._items)} at work ", "muted"))
        line, self._places = strip_line(self._items, head, width)
        return [line]

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        for start, end, agent_id in self._places if at is not None else ():
            if at is not None and start <= at.x < end:
                self.post_message(self.Picked(agent_id))
