"""Search in the conversation: which blocks hold a text, and the rows and columns where it shows."""

from __future__ import annotations

from tui.rendering.line import Line, cell_len, plain
from tui.widgets.transcript.layout import Layout
from tui.widgets.transcript.viewport import Place


class Search:
    """One query. Small letters find large ones too; a query with a large letter is taken exactly."""

    def __init__(self, layout: Layout, query: str) -> None:
        self._layout = layout
        self.query = query
        self._exact = query != query.lower()
        self.blocks: list[int] = []
        """Numbers of the blocks that hold it, shown or folded away."""
        self.total = 0
        """How often it occurs."""
        self.current: Place | None = None
        """The row of the hit that was gone to."""
        self._counts: dict[int, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look again: the conversation has changed."""
        self._counts = {}
        for at, entry in enumerate(self._layout):
            count = self._folded_case(entry.block.searched).count(self._folded_case(self.query))
            if count:
                self._counts[at] = count
        self.blocks = list(self._counts)
        self.total = sum(self._counts.values())

    def drop(self, at: int) -> None:
        """A block was taken away."""
        if self.current is not None:
            place, row = self.current
            self.current = None if place == at else (place - (place > at), row)
        self.refresh()

    def columns(self, line: Line) -> list[tuple[int, int]]:
        """Where it stands in a drawn line, in cells."""
        text = self._folded_case(plain(line))
        query = self._folded_case(self.query)
        found: list[tuple[int, int]] = []
        start = text.find(query)
        while start >= 0:
            column = cell_len(text[:start])
            found.append((column, column + cell_len(query)))
            start = text.find(query, start + len(query))
        return found

    def step(self, direction: int, start: Place) -> Place | None:
        """Go to the next hit (1) or the one before (-1), from ``start`` where there is no current one.

        Goes on at the other end when there are no more. A block whose hits are folded away is unfolded.
        """
        self.refresh()
        at, row = self.current or (start[0], start[1] - direction)
        ahead = [place for place in self.blocks if (place - at) * direction >= 0]
        behind = [place for place in self.blocks if (place - at) * direction < 0]
        # Once around, and at last what is on the other side in the block where it began.
        ring = [*ahead[::direction], *behind[::direction], *(ahead[::direction][:1] if at in self._counts else ())]
        self.current = None
        for number, place in enumerate(ring):
            rows = self._rows(place)[::direction]
            if place == at and number == 0:
                rows = [found for found in rows if (found - row) * direction > 0]
            if rows:
                self.current = (place, rows[0])
                break
        return self.current

    @property
    def number(self) -> int:
        """Which hit the current one is, counted from 1; 0 where there is none."""
        if self.current is None:
            return 0
        at, row = self.current
        before = sum(count for place, count in self._counts.items() if place < at)
        lines, margin = self._layout.lines(at), self._layout[at].block.margin
        shown = sum(len(self.columns(line)) for line in lines[: row - margin])
        return min(before + shown + 1, self.total)

    def _rows(self, at: int) -> list[int]:
        block = self._layout[at].block
        rows = self._shown_rows(at)
        if block.folded and self._shown(at) < self._counts[at] and block.toggle():
            unfolded = self._shown_rows(at)
            if len(unfolded) > len(rows):
                rows = unfolded
            else:
                block.toggle()
        # A hit that a wrap tears apart has no row of its own: the block's first has to do.
        return rows or [block.margin]

    def _shown(self, at: int) -> int:
        return sum(len(self.columns(line)) for line in self._layout.lines(at))

    def _shown_rows(self, at: int) -> list[int]:
        margin = self._layout[at].block.margin
        return [number + margin for number, line in enumerate(self._layout.lines(at)) if self.columns(line)]

    def _folded_case(self, text: str) -> str:
        return text if self._exact else text.lower()
