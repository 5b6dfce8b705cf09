"""Markdown to styled lines: a whole text at once, or a text that is still arriving.

Owns the joining of blocks and the bookkeeping of streams. `MarkdownStream` renders every finished block once for a
width; only the unfinished end of the text is rendered again, so what a delta costs does not grow with the message.
"""

from tui.rendering.blocks import render_block
from tui.rendering.fence import OpenFence
from tui.rendering.line import Line
from tui.rendering.parser import Block, parse
from tui.rendering.sanitize import StreamCleaner


def render_markdown(source: str, width: int, *, base: str = "text") -> list[Line]:
    """The lines of a Markdown text, no wider than `width`; `base` is the style below all others."""
    lines: list[Line] = []
    for block in parse(_cleaned(source)):
        _join(lines, render_block(block.tokens, max(1, width), base))
    return lines


class MarkdownStream:
    """Markdown that arrives in pieces. After `finish`, its lines are those of `render_markdown`."""

    def __init__(self, *, base: str = "text") -> None:
        self._base = base
        self._source: list[str] = []
        self._cleaner = StreamCleaner()
        self._incoming: list[str] = []
        self._finished = False
        self._restart(0)

    @property
    def source(self) -> str:
        """Everything that was fed, unchanged."""
        if len(self._source) > 1:
            self._source = ["".join(self._source)]
        return self._source[0] if self._source else ""

    @property
    def is_finished(self) -> bool:
        """Whether the text is complete."""
        return self._finished

    def feed(self, text: str) -> None:
        """Add text. Nothing is rendered before somebody asks for lines."""
        if self._finished:
            raise ValueError("the stream is finished")
        self._source.append(text)
        self._incoming.append(self._cleaner.feed(text))
        self._stale = True

    def finish(self) -> None:
        """Declare the text complete."""
        if not self._finished:
            self._finished = True
            self._incoming.append(self._cleaner.close())
            self._stale = True

    def lines(self, width: int) -> list[Line]:
        """All lines, finished and unfinished."""
        return self.lines_from(width, 0)

    def lines_from(self, width: int, start: int) -> list[Line]:
        """The lines from a row on; what it costs does not depend on the rows before."""
        self._advance(max(1, width))
        committed = len(self._committed)
        if start >= committed:
            return self._open_lines[start - committed :]
        return self._committed[start:] + self._open_lines

    def committed_count(self, width: int) -> int:
        """How many of the first lines will never change at this width."""
        self._advance(max(1, width))
        return len(self._committed)

    def _restart(self, width: int) -> None:
        """Forget everything rendered; the next step renders the text anew."""
        self._width = width
        self._committed: list[Line] = []
        self._open_lines: list[Line] = []  # The lines of the tail; they may still change.
        self._tail = ""  # The text behind the last committed line.
        self._fence: OpenFence | None = None
        self._fence_began = False
        self._stale = True

    def _advance(self, width: int) -> None:
        if width != self._width:
            self._restart(width)
            self._cleaner = StreamCleaner()
            self._incoming = [self._cleaner.feed(self.source)]
            if self._finished:
                self._incoming.append(self._cleaner.close())
        if not self._stale:
            return
        self._stale = False
        self._tail += "".join(self._incoming)
        self._incoming = []
        self._open_lines = []
        while self._step_fence(self._fence) if self._fence is not None else self._step_blocks():
            pass

    def _step_blocks(self) -> bool:
        """Render the tail; return whether it ends in a code block, which is treated line by line."""
        blocks = parse(self._tail)
        complete = self._tail.count("\n")  # The line with this index is unfinished: it may become anything.
        if not blocks:
            self._tail = self._tail[self._tail.rfind("\n") + 1 :]
            return False
        last = blocks[-1]
        if last.tokens[0].type == "fence" and last.start < complete:
            self._commit(blocks[:-1])
            opening, _, self._tail = self._tail[_line_start(self._tail, last.start) :].partition("\n")
            self._fence = OpenFence(opening, self._width)
            self._fence_began = False
            self._commit_fence(self._fence.label)
            return True
        if self._finished:
            self._commit(blocks)
            self._tail = ""
            return False
        # What a line is may depend on the line below it (a table does), so a block needs two whole lines before it
        # is certain that it is not a part of the block above.
        certain = max((index for index, block in enumerate(blocks) if block.start + 1 < complete), default=0)
        self._commit(blocks[:certain])
        self._tail = self._tail[_line_start(self._tail, blocks[certain].start) :]
        lines: list[Line] = []
        for block in blocks[certain:]:
            _join(lines, self._render(block))
        self._show_open(lines)
        return False

    def _step_fence(self, fence: OpenFence) -> bool:
        """Take the whole lines of the tail into the code block; return whether the block has ended."""
        *lines, rest = self._tail.split("\n")
        for number, line in enumerate(lines):
            rows, closed = fence.push(line)
            self._commit_fence(rows)
            if closed:
                self._fence = None
                self._tail = "\n".join([*lines[number + 1 :], rest])
                return True
        self._tail = rest
        rows = fence.pending(rest, last=self._finished)
        if self._finished:
            self._commit_fence(rows)
            self._tail = ""
        elif self._fence_began:
            self._open_lines = rows
        else:
            self._show_open(rows)
        return False

    def _render(self, block: Block) -> list[Line]:
        return render_block(block.tokens, self._width, self._base)

    def _commit(self, blocks: list[Block]) -> None:
        for block in blocks:
            _join(self._committed, self._render(block))

    def _commit_fence(self, rows: list[Line]) -> None:
        if rows and self._fence_began:
            self._committed.extend(rows)
        elif rows:
            _join(self._committed, rows)
            self._fence_began = True

    def _show_open(self, lines: list[Line]) -> None:
        self._open_lines = [(), *lines] if lines and self._committed else lines


def _cleaned(source: str) -> str:
    """The text as the parser may see it; cleaned as a stream is, so that both ways agree."""
    cleaner = StreamCleaner()
    return cleaner.feed(source) + cleaner.close()


def _join(lines: list[Line], block: list[Line]) -> None:
    """Add a block, after a blank line if something stands above."""
    if lines and block:
        lines.append(())
    lines.extend(block)


def _line_start(text: str, number: int) -> int:
    """The position of the first character of a line."""
    position = 0
    for _ in range(number):
        position = text.index("\n", position) + 1
    return position
