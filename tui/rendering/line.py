"""Styled lines and their geometry: measuring, wrapping, cutting and padding.

A span is a text and a style name, a line is a tuple of spans. Widths are those of `rich.cells`, which Textual also
uses for its strips, so a line measured here is as wide on the screen. This module knows no colours and no markup, and
it does not clean text: untrusted strings pass through `tui.rendering.sanitize` before they become spans.

Style names may have words beside them that no theme defines; they tell what of a row is text for whoever copies it
(`tui.rendering.copying`) and never change its look.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from rich.cells import cell_len as _rich_cell_len
from rich.cells import get_character_cell_size

Span = tuple[str, str]
Line = tuple[Span, ...]

DECOR = "decor"
"""Decoration: gutters, margins, signs, line numbers, borders."""
DECOR_ROW = "decor.row"
"""On any span: the whole row is decoration, such as a label or "… 12 more lines"."""
JOINED = "joined"
"""On the first span of a row's text: it goes on the row above, and a blank was swallowed between them."""
GLUED = "glued"
"""On the first span of a row's text: it goes on the row above, and nothing was swallowed."""

ELLIPSIS = "…"
_JOINER = "\u200d"
# Closing punctuation of East Asian text stays on the line of the word before it.
_NEVER_FIRST = frozenset("、。，．）」』】！？：；…")


def cell_len(text: str) -> int:
    """Columns that a text takes on the screen."""
    return _rich_cell_len(text)


def line_width(line: Iterable[Span]) -> int:
    """Columns of a line; spans are measured apart, as Textual measures its segments."""
    return sum(_rich_cell_len(text) for text, _ in line)


def plain(line: Iterable[Span]) -> str:
    """The text of a line without its styles."""
    return "".join(text for text, _ in line)


def graphemes(text: str) -> list[str]:
    """Split a text into units that may not be torn apart; their widths add up to the width of the text."""
    clusters: list[str] = []
    index, length = 0, len(text)
    while index < length:
        start = index
        index += 1
        if _is_regional(text[start]) and index < length and _is_regional(text[index]):
            index += 1
        while index < length:
            if text[index] == _JOINER:
                index += 2  # The joined character belongs to the cluster, whatever it is.
            elif get_character_cell_size(text[index]) == 0:
                index += 1
            else:
                break
        index = min(index, length)
        clusters.append(text[start:index])
    return clusters


def wrap(
    spans: Iterable[Span],
    width: int,
    *,
    first_prefix: Line = (),
    rest_prefix: Line = (),
    words: bool = True,
) -> list[Line]:
    """Wrap spans into lines that are never wider than `width`.

    Newlines in the text start a new line. With `words` false lines break at the last column and no space is dropped,
    which is right for code. A prefix that leaves no room for text is left out. Rows that go on the row above say so
    with a style word, `JOINED` or `GLUED`.
    """
    width = max(1, width)
    first_prefix, first_room = _fitting(first_prefix, width)
    rest_prefix, rest_room = _fitting(rest_prefix, width)
    lines: list[Line] = []
    for row in _rows(spans):
        room = rest_room if lines else first_room
        for piece in _wrap_row(row, room, rest_room, words):
            lines.append((rest_prefix if lines else first_prefix) + piece)
    return lines


def truncate(line: Line, width: int) -> Line:
    """Cut a line to a width, with an ellipsis where text was lost."""
    if line_width(line) <= width:
        return line
    if width <= 0:
        return ()
    kept: list[Span] = []
    room = width - 1
    for text, style in line:
        size = _rich_cell_len(text)
        if size <= room:
            kept.append((text, style))
            room -= size
            continue
        head, used = "", 0
        for cluster in graphemes(text):
            used += _rich_cell_len(cluster)
            if used > room:
                break
            head += cluster
        kept.append((head + ELLIPSIS, style))
        break
    return tuple(kept)


def pad(line: Line, width: int, style: str) -> Line:
    """Fill a line with blanks of one style up to a width."""
    missing = width - line_width(line)
    return (*line, (" " * missing, f"{style} {DECOR}")) if missing > 0 else line


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _fitting(prefix: Line, width: int) -> tuple[Line, int]:
    """The prefix, or none if it leaves no room for a wide character, and the room beside it."""
    room = width - line_width(prefix)
    return (prefix, room) if room >= min(2, width) else ((), width)


