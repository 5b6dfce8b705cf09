"""What of the conversation is in view: a window on the layout that is held by a block, not by a line number.

Heights above the window may turn out to be others than was thought, blocks there may fold or grow: the window stays
where the reader put it. Knows nothing of the screen.
"""

from __future__ import annotations

from tui.widgets.transcript.layout import Layout

EXACT_LINES = 1_000
"""A conversation of so few lines is measured as a whole: its scrollbar is exact from the start."""

Place = tuple[int, int]
"""Number of a block, and a row in it; the rows of its margin come first."""


class Viewport:
    """``top`` is the place in the first row. While ``following`` the last line is in the last row."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.height = 0
        self.top: Place = (0, 0)
        self.following = True
        self.rows: list[Place] = []
        """The place of each row in view, as of the last ``settle``; shorter than the window where it is not full."""
        self._put: tuple[Place, int] | None = None
        """What was put first, and how many blocks there were then: a window that gets smaller shows it first again."""

    @property
    def line(self) -> int:
        """The number of the first line in view, as far as heights are known."""
        return self._layout.heights.top(self.top[0]) + self.top[1]

    @property
    def is_full(self) -> bool:
        """Whether there is more than fits into the window."""
        return self._layout.heights.total > self.height

    def resize(self, width: int, height: int) -> None:
        """Another size; what stood in the first row stays there, as far as that can be said at another width."""
        self.height = height
        at, row = self.top
        if width != self._layout.width:
            before = self._layout.heights[at] if at < len(self._layout) else 0
            self._layout.set_width(width)
            if row and before and at < len(self._layout):
                self.top = (at, row * self._layout.measure(at) // before)
        if self._put is not None and self._put[1] == len(self._layout):
            self.top, self.following = self._put[0], False
        self.settle()

    def settle(self) -> None:
        """Render what is in view and fill ``rows``; a window past the end is moved back to it."""
        if not len(self._layout) or self.height <= 0 or self._layout.width <= 0:
            self.rows, self.top = [], (0, 0)
            return
        if self._layout.heights.total <= EXACT_LINES:
            for at in range(len(self._layout)):
                self._layout.measure(at)
        if self.following or not self._fill():
            self._to_end()
            self._fill()
            self.following = True
        else:
            self.following = self._is_at_end()
        self._layout.trim({at for at, _ in self.rows})

    def move(self, lines: int) -> None:
        """Move down, or up where negative, by lines as they really are."""
        self._put, self.following = None, False
        at, row = self.top
        row += lines
        while row < 0 and at > 0:
            at -= 1
            row += self._layout.measure(at)
        while at < len(self._layout) and row >= (height := self._layout.measure(at)):
            row -= height
            at += 1
        self.top = (at, max(0, row))
        self.settle()

    def go_to_line(self, line: int) -> None:
        """Show the line of this number first; it is that line as far as heights are known."""
        distance = line - self.line
        if abs(distance) <= self.height * 2:
            self.move(distance)
            return
        self._put, self.following = None, False
        self.top = self._layout.heights.find(line)
        self.settle()

    def go_to_end(self, direction: int) -> None:
        """To the beginning (-1), or to the end (1) and follow."""
        self._put, self.following = None, direction > 0
        self.top = (0, 0)
        self.settle()

    def reveal(self, place: Place, *, margin: int = 0) -> None:
        """Move as little as it takes to have a place in view, ``margin`` rows from the edge where there is room."""
        margin = min(margin, max(0, self.height // 2 - 1))
        if place in self.rows[margin : len(self.rows) - margin]:
            return
        self.following = False
        above = place < (self.rows[0] if self.rows else self.top) or place in self.rows[:margin]
        self.top = place
        self.move(-margin if above else margin + 1 - self.height)

    def drop(self, gone: int) -> None:
        """A block was taken away; until the next ``settle`` there are just fewer rows."""
        at, row = self.top
        if at >= gone:
            self.top = (at - 1, row) if at > gone else (at, 0)
        self.rows = [(at - (at > gone), row) for at, row in self.rows if at != gone]

    def put_first(self, place: Place) -> None:
        """Show a place in the first row, as far as there is enough below it, also once the window is smaller."""
        self._put, self.following = (place, len(self._layout)), False
        self.top = place
        self.settle()

    def _fill(self) -> bool:
        """Fill the rows from the top on; False where they end before the window does and there is more above."""
        rows: list[Place] = []
        at, row = self.top
        while at < len(self._layout) and len(rows) < self.height:
            height = self._layout.measure(at)
            if at == self.top[0]:
                row = min(row, max(0, height - 1))
                self.top = (at, row)
            last = min(height, row + self.height - len(rows))
            rows += [(at, number) for number in range(row, last)]
            at, row = at + 1, 0
        self.rows = rows
        return len(rows) == self.height or self.top == (0, 0)

    def _to_end(self) -> None:
        missing, at = self.height, len(self._layout)
        while at > 0 and missing > 0:
            at -= 1
            missing -= self._layout.measure(at)
        self.top = (at, max(0, -missing))

    def _is_at_end(self) -> bool:
        at, row = self.rows[-1] if self.rows else (0, 0)
        if row + 1 < self._layout.heights[at]:
            return False
        return all(not self._layout.measure(later) for later in range(at + 1, len(self._layout)))
