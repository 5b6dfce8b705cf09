"""A fenced code block at the end of a growing text, wherever it stands: its rows with what stands before them.

Takes lines as they come and gives rows that are final, or the rows that are not. The code itself is drawn by
`tui.rendering.fence`.
"""

from tui.rendering.containers import OpenCode, inside
from tui.rendering.fence import OpenFence
from tui.rendering.line import Line, line_width


class FencedRows:
    """`lead` stands above its first row, which begins with `first`; the others begin with `rest`."""

    def __init__(self, code: OpenCode, width: int, lead: list[Line], first: Line, rest: Line) -> None:
        self.levels = code.levels
        self.last_line = code.opening
        self.has_ended = False
        self._fence = OpenFence(code.opening, width - line_width(rest))
        self._lead = lead
        self._first = first
        self._rest = rest
        self._began = False

    def label(self) -> list[Line]:
        """The row above the code, which is final at once."""
        return self._final(self._fence.label)

    def push(self, line: str) -> tuple[list[Line], int]:
        """Take a complete line; return the rows that are final now, and how many lines (0 or 1) belong to the block."""
        code = inside(line, self.levels)
        if code is None:
            self.has_ended = True
            return self._final(self._fence.pending("", last=False)), 0
        self.last_line = line
        rows, self.has_ended = self._fence.push(code)
        return self._final(rows), 1

    def finish(self, unfinished: str) -> list[Line]:
        """The last rows, the text being complete; the block has ended before the last line if that is outside of it."""
        code = inside(unfinished, self.levels)
        self.has_ended = code is None
        return self._final(self._fence.pending(code or "", last=code is not None))

    def pending(self, unfinished: str) -> list[Line]:
        """The rows that are not final."""
        return self._dressed(self._fence.pending(inside(unfinished, self.levels) or "", last=False))

    def _final(self, rows: list[Line]) -> list[Line]:
        rows = self._dressed(rows)
        self._began = self._began or bool(rows)
        return rows

    def _dressed(self, rows: list[Line]) -> list[Line]:
        if self._began or not rows:
            return [(*self._rest, *row) for row in rows]
        return [*self._lead, (*self._first, *rows[0]), *((*self._rest, *row) for row in rows[1:])]
