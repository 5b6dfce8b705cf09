"""A list of blocks of which only the lines in view are rendered and drawn: scrolling, following, painting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.widgets.sized import Sized
from tui.widgets.transcript.drawing import GUTTER, Pencil
from tui.widgets.transcript.layout import Layout
from tui.widgets.transcript.ticking import Ticker
from tui.widgets.transcript.viewport import Place, Viewport
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    # Blocks bring the whole protocol with them, which the first paint does not wait for.
    from tui.widgets.transcript.blocks import Block

RIGHT_MARGIN = 1
WHEEL_LINES = 3
"""Lines for a notch of the wheel."""


class WindowedView(Walled, Sized, ScrollView, can_focus=True):
    """Shows blocks in order and follows the end, unless the reader has scrolled up.

    Where the view stands is the business of the ``Viewport``; Textual's scroll position only mirrors it for the
    scrollbar, and everything that wants to scroll comes through ``scroll_to``.
    """

    DEFAULT_CSS = """
    WindowedView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """
    ALLOW_SELECT = False
    # A click acts and a drag selects, but the keys stay where the user types.
    FOCUS_ON_CLICK = False
    # A longer conversation is no reason to lay out the screen anew, or to repaint rows that are the same.
    virtual_size = Reactive(Size(0, 0), layout=False, repaint=False)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self.plan = Layout()
        self.viewport = Viewport(self.plan)
        self._pencil: Pencil | None = None
        self._painted: list[Strip] = []
        self._thumb: tuple[int, int, int, bool] = (0, 0, 0, False)
        self._seen_blocks = 0
        self._ticker = Ticker(self, self.flush)
        self.is_seen = True
        """Whether anybody can see it: else what comes waits for a ``flush`` later on."""

    # What a presenter does

    def append(self, block: Block) -> None:
        """Add a block at the end; drawn at the next ``flush``."""
        self.plan.append(block)
        self._ticker.look_at(block)

    def changed(self, block: Block) -> None:
        """A block has changed; drawn at the next ``flush``."""
        self._ticker.look_at(block)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        self._ticker.drop(block)
        at = self.plan.place(block.id)
        if at is not None:
            self.plan.drop(at)
            self.viewport.drop(at)
            self._seen_blocks -= at < self._seen_blocks

    def flush(self) -> None:
        """Lay out what is in view and has changed, and draw it; where nobody sees it that waits."""
        if not self.plan.width or not self.is_seen:
            return
        self.viewport.settle()
        self.show_position()

    def block(self, block_id: str) -> Block | None:
        """A block by its id."""
        at = self.plan.place(block_id)
        return None if at is None else self.plan[at].block

    @property
    def blocks(self) -> Iterable[Block]:
        """In order."""
        return (entry.block for entry in self.plan)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        self._pencil = None
        self.refresh()

    # Scrolling

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Show a line first; nothing here is animated."""
        if y is not None:
            self.viewport.go_to_line(round(y))
            self.show_position()

    def scroll_lines(self, lines: int) -> None:
        """Scroll down, or up where negative."""
        self.viewport.move(lines)
        self.show_position()

    def scroll_edge(self, direction: int) -> None:
        """To the beginning (-1), or to the end (1), following again."""
        self.viewport.go_to_end(direction)
        self.show_position()

    def show_position(self) -> None:
        """Bring scrollbar and rows to where the viewport stands."""
        viewport = self.viewport
        total = self.plan.heights.total
        if viewport.following:
            self._seen_blocks = len(self.plan)
        self.virtual_size = Size(self.plan.width, total)
        line = viewport.line
        self.scroll_y = self.scroll_target_y = line
        self._show_thumb(line, total)
        self._paint()

    def _show_thumb(self, line: int, total: int) -> None:
        """Move the scrollbar where it would look different: it draws eighths of a cell."""
        height = self.viewport.height
        eighths = (line * height * 8 // max(1, total), height * height * 8 // max(1, total), height, total > height)
        if eighths != self._thumb:
            self._thumb = eighths
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = total, height, line

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The scrollbar is told by ``show_position``, the rows are painted by it."""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.prevent_default()
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_resize(self, event: events.Resize) -> None:
        region = self.scrollable_content_region
        if region.width <= GUTTER + RIGHT_MARGIN or region.height <= 0:
            return
        self.viewport.resize(region.width - GUTTER - RIGHT_MARGIN, region.height)
        self.show_position()

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        # The colours of the stylesheet may have changed since the rows were painted.
        if self._pencil is None or self._pencil.base != self.rich_style:
            self._paint()
        # The rows are whole as they are painted: no border, no padding, one background.
        painted = self._painted
        rows = [painted[y] if y < len(painted) else self.render_line(y) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            rows = [row.apply_filter(line_filter, background) for row in rows]
        # As a rule all of a row is asked for, and nothing is to be made anew.
        return [
            row
            if row.cell_length == crop.width and not crop.x
            else row.adjust_cell_length(crop.right, self.rich_style).crop(crop.x, crop.right)
            for row in rows
        ]

    def render_line(self, y: int) -> Strip:
        if y < len(self._painted):
            return self._painted[y]
        return Strip.blank(self.size.width, self.rich_style)

    def decorate(self, strip: Strip, place: Place, line: Line | None, pencil: Pencil) -> Strip:
        """Mark a row that is about to be shown; ``line`` is None in a margin."""
        return strip

    def footer_strip(self, pencil: Pencil) -> Strip | None:
        """What stands over the last row in view."""
        return None

    def _paint(self) -> None:
        """Make the rows in view, and have those repainted that are others than before."""
        pencil, rows = self._ready_pencil(), self.viewport.rows
        strips = [self._strip(place, pencil) for place in rows]
        strips += [pencil.blank] * (self.viewport.height - len(strips))
        footer = self.footer_strip(pencil)
        if footer is not None and strips:
            strips[-1] = footer
        before, self._painted = self._painted, strips
        width = self.size.width
        for region in _changed(before, strips, width):
            self.refresh(region)

    def _ready_pencil(self) -> Pencil:
        pencil, base = self._pencil, self.rich_style
        # The column under the scrollbar too: that is how rows are asked for.
        width = self.size.width
        if pencil is None or pencil.base != base or pencil.width != width:
            pencil = self._pencil = Pencil(self._palette, width, base)
            self.plan.forget_strips()
        return pencil

    def _strip(self, place: Place, pencil: Pencil) -> Strip:
        at, row = place
        entry = self.plan[at]
        lines = entry.lines if entry.lines is not None else self.plan.lines(at)
        number = row - entry.block.margin
        if number < 0 or number >= len(lines):
            return self.decorate(pencil.blank, place, None, pencil)
        strip = entry.strips.get(number)
        if strip is None:
            strip = entry.strips[number] = pencil.row(lines[number])
        return self.decorate(strip, place, lines[number], pencil)


def _changed(before: list[Strip], after: list[Strip], width: int) -> list[Region]:
    """The regions of rows that differ."""
    regions: list[Region] = []
    start: int | None = None
    for y in range(len(after) + 1):
        differs = y < len(after) and (y >= len(before) or (after[y] is not before[y] and after[y] != before[y]))
        if differs and start is None:
            start = y
        elif not differs and start is not None:
            regions.append(Region(0, start, width, y - start))
            start = None
    return regions
