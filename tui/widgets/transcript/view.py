"""The conversation as one widget: it draws only the lines in view, from strips that are cached per block."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keymap import TRANSCRIPT_KEYS, bindings
from tui.rendering.line import Line, cell_len
from tui.rendering.palette import Palette
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    # Blocks bring the whole protocol with them, which the first paint does not wait for.
    from tui.widgets.transcript.blocks import Block


class _Entry:
    """A block with its lines at the present width and the strips drawn so far."""

    __slots__ = ("block", "height", "lines", "revision", "stable", "strips")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.revision = -1
        self.lines: list[Line] = []
        self.strips: dict[int, Strip] = {}
        self.stable = 0
        """Lines that could not change any more when they were last drawn."""
        self.height = 0

    def render(self, width: int) -> None:
        """Bring the lines up to date; strips of lines that cannot have changed are kept."""
        if self.revision == self.block.revision:
            return
        self.lines = self.block.lines(width)
        self.strips = {at: strip for at, strip in self.strips.items() if at < self.stable}
        self.stable = self.block.stable_lines(width)
        self.revision = self.block.revision
        self.height = len(self.lines) + (self.block.margin if self.lines else 0)

    def forget(self) -> None:
        """The width or the colours have changed: nothing drawn is good any more."""
        self.revision = -1
        self.stable = 0
        self.strips = {}


class TranscriptView(Walled, ScrollView, can_focus=True):
    """Shows blocks in order, follows the end unless the reader has scrolled up."""

    DEFAULT_CSS = """
    TranscriptView {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = bindings(TRANSCRIPT_KEYS)

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._entries: list[_Entry] = []
        self._index: dict[str, int] = {}
        self._tops: list[int] = []
        self._dirty_from = 0
        self._width = 0
        self._following = True
        self._seen_blocks = 0
        self._cursor: int | None = None

    # What a presenter does

    def append(self, block: Block) -> None:
        """Add a block at the end; drawn at the next ``flush``."""
        self._index[block.id] = len(self._entries)
        self._entries.append(_Entry(block))
        self._dirty_from = min(self._dirty_from, len(self._entries) - 1)

    def changed(self, block: Block) -> None:
        """A block has changed; drawn at the next ``flush``."""
        at = self._index.get(block.id)
        if at is not None:
            self._dirty_from = min(self._dirty_from, at)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        at = self._index.get(block.id)
        if at is None:
            return
        del self._entries[at]
        self._index = {entry.block.id: i for i, entry in enumerate(self._entries)}
        self._cursor = None
        self._dirty_from = min(self._dirty_from, at)

    def flush(self) -> None:
        """Lay out what has changed and draw it."""
        if not self._width or self._dirty_from > len(self._entries):
            return
        top = self._tops[self._dirty_from - 1] if self._dirty_from else 0
        if self._dirty_from:
            top += self._entries[self._dirty_from - 1].height
        del self._tops[self._dirty_from :]
        for entry in self._entries[self._dirty_from :]:
            entry.render(self._width)
            self._tops.append(top)
            top += entry.height
        self._dirty_from = len(self._entries) + 1
        self.virtual_size = Size(self._width, top)
        if self._following:
            self._seen_blocks = len(self._entries)
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.refresh()

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        for entry in self._entries:
            entry.strips = {}
        self.refresh()

    @property
    def blocks(self) -> Iterable[Block]:
        """In order."""
        return (entry.block for entry in self._entries)

    # What the reader does

    def scroll_page(self, direction: int) -> None:
        """Scroll most of a page up (-1) or down (1)."""
        self._scroll_by(direction * max(1, self.size.height - 2))

    def scroll_edge(self, direction: int) -> None:
        """To the beginning (-1), or to the end (1), following again."""
        self._following = direction > 0
        self._seen_blocks = len(self._entries)
        self.scroll_to(y=0 if direction < 0 else self.max_scroll_y, animate=False, immediate=True)
        self.refresh()

    def unfold_all(self) -> bool:
        """Unfold everything, or fold it where all is unfolded; whether it is unfolded now."""
        foldable = [entry.block for entry in self._entries if entry.block.is_foldable]
        unfold = any(block.folded for block in foldable)
        for block in foldable:
            if block.folded == unfold:
                block.toggle()
        self._dirty_from = 0
        self.flush()
        return unfold

    def action_step(self, direction: int) -> None:
        """Move the block cursor and bring the block into view."""
        if not self._entries:
            return
        last = len(self._entries) - 1
        at = last if self._cursor is None else min(max(self._cursor + direction, 0), last)
        self._cursor = at
        top, height = self._tops[at], self._entries[at].height
        if top < self.scroll_offset.y:
            self._scroll_by(top - self.scroll_offset.y)
        elif top + height > self.scroll_offset.y + self.size.height:
            self._scroll_by(min(top, top + height - self.size.height) - self.scroll_offset.y)
        self.refresh()

    def action_fold(self) -> None:
        """Fold or unfold the block under the cursor."""
        if self._cursor is not None:
            self._toggle(self._cursor)

    # Textual

    def on_resize(self, event: events.Resize) -> None:
        width = self.scrollable_content_region.width
        if width != self._width and width > 0:
            self._width = width
            for entry in self._entries:
                entry.forget()
            self._dirty_from = 0
            self.flush()
        if self._following:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if self._is_behind and event.y == self.size.height - 1:
            self.scroll_edge(1)
            return
        at = bisect_right(self._tops, line) - 1
        if at >= 0 and line < self._tops[at] + self._entries[at].height:
            self._cursor = at
            self._toggle(at)

    def on_blur(self) -> None:
        self._cursor = None
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._following = new_value >= self.max_scroll_y - 0.5
        if self._following:
            self._seen_blocks = len(self._entries)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if self._is_behind and y == self.size.height - 1:
            return self._pill(width, base)
        strip = self._line(y + self.scroll_offset.y)
        if strip is None:
            return Strip.blank(width, base)
        return strip.adjust_cell_length(width, base).apply_style(base)

    # Inside

    def _line(self, number: int) -> Strip | None:
        at = bisect_right(self._tops, number) - 1
        if at < 0 or at >= len(self._entries):
            return None
        entry = self._entries[at]
        row = number - self._tops[at] - entry.block.margin
        if row < 0 or row >= len(entry.lines):
            return None
        strip = entry.strips.get(row)
        if strip is None:
            strip = entry.strips[row] = Strip(self._palette.segments(entry.lines[row]))
        if at == self._cursor and self.has_focus:
            return strip.apply_style(Style(bold=True)) if row else strip.apply_style(Style(reverse=True))
        return strip

    def _pill(self, width: int, base: Style) -> Strip:
        fresh = len(self._entries) - self._seen_blocks
        text = f" ↓ {fresh} new · Ctrl+End " if fresh > 0 else " ↓ Ctrl+End to follow "
        left = max(0, (width - cell_len(text)) // 2)
        segments = self._palette.segments(((" " * left, "text"), (text, "badge")))
        return Strip(segments).adjust_cell_length(width, base).apply_style(base)

    @property
    def _is_behind(self) -> bool:
        return not self._following and self.max_scroll_y > 0

    def _toggle(self, at: int) -> None:
        if self._entries[at].block.toggle():
            self._dirty_from = min(self._dirty_from, at)
            self._following = False
            self.flush()
            self._following = self.scroll_offset.y >= self.max_scroll_y

    def _scroll_by(self, lines: float) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)
