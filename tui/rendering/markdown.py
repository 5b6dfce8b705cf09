"""Markdown to styled lines: a whole text at once, or a text that is still arriving.

Owns the joining of blocks and the bookkeeping of streams. `MarkdownStream` renders what is finished once for a width:
blocks, and the items of lists, the blocks in quotes, the rows of tables and the lines of code that stand before the
last one. Only the unfinished end of the text is rendered again, so what a delta costs does not grow with the message.
"""

from collections.abc import Sequence

from tui.rendering.blocks import Source, render_block
from tui.rendering.containers import Finished, Head, Level, OpenCode, find_finished, prefix_of, probe_of
from tui.rendering.fenced_rows import FencedRows
from tui.rendering.line import Line
from tui.rendering.parser import Block, parse
from tui.rendering.sanitize import StreamCleaner


def render_markdown(source: str, width: int, *, base: str = "text") -> list[Line]:
    """The lines of a Markdown text, no wider than `width`; `base` is the style below all others."""
    text = _cleaned(source)
    return _draw(parse(text), Head().source(text), max(1, width), base)


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
        self._head = Head()  # The containers that are open before the tail.
        self._head_rows = 0
        self._tail = ""  # The text behind the last committed line.
        self._code: FencedRows | None = None
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
        while self._step_code(self._code) if self._code is not None else self._step_blocks():
            pass

    def _step_blocks(self) -> bool:
        """Render the tail; return whether a part of it is final now, and there is more to do."""
        text = self._head.text + self._tail
        blocks = parse(text)
        if not blocks:
            self._tail = self._tail[self._tail.rfind("\n") + 1 :]
            return False
        source = self._head.source(text)
        finished, code = find_finished(blocks, source, text.count("\n"), self._head.count)
        lines = text.split("\n")
        if code is not None and self._begin_code(code, lines):
            return True
        if self._finished:
            self._committed += self._rows(text)
            self._tail = ""
        elif finished is not None and self._take(finished, lines):
            return True
        else:
            self._open_lines = self._drawn(blocks, source)
        return False

    def _take(self, finished: Finished, lines: list[str]) -> bool:
        """Commit what is final and open the containers around it again; not where that would look different."""
        levels, above = finished.levels, lines[: finished.line]
        text = "".join(f"{line}\n" for line in above)
        source = self._head.source(text)
        rows = self._drawn(parse(text), source)
        layout = None
        if finished.table:
            layout = source.continued.get(finished.table_line) or source.layouts[finished.table_line]
            if layout.widths is not None:
                rows.pop()  # The lower border.
        elif levels and not finished.is_item:
            # As long as all that stands in an item draws nothing, its mark waits for what follows.
            probe = self._rows(text + probe_of(levels, len(levels)))
            if probe[: len(rows)] != rows:
                return False
        self._committed += rows
        self._open_head(Head(levels, above[-1], finished.table, layout))
        self._tail = "\n".join(lines[finished.line :])
        return True

    def _begin_code(self, code: OpenCode, lines: list[str]) -> bool:
        """Commit what stands above a code block, which is then treated line by line; not if its place is unclear."""
        text = "".join(f"{line}\n" for line in lines[: code.start])
        rows = self._rows(text)
        lead: list[Line] = []
        first: Line = ()
        rest: Line = ()
        if code.levels:
            # A letter in the place of the code tells what its rows begin with.
            drawn = self._rows(text + probe_of(code.levels, code.drawn))
            if drawn[: len(rows)] != rows:
                return False
            lead, first = drawn[len(rows) : -1], drawn[-1][:-1]
            rest = _rows_begin(code.levels, self._width, self._base)
        elif rows or self._committed:
            lead = [()]
        self._code = FencedRows(code, self._width, lead, first, rest)
        self._committed += rows + self._code.label()
        self._tail = "\n".join(lines[code.line + 1 :])
        return True

    def _step_code(self, code: FencedRows) -> bool:
        """Take the whole lines of the tail into the code block; return whether the block has ended."""
        *lines, unfinished = self._tail.split("\n")
        for number, line in enumerate(lines):
            rows, used = code.push(line)
            self._committed += rows
            if code.has_ended:
                self._end_code(code, "\n".join([*lines[number + used :], unfinished]))
                return True
        self._tail = unfinished
        if self._finished:
            rows = code.finish(unfinished)
            self._committed += rows
            if code.has_ended:
                self._end_code(code, unfinished)
                return True
            self._tail = ""
        else:
            self._open_lines = code.pending(unfinished)
        return False

    def _end_code(self, code: FencedRows, tail: str) -> None:
        self._code = None
        self._open_head(Head(code.levels, code.last_line) if code.levels else Head())
        self._tail = tail

    def _open_head(self, head: Head) -> None:
        self._head = head
        self._head_rows = len(_draw(parse(head.opening), head.source(head.opening), self._width, self._base))

    def _rows(self, text: str) -> list[Line]:
        return self._drawn(parse(text), self._head.source(text))

    def _drawn(self, blocks: list[Block], source: Source) -> list[Line]:
        """The rows of blocks as they follow on the committed ones."""
        rows = _draw(blocks, source, self._width, self._base)[self._head_rows :]
        return [(), *rows] if rows and self._committed and not self._head.text else rows


def _draw(blocks: list[Block], source: Source, width: int, base: str) -> list[Line]:
    """The rows of blocks, with blank lines between them."""
    lines: list[Line] = []
    for block in blocks:
        rows = render_block(block.tokens, width, base, source)
        if lines and rows:
            lines.append(())
        lines.extend(rows)
    return lines


def _rows_begin(levels: Sequence[Level], width: int, base: str) -> Line:
    """What the rows inside of levels begin with, beside the first one."""
    head = Head(levels)
    text = head.text + prefix_of(levels) + "x"
    return _draw(parse(text), head.source(text), width, base)[-1][:-1]


def _cleaned(source: str) -> str:
    """The text as the parser may see it; cleaned as a stream is, so that both ways agree."""
    cleaner = StreamCleaner()
    return cleaner.feed(source) + cleaner.close()
