"""Heights of blocks and their sums: which block a line is in, and where a block begins, without a linear scan.

A Fenwick tree: appending, changing and looking up cost the logarithm of the number of blocks.
"""

from __future__ import annotations

from collections.abc import Sequence


class HeightIndex:
    """Heights in lines, in order; all of them are at least 0."""

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._tree: list[int] = [0]
        """At ``i`` the sum of the ``i & -i`` heights that end with number ``i - 1``."""

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, at: int) -> int:
        return self._heights[at]

    @property
    def total(self) -> int:
        """The sum of all heights."""
        return self.top(len(self._heights))

    def append(self, height: int) -> None:
        """Add a height at the end."""
        self._heights.append(height)
        at = len(self._heights)
        covered = height
        child = at - 1
        while child > at - (at & -at):
            covered += self._tree[child]
            child -= child & -child
        self._tree.append(covered)

    def set(self, at: int, height: int) -> None:
        """Change a height."""
        difference = height - self._heights[at]
        if not difference:
            return
        self._heights[at] = height
        node = at + 1
        while node < len(self._tree):
            self._tree[node] += difference
            node += node & -node

    def remove(self, at: int) -> None:
        """Take a height away; costs as much as there are heights behind it."""
        behind = self._heights[at + 1 :]
        self.truncate(at)
        self.extend(behind)

    def truncate(self, count: int) -> None:
        """Keep only the first heights."""
        del self._heights[count:]
        del self._tree[count + 1 :]

    def extend(self, heights: Sequence[int]) -> None:
        """Add heights at the end."""
        for height in heights:
            self.append(height)

    def top(self, at: int) -> int:
        """The sum of the heights before number ``at``: the line where that block begins."""
        total = 0
        while at > 0:
            total += self._tree[at]
            at -= at & -at
        return total

    def find(self, line: int) -> tuple[int, int]:
        """The block that a line is in, and the line's place in it.

        A line before all of them is at the beginning of the first, one behind them in the last place behind the
        last block: ``(len, 0)``. Blocks without height are never found.
        """
        if line < 0:
            line = 0
        at, rest = 0, line
        step = 1 << max(0, len(self._heights)).bit_length()
        while step:
            upper = at + step
            if upper < len(self._tree) and self._tree[upper] <= rest:
                at = upper
                rest -= self._tree[upper]
            step >>= 1
        return (at, rest) if at < len(self._heights) else (len(self._heights), 0)
