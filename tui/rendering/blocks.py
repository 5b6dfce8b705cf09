"""Markdown blocks to lines: headings, paragraphs, lists, quotes, code, tables, rules.

Takes the tokens of one top-level block and returns its lines for a width. It holds no state and joins no blocks: that
is the business of `tui.rendering.markdown`. How an item looks depends on nothing that stands below it, so that lists
can be drawn while they arrive: between two items is a blank line where the source has one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.rendering.fence import code_block
from tui.rendering.inline import inline_spans
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, cell_len, line_width, wrap
from tui.rendering.parser import siblings
from tui.rendering.tables import TableLayout, continue_table, sample_size, table_layout, whole_table

if TYPE_CHECKING:
    from markdown_it.token import Token

# Nested blocks stop moving to the right when this much room is left.
_MIN_WIDTH = 10
_BULLETS = "•◦"
TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}
"""How the first text of an item begins that is a task, and its mark."""
_QUOTE = "▎ "


class Source(NamedTuple):
    """The text of the tokens, and what a part of a text does not tell of the whole."""

    lines: list[str]
    numbers: dict[int, int]
    """The number of the first item of the list that begins on a line, where it is not the one that stands there."""
    continued: dict[int, TableLayout]
    """The layout of a table that goes on one above, by the line it begins on."""
    layouts: dict[int, TableLayout]
    """Filled while drawing: the layout of every table, by the line it begins on."""


class _Place(NamedTuple):
    """Where a block stands: the room it has, the style below it, the number of lists around it."""

    width: int
    base: str
    depth: int
    source: Source


def render_block(tokens: "Sequence[Token]", width: int, base: str, source: Source) -> list[Line]:
    """The lines of one top-level block; no blank line at either end."""
    return _block(tokens, _Place(width, base, 0, source))


def _sequence(tokens: "Sequence[Token]", place: _Place, *, in_item: bool = False) -> list[Line]:
    lines: list[Line] = []
    for group in siblings(tokens):
        block = _block(group, place)
        if lines and block and _is_apart(group, place, in_item=in_item):
            lines.append(())
        lines.extend(block)
    return lines


def _is_apart(tokens: "Sequence[Token]", place: _Place, *, in_item: bool) -> bool:
    """Whether a blank line stands above a block; in lists only where the source has one."""
    start = tokens[0].map[0] if tokens[0].map else 0
    if start in place.source.continued:
        return False
    return not in_item or (start > 0 and not place.source.lines[start - 1].strip(" >"))


def _block(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    first = tokens[0]
    match first.type:
        case "paragraph_open":
            return _text(tokens, place)
        case "heading_open":
            return _heading(tokens, place)
        case "bullet_list_open" | "ordered_list_open":
            return _list(tokens, place)
        case "blockquote_open":
            return _quote(tokens[1:-1], place)
        case "fence":
            return code_block(first.content, first.info, place.width)
        case "code_block":
            return code_block(first.content, "", place.width)
        case "table_open":
            return _table(tokens, place)
        case "hr":
            return [(("─" * place.width, "rule"),)]
        case _:
            return wrap([(first.content, place.base)], place.width)


def _text(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    return [line for line in wrap(inline_spans(tokens[1].content, place.base), place.width) if line]


def _heading(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    level = tokens[0].tag[1:]
    lines = _text(tokens, place._replace(base=f"{place.base} heading.{level}"))
    if lines and level == "1":
        lines.append((("━" * max(line_width(line) for line in lines), f"heading.rule {DECOR_ROW}"),))
    return lines


def _quote(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    base = place.base if place.base.endswith(" quote") else f"{place.base} quote"
    room = place.width - cell_len(_QUOTE)
    if room < _MIN_WIDTH:
        return _sequence(tokens, place._replace(base=base))
    prefix: Span = (_QUOTE, f"quote.mark {DECOR}")
    return [(prefix, *line) for line in _sequence(tokens, place._replace(width=room, base=base))]


def _list(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    opening = tokens[0]
    items = list(siblings(tokens[1:-1]))
    start = None
    if opening.type == "ordered_list_open":
        start = place.source.numbers.get(opening.map[0] if opening.map else 0, int(opening.attrs.get("start", 1)))
    lines: list[Line] = []
    for number, item in enumerate(items):
        mark = _BULLETS[place.depth % 2]
        if start is not None:
            mark = f"{start + number}{item[0].markup}"
        if lines and _is_apart(item, place, in_item=True):
            lines.append(())
        lines.extend(_item(item[1:-1], mark, place))
    return lines


def _item(tokens: "Sequence[Token]", mark: str, place: _Place) -> list[Line]:
    tokens, mark, style = _task(tokens, mark)
    indent = cell_len(mark) + 1
    room = place.width - indent
    inner = place._replace(depth=place.depth + 1)
    if room < _MIN_WIDTH:
        return [*wrap([(mark, style)], place.width), *_sequence(tokens, inner, in_item=True)]
    lines = _sequence(tokens, inner._replace(width=room), in_item=True)
    first: Span = (f"{mark} ", style)
    rest: Span = (" " * indent, f"{place.base} list.indent")
    if not lines:
        return [(first,)]
    return [(first, *lines[0]), *((rest, *line) if line else () for line in lines[1:])]


def _task(tokens: "Sequence[Token]", mark: str) -> "tuple[Sequence[Token], str, str]":
    """Turn the brackets at the start of a task into its mark."""
    if len(tokens) < 2 or tokens[0].type != "paragraph_open":
        return tokens, mark, "list.mark"
    inline = tokens[1]
    box = TASKS.get(inline.content[:4])
    if box is None:
        return tokens, mark, "list.mark"
    shorter = inline.copy(content=inline.content[4:])
    boxed = box if mark in _BULLETS else f"{mark} {box}"
    style = "list.mark.done" if box == "☑" else "list.mark.open"
    return [tokens[0], shorter, *tokens[2:]], boxed, style


def _table(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    rows: list[list[Line]] = []
    sizes: list[int] = []
    aligns: list[str] = []
    heading = False
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
            sizes.append(len(place.source.lines[token.map[0]]) if token.map else 0)
        elif token.type in ("th_open", "td_open"):
            heading = token.type == "th_open"
            if heading:
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
        elif token.type == "inline":
            base = f"{place.base} table.header" if heading else place.base
            rows[-1].append(inline_spans(token.content, base))
    start = tokens[0].map[0] if tokens[0].map else 0
    layout = place.source.continued.get(start)
    if layout is not None:
        return continue_table(rows[0], rows[1:], aligns, place.width, layout)
    layout = table_layout(rows[0], rows[1:], sample_size(sizes[1:]), place.width)
    place.source.layouts[start] = layout
    return whole_table(rows[0], rows[1:], aligns, place.width, layout)
