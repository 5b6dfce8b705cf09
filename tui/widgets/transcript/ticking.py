"""Blocks that tell a time which goes on are drawn anew each second; without any of them nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widget import Widget

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block

TICK_S = 1.0


class Ticker:
    """Touches the blocks that move, and has them drawn by ``redraw``."""

    def __init__(self, widget: Widget, redraw: Callable[[], None]) -> None:
        self._widget = widget
        self._redraw = redraw
        self._moving: dict[str, Block] = {}
        self._timer: Timer | None = None

    @property
    def is_running(self) -> bool:
        """Whether anything moves."""
        return self._timer is not None

    def look_at(self, block: Block) -> None:
        """A block is new or has changed: it may move now."""
        if block.is_moving and block.id not in self._moving:
            self._moving[block.id] = block
            if self._timer is None:
                self._timer = self._widget.set_interval(TICK_S, self._tick)

    def drop(self, block: Block) -> None:
        """A block is gone."""
        self._moving.pop(block.id, None)

    def _tick(self) -> None:
        moving = list(self._moving.values())
        for block in moving:
            block.touch()
            if not block.is_moving:
                self.drop(block)
        if not self._moving and self._timer is not None:
            self._timer.stop()
            self._timer = None
        if moving:
            self._redraw()
