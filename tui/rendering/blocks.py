"""Markdown blocks to lines: headings, paragraphs, lists, quotes, code, tables, rules.

Takes the tokens of one top-level block and returns its lines for a width. It holds no state and joins no blocks: that
is the business of `tui.rendering.markdown`.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.rendering.fence import code_block
from tui.rendering.inline import inline_spans
from tui.rendering.line import DECOR, DECOR_ROW, Line, Span, cell_len, line_width, wrap
from tui.rendering.tables import render_table

if TYPE_CHECKING:
    from markdown_it.token import Token

# Nested blocks stop moving to the right when this much room is left.
_MIN_WIDTH = 10
_BULLETS = "•◦"
_TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}
_QUOTE = "▎ "


class _Place(NamedTuple):
    """Where a block stands: the room it has, the style below it, the number of lists around it."""

    width: int
    base: str
    depth: int


def render_block(tokens: "Sequence[Token]", width: int, base: str) -> list[Line]:
    """The lines of one top-level block; no blank line at either end."""
    return _block(tokens, _Place(width, base, 0))


def _sequence(tokens: "Sequence[Token]", place: _Place, *, tight: bool = False) -> list[Line]:
    lines: list[Line] = []
    for group in _groups(tokens):
        block = _block(group, place)
        if lines and block and not tight:
            lines.append(())
        lines.extend(block)
    return lines


def _groups(tokens: "Sequence[Token]") -> "Iterator[Sequence[Token]]":
    """Cut a run of sibling blocks into blocks."""
    start, depth = 0, 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : index + 1]
            start = index + 1


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
    items = list(_groups(tokens[1:-1]))
    loose = any(
        token.type == "paragraph_open" and not token.hidden and token.level == opening.level + 2 for token in tokens
    )
    start = int(opening.attrs.get("start", 1)) if opening.type == "ordered_list_open" else None
    size = len(str(start + len(items) - 1)) + 1 if start is not None else 1
    lines: list[Line] = []
    for number, item in enumerate(items):
        mark = _BULLETS[place.depth % 2]
        if start is not None:
            mark = f"{start + number}{item[0].markup}".rjust(size)
        if lines and loose:
            lines.append(())
        lines.extend(_item(item[1:-1], mark, place, loose))
    return lines


def _item(tokens: "Sequence[Token]", mark: str, place: _Place, loose: bool) -> list[Line]:
    tokens, mark, style = _task(tokens, mark)
    indent = cell_len(mark) + 1
    room = place.width - indent
    inner = place._replace(depth=place.depth + 1)
    if room < _MIN_WIDTH:
        return [*wrap([(mark, style)], place.width), *_sequence(tokens, inner, tight=not loose)]
    lines = _sequence(tokens, inner._replace(width=room), tight=not loose)
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
    box = _TASKS.get(inline.content[:4])
    if box is None:
        return tokens, mark, "list.mark"
    shorter = inline.copy(content=inline.content[4:])
    boxed = box if mark in _BULLETS else f"{mark} {box}"
    style = "list.mark.done" if box == "☑" else "list.mark.open"
    return [tokens[0], shorter, *tokens[2:]], boxed, style


def _table(tokens: "Sequence[Token]", place: _Place) -> list[Line]:
    rows: list[list[Line]] = []
    aligns: list[str] = []
    heading = False
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            heading = token.type == "th_open"
            if heading:
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
        elif token.type == "inline":
            base = f"{place.base} table.header" if heading else place.base
            rows[-1].append(inline_spans(token.content, base))
    return render_table(rows[0], rows[1:], aligns, place.width)
