"""Blocks laid out in lines: what is rendered of each, and how high it is.

A block is rendered when somebody looks at it, not before: until then its height is an estimate, or what it was at
another width. Rendered lines are kept for the blocks that were looked at last and made anew for the others. Knows
nothing of the screen and of scrolling.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from tui.widgets.transcript.heights import HeightIndex

if TYPE_CHECKING:
    from textual.strip import Strip

    from tui.rendering.line import Line
    from tui.widgets.transcript.blocks import Block

KEPT_LINES = 8_000
"""Rendered lines kept beside those in view; with their strips a line takes about 2 KB."""


class Entry:
    """A block, and what is rendered of it at one width."""

    __slots__ = ("block", "lines", "revision", "stable", "strips", "width")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.revision = -1
        self.width = -1
        self.lines: list[Line] | None = None
        self.strips: dict[int, Strip] = {}
        self.stable = 0
        """Lines that could not change any more when they were last rendered."""

    def forget(self) -> None:
        """Let go of what is rendered; the height stays known."""
        self.lines = None
        self.strips = {}
        self.stable = 0
        self.block.release()


class Layout:
    """All blocks in order with their heights at the present width, margins above them included."""

    def __init__(self, kept_lines: int = KEPT_LINES) -> None:
        self.width = 0
        self.heights = HeightIndex()
        self._kept_lines = kept_lines
        self._entries: list[Entry] = []
        self._index: dict[str, int] = {}
        self._kept: OrderedDict[Entry, int] = OrderedDict()
        """Entries with rendered lines and how many, the one looked at last at the end."""
        self._kept_total = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, at: int) -> Entry:
        return self._entries[at]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def place(self, block_id: str) -> int | None:
        """The number of a block."""
        return self._index.get(block_id)

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        self._index[block.id] = len(self._entries)
        self._entries.append(Entry(block))
        self.heights.append(block.estimated_lines(self.width) + block.margin)

    def drop(self, at: int) -> None:
        """Take a block away."""
        entry = self._entries.pop(at)
        del self._index[entry.block.id]
        for place in range(at, len(self._entries)):
            self._index[self._entries[place].block.id] = place
        self._kept_total -= self._kept.pop(entry, 0)
        self.heights.remove(at)

    def set_width(self, width: int) -> None:
        """Lay out for another width: heights stay as they were until somebody looks."""
        self.width = width

    def forget_strips(self) -> None:
        """The colours have changed."""
        for entry in self._kept:
            entry.strips = {}

    def measure(self, at: int) -> int:
        """Bring a block up to date and give its height in lines."""
        entry = self._entries[at]
        block = entry.block
        if entry.lines is not None:
            self._kept.move_to_end(entry)
        elif entry.width == self.width and entry.revision == block.revision:
            return self.heights[at]
        if entry.lines is None or entry.width != self.width or entry.revision != block.revision:
            self._render(entry)
            count = len(entry.lines or ())
            self.heights.set(at, count + block.margin if count else 0)
        return self.heights[at]

    def lines(self, at: int) -> list[Line]:
        """The lines of a block, without its margin."""
        entry = self._entries[at]
        if entry.lines is None:
            entry.revision = -1
        self.measure(at)
        return entry.lines or []

    def trim(self, in_view: Collection[int]) -> None:
        """Let go of the lines that were not looked at for the longest time, where there are too many."""
        if self._kept_total <= self._kept_lines:
            return
        held = {self._entries[at] for at in in_view}
        for entry in [entry for entry in self._kept if entry not in held]:
            self._kept_total -= self._kept.pop(entry)
            entry.forget()
            if self._kept_total <= self._kept_lines:
                break

    def _render(self, entry: Entry) -> None:
        block = entry.block
        if entry.lines is None or entry.width != self.width:
            entry.lines, entry.strips, entry.stable = [], {}, 0
        start = min(entry.stable, len(entry.lines))
        if start < len(entry.lines):
            entry.strips = {row: strip for row, strip in entry.strips.items() if row < start}
        entry.lines[start:] = block.lines_from(self.width, start)
        entry.stable = block.stable_lines(self.width)
        entry.width, entry.revision = self.width, block.revision
        self._kept_total += len(entry.lines) - self._kept.get(entry, 0)
        self._kept[entry] = len(entry.lines)
        self._kept.move_to_end(entry)
