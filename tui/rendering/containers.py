"""Lists, quotes and tables that are still open at the end of a growing text, and how far they are finished.

`find_finished` looks for the last place before which nothing can change any more. A `Head` is a small text that opens
the same containers again: put before what follows that place, it lets the parser go on without what came before. It
decides nothing about looks.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.rendering.blocks import TASKS, Source
from tui.rendering.parser import Block, siblings
from tui.rendering.tables import TableLayout, sample_size

if TYPE_CHECKING:
    from markdown_it.token import Token

_ITEM = re.compile(r"( {0,3}(?:[-+*]|\d{1,9}[.)]))( *)")
_QUOTE = re.compile(r" {0,3}> ?")
# What opens a container must hold something.
_FILLER = "x"


class Level(NamedTuple):
    """An open item of a list, or an open quote."""

    first: str
    """What its first line begins with."""
    rest: str
    """What its other lines begin with."""
    line: int
    """The line it begins on."""
    after: int
    """The column behind its beginning on that line."""
    number: int | None = None
    task: str = ""
    is_empty: bool = False


class Finished(NamedTuple):
    """Nothing before a line can change. Levels are open there; a table is, too, if its first two lines are given."""

    line: int
    levels: tuple[Level, ...]
    table: tuple[str, ...] = ()
    table_line: int = 0
    is_item: bool = False


class OpenCode(NamedTuple):
    """A fenced block at the end: its line, the levels around it, and on how many of them something was drawn before."""

    line: int
    levels: tuple[Level, ...]
    drawn: int
    opening: str

    @property
    def start(self) -> int:
        """The line on which its outermost level begins that shows nothing yet, or its own."""
        return self.levels[self.drawn].line if self.drawn < len(self.levels) else self.line


class Head:
    """The open containers behind a finished place; ``before`` is the line above it."""

    def __init__(
        self,
        levels: Sequence[Level] = (),
        before: str = "",
        table: Sequence[str] = (),
        layout: TableLayout | None = None,
    ) -> None:
        self.levels = tuple(levels)
        self._before = before
        self._layout = layout
        rows: list[str] = []
        for level in self.levels:
            rows += [f"{prefix_of(self.levels[: len(rows) // 2])}{level.first}{level.task}{_FILLER}"]
            rows += [prefix_of(self.levels[: len(rows) // 2 + 1])]
        self.opening = "".join(f"{row}\n" for row in rows)
        self.text = self.opening + "".join(f"{prefix_of(self.levels)}{row}\n" for row in table)
        self.count = len(rows) + len(table)

    def source(self, text: str) -> Source:
        """What the renderer needs to know of a text that begins with this head."""
        lines = text.split("\n")
        numbers = {2 * at: level.number for at, level in enumerate(self.levels) if level.number is not None}
        above = 2 * len(self.levels) - 1
        if above >= 0:
            lines[above] = self._before
        return Source(lines, numbers, {} if self._layout is None else {above + 1: self._layout}, {})


def prefix_of(levels: Sequence[Level]) -> str:
    """What a line inside of levels begins with."""
    return "".join(level.rest for level in levels)


def probe_of(levels: Sequence[Level], drawn: int) -> str:
    """A line that stands for any text inside of levels; those behind the first `drawn` begin with it."""
    # A heading needs no blank line above it, which might belong to the block above.
    opened = "".join(level.first for level in levels[drawn:])
    return f"{prefix_of(levels[:drawn])}{opened}###### {_FILLER}"


def inside(line: str, levels: Sequence[Level]) -> str | None:
    """What a line of code holds inside of levels; none if it stands outside and ends them."""
    at = 0
    for level in levels:
        if level.rest.startswith(">"):
            match = _QUOTE.match(line, at)
            if match is None:
                return None
            at = match.end()
        elif line.startswith(level.rest, at):
            at += len(level.rest)
        elif not line[at:].strip(" "):
            at = len(line)
        else:
            return None
    return line[at:]


def find_finished(
    blocks: Sequence[Block], source: Source, complete: int, skipped: int
) -> tuple[Finished | None, OpenCode | None]:
    """The last place before which all is final, and the code block at the end; the first `skipped` lines are a head.

    `complete` is the number of complete lines. What a line is may depend on the line below it (a table does).
    """
    search = _Search(source, complete, skipped)
    search.children([block.tokens for block in blocks], (), 0)
    return search.finished, search.code


class _Search:
    """Walks down the last children of a text."""

    def __init__(self, source: Source, complete: int, skipped: int) -> None:
        self._source = source
        self._complete = complete
        self._skipped = skipped
        self.finished: Finished | None = None
        self.code: OpenCode | None = None

    def children(self, groups: "Sequence[Sequence[Token]]", levels: tuple[Level, ...], drawn: int) -> None:
        """Look at the children of a container; `drawn` of its levels stand on rows before the first child."""
        if not groups:
            return
        last = self._certain(groups)
        if last:
            self._found(Finished(_start(groups[last]), levels))
        if len(groups) > 1:
            drawn = len(levels)
        end = groups[-1]
        if end[0].type == "fence":
            self._open_code(end[0], levels, drawn)
        elif last == len(groups) - 1:
            self._descend(end, levels, drawn)

    def _descend(self, tokens: "Sequence[Token]", levels: tuple[Level, ...], drawn: int) -> None:
        match tokens[0].type:
            case "blockquote_open":
                level = self._quote(_start(tokens), levels)
                if level is not None:
                    self.children(list(siblings(tokens[1:-1])), (*levels, level), drawn)
            case "bullet_list_open" | "ordered_list_open":
                self._list(tokens, levels, drawn)
            case "table_open":
                self._table(tokens, levels)
            case _:
                pass

    def _list(self, tokens: "Sequence[Token]", levels: tuple[Level, ...], drawn: int) -> None:
        items = list(siblings(tokens[1:-1]))
        number: int | None = None
        if tokens[0].type == "ordered_list_open":
            number = self._source.numbers.get(_start(tokens), int(tokens[0].attrs.get("start", 1)))
        last = self._certain(items)
        if last:
            above = self._item(items[last - 1], levels, None if number is None else number + last - 1)
            if above is not None and not above.is_empty:
                self._found(Finished(_start(items[last]), (*levels, above), is_item=True))
        if last == len(items) - 1:
            level = self._item(items[last], levels, None if number is None else number + last)
            if level is not None:
                inner = list(siblings(items[last][1:-1]))
                self.children(inner, (*levels, level), len(levels) if last else drawn)

    def _table(self, tokens: "Sequence[Token]", levels: tuple[Level, ...]) -> None:
        rows = [token.map[0] for token in tokens if token.type == "tr_open" and token.map][1:]
        sure = [line for line in rows if line < self._complete]
        cells = self._source.lines
        if len(sure) < 2 or (
            _start(tokens) not in self._source.continued
            and sample_size([len(cells[line]) for line in sure]) >= len(sure) - 1
        ):
            return
        opening: list[str] = []
        for line in (_start(tokens), _start(tokens) + 1):
            at = self._position(line, levels)
            if at is None:
                return
            opening.append(cells[line][at:])
        self._found(Finished(sure[-1], levels, tuple(opening), _start(tokens)))

    def _open_code(self, token: "Token", levels: tuple[Level, ...], drawn: int) -> None:
        line = token.map[0] if token.map else 0
        at = self._position(line, levels)
        if at is None or line >= self._complete:
            return
        opening = self._source.lines[line][at:]
        # The line may still turn out to be the head of a table.
        if "|" in opening and line + 1 >= self._complete:
            return
        # A level shows nothing as long as the block in it does not.
        has_rows = token.info.strip() or (token.content and line + 1 < self._complete)
        if not levels or has_rows:
            self.code = OpenCode(line, levels, drawn, opening)

    def _certain(self, groups: "Sequence[Sequence[Token]]") -> int:
        """The index of the last sibling that is certainly not a part of the one above."""
        return max((at for at, tokens in enumerate(groups) if _start(tokens) + 1 < self._complete), default=0)

    def _found(self, finished: Finished) -> None:
        if finished.line > self._skipped:
            self.finished = finished

    def _quote(self, line: int, levels: tuple[Level, ...]) -> Level | None:
        at = self._position(line, levels)
        match = None if at is None else _QUOTE.match(self._source.lines[line], at)
        return None if match is None else Level("> ", "> ", line, match.end())

    def _item(self, tokens: "Sequence[Token]", levels: tuple[Level, ...], number: int | None) -> Level | None:
        line = _start(tokens)
        text = self._source.lines[line]
        at = self._position(line, levels)
        match = None if at is None else _ITEM.match(text, at)
        if at is None or match is None:
            return None
        blanks = len(match[2])
        # Deeper text is code inside of the item; an item may begin with a blank line.
        size = len(match[1]) + (1 if blanks > 4 or match.end() == len(text) else blanks)
        first = match[1].ljust(size)
        task = ""
        if len(tokens) > 3 and tokens[1].type == "paragraph_open" and tokens[2].content[:4] in TASKS:
            task = tokens[2].content[:4]
        return Level(first, " " * size, line, at + size, number, task, is_empty=len(tokens) < 3)

    def _position(self, line: int, levels: tuple[Level, ...]) -> int | None:
        """The column where the text inside of levels begins on a line."""
        text = self._source.lines[line]
        at = 0
        for level in levels:
            if level.line == line:
                at = level.after
            elif level.rest.startswith(">"):
                match = _QUOTE.match(text, at)
                if match is None:
                    return None
                at = match.end()
            elif text.startswith(level.rest, at):
                at += len(level.rest)
            else:
                return None
        return at


def _start(tokens: "Sequence[Token]") -> int:
    return tokens[0].map[0] if tokens[0].map else 0