def _rows(spans: Iterable[Span]) -> list[list[Span]]:
    """Split spans at newlines; empty spans disappear."""
    rows: list[list[Span]] = [[]]
    for text, style in spans:
        if "\n" not in text:
            if text:
                rows[-1].append((text, style))
            continue
        for number, part in enumerate(text.split("\n")):
            if number:
                rows.append([])
            if part:
                rows[-1].append((part, style))
    return rows


def _wrap_row(row: list[Span], first: int, rest: int, words: bool) -> list[Line]:
    if line_width(row) <= first:
        return [tuple(row)]
    text = plain(row)
    if text.isascii():
        return _slices(row, _ascii_cuts(text, first, rest, words))
    # Clusters are made per span: that is how the screen measures them.
    clusters = [cluster for part, _ in row for cluster in graphemes(part)]
    widths = [_rich_cell_len(cluster) for cluster in clusters]
    if max(widths) > min(first, rest):
        row, clusters, widths = _narrowed(row, min(first, rest))
    return _slices(row, _cluster_cuts(clusters, widths, first, rest, words))


def _narrowed(row: list[Span], room: int) -> tuple[list[Span], list[str], list[int]]:
    """Replace what is wider than a whole line; only happens when the line has a single column."""
    spans = [
        ("".join(c if _rich_cell_len(c) <= room else ELLIPSIS for c in graphemes(text)), style) for text, style in row
    ]
    clusters = [cluster for part, _ in spans for cluster in graphemes(part)]
    return spans, clusters, [_rich_cell_len(cluster) for cluster in clusters]


def _ascii_cuts(text: str, first: int, rest: int, words: bool) -> list[tuple[int, int]]:
    """Slice borders of plain ASCII text, where a character is a column."""
    cuts: list[tuple[int, int]] = []
    start, room, length = 0, first, len(text)
    while length - start > room:
        end = after = start + room
        if words:
            space = text.rfind(" ", start, end + 1)
            head = text[start:space].rstrip(" ") if space > start else ""
            # A line of nothing but indentation would be no progress: then the long word is cut.
            if head:
                end = start + len(head)
                after = space
                while after < length and text[after] == " ":
                    after += 1
        cuts.append((start, end))
        start, room = after, rest
    if start < length:
        cuts.append((start, length))
    return cuts


def _cluster_cuts(
    clusters: Sequence[str], widths: Sequence[int], first: int, rest: int, words: bool
) -> list[tuple[int, int]]:
    """Slice borders of any text, in characters; lines break at spaces and beside wide characters."""
    columns, offsets = [0], [0]
    for cluster, width in zip(clusters, widths, strict=True):
        columns.append(columns[-1] + width)
        offsets.append(offsets[-1] + len(cluster))
    cuts: list[tuple[int, int]] = []
    start, room, count = 0, first, len(clusters)
    while columns[count] - columns[start] > room:
        end = after = bisect_right(columns, columns[start] + room) - 1
        if words:
            end = after = _break_before(clusters, widths, start, end)
            while after < count and clusters[after] == " ":
                after += 1
            while end > start + 1 and clusters[end - 1] == " ":
                end -= 1
        cuts.append((offsets[start], offsets[end]))
        start, room = after, rest
    if start < count:
        cuts.append((offsets[start], offsets[count]))
    return cuts


def _break_before(clusters: Sequence[str], widths: Sequence[int], start: int, limit: int) -> int:
    """The last place in start..limit where a line may end, or `limit` when a word is too long."""
    indent = start
    while indent < limit and clusters[indent] == " ":
        indent += 1
    for place in range(limit, indent, -1):
        after, before = clusters[place], clusters[place - 1]
        wide = widths[place] == 2 or widths[place - 1] == 2
        if after == " " or before == " " or (wide and after not in _NEVER_FIRST):
            return place
    return limit


def _slices(row: list[Span], cuts: list[tuple[int, int]]) -> list[Line]:
    """Cut a row of spans at ascending character borders."""
    lines: list[Line] = []
    index, offset = 0, 0  # The span under the border and the position of its first character.
    reached = 0
    for start, end in cuts:
        line: list[Span] = []
        word = "" if not lines else JOINED if start > reached else GLUED
        reached = end
        while index < len(row) and offset < end:
            text, style = row[index]
            stop = offset + len(text)
            piece = text[max(start - offset, 0) : end - offset]
            if piece:
                line.append((piece, style if line or not word else f"{style} {word}"))
            if stop > end:
                break
            index, offset = index + 1, stop
        lines.append(tuple(line))
    return lines
