"""Widgets that hear of every new size.

Textual tells a widget of its size by comparing two layouts. Where something asks for a region in between, the earlier
one has the new size already, and nobody is told: a view that was just opened would stay empty.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.widget import Widget


class Sized(Widget):
    """Is told of its size whenever that is another one."""

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        before = self._size
        has_changed = super()._size_updated(size, virtual_size, container_size, layout)
        if size != before:
            # One that Textual sends too takes the place of this one.
            self.post_message(events.Resize(size, virtual_size, container_size))
        return has_changed
