"""What can be seen of a subagent's conversation in little room: its last words and calls, or its newest lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, truncate, wrap
from tui.rendering.sanitize import clean, clean_line
from tui.widgets.transcript.blocks import Block, NoticeBlock, TextBlock, ThinkingBlock
from tui.widgets.transcript.layout import Layout
from tui.widgets.transcript.tool_block import SIGNS, ToolBlock

TAIL_CHARACTERS = 2_000
"""Of prose that may be long, so many are looked through for its last lines."""
NEWEST_LINES = 200
"""So many lines of a conversation are shown within another one; all of them on the agents screen."""
KEPT_LINES = 1_000


def last_lines(newest: Iterable[Block], count: int, width: int, *, with_asking: bool = True) -> list[Line]:
    """Its last words and calls, the oldest first: prose to its very end, calls on a line each. ``newest``: the last
    block first.

    ``with_asking`` false leaves out the calls that wait for the user, where these are shown anyway."""
    found: list[Line] = []
    for block in newest:
        if len(found) >= count:
            break
        match block:
            case ToolBlock():
                if with_asking or block.state != "asking":
                    sign: Span = (f"{SIGNS[block.state]} ", f"state.{block.state} {DECOR}")
                    found.append(truncate((sign, (clean_line(block.headline), "muted")), width))
            case TextBlock():
                rows = [row for row in clean(block.source[-TAIL_CHARACTERS:]).split("\n") if row.strip()]
                lines = [line for row in rows[-count:] for line in wrap([(row, "text")], width)]
                found += reversed(lines[len(found) - count :])
            case ThinkingBlock() if not block.is_complete:
                found.append((("◆ Thinking", "thinking"),))
            case NoticeBlock():
                found.append(truncate(((clean_line(block.source), "caution"),), width))
            case _:
                pass
    return found[::-1]


class NewestLines:
    """A view of a conversation within a block: the newest of its lines. ``said`` is called when there are others.

    What has not changed is not rendered again: ``Layout`` finds out by the revisions of the blocks what has."""

    def __init__(self, width: int, said: Callable[[], None]) -> None:
        self._said = said
        self._plan = Layout(KEPT_LINES)
        self._plan.set_width(width)

    def __len__(self) -> int:
        return len(self._plan)

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        self._plan.append(block)

    def changed(self, block: Block) -> None:
        """A block has changed."""

    def drop(self, block: Block) -> None:
        """Take a block away."""
        at = self._plan.place(block.id)
        if at is not None:
            self._plan.drop(at)

    def flush(self) -> None:
        """All changes of a batch are told."""
        self._said()

    def lines(self, width: int) -> tuple[list[Line], int]:
        """The newest lines, and about how many there are above them."""
        plan = self._plan
        plan.set_width(width)
        pieces: list[list[Line]] = []
        missing, at = NEWEST_LINES, len(plan)
        while at > 0 and missing > 0:
            at -= 1
            rows = plan.lines(at)
            margin = plan[at].block.margin if rows and at and len(rows) < missing else 0
            pieces.append([*([()] * margin), *rows[-missing:]])
            missing -= len(rows) + margin
        plan.trim(range(at, len(plan)))
        return [line for piece in reversed(pieces) for line in piece], plan.heights.top(at) + max(0, -missing)


def above_line(count: int, key: str, width: int) -> Line:
    """Says how many lines are not shown, and where all of them are."""
    where = f": {key} shows all" if key else ""
    return truncate(((f"… about {count:,} lines above{where}", f"faint {DECOR_ROW}"),), width)
