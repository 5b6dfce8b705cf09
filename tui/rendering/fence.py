"""Code blocks: a quiet label, a gutter of two columns, coloured lines, long lines wrapped with a mark.

`code_block` draws a whole block; `OpenFence` draws a fenced block whose end has not arrived yet, line by line. Both
give the same lines for the same text.
"""

import re

from tui.rendering.highlight import PLAIN, CodeStream
from tui.rendering.line import DECOR, DECOR_ROW, Line, cell_len, line_width, truncate, wrap
from tui.rendering.sanitize import clean

GUTTER = "  "
CONTINUED = "↪ "
_MIN_WIDTH = 10
_OPENING = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)")
_LANGUAGE = re.compile(r"[{.\s]*([\w+#.-]+)")


def code_block(content: str, info: str, width: int) -> list[Line]:
    """The lines of a code block; `content` is cleaned text, `info` what stands behind the opening fence."""
    stream = CodeStream(language_of(info))
    lines: list[Line] = []
    for row in content.removesuffix("\n").split("\n") if content else ():
        lines.extend(stream.push(row))
    lines.extend(stream.pending())
    return label(info, width) + code_rows(lines, width)


def language_of(info: str) -> str:
    """The language that an info string names."""
    match = _LANGUAGE.match(info)
    return match[1] if match else ""


def label(info: str, width: int) -> list[Line]:
    """The line above a block that says what it is; none if the fence does not tell."""
    text = clean(info).strip()
    return [truncate(((GUTTER + text, f"code.label {DECOR_ROW}"),), width)] if text else []


def code_rows(lines: list[Line], width: int) -> list[Line]:
    """Code lines behind their gutter, wrapped to the width."""
    if width < _MIN_WIDTH:
        return [row for line in lines for row in wrap(line or ((" ", PLAIN),), width, words=False)]
    gutter = (GUTTER, f"{PLAIN} {DECOR}")
    mark = (CONTINUED, f"code.wrap {DECOR}")
    room = width - cell_len(GUTTER)
    rows: list[Line] = []
    for line in lines:
        if line_width(line) <= room:
            rows.append((gutter, *line))
        else:
            rows.extend(wrap(line, width, first_prefix=(gutter,), rest_prefix=(mark,), words=False))
    return rows


class OpenFence:
    """A top-level fenced block that is still growing: built from its opening line, fed with complete lines.

    Its rows begin with `label`, which stands as soon as the opening line is known.
    """

    def __init__(self, opening: str, width: int) -> None:
        match = _OPENING.match(opening)
        if match is None:
            raise ValueError("not the opening line of a fence")
        self._indent = len(match[1])
        self._width = width
        self._closing = re.compile(rf" {{0,3}}{match[2][0]}{{{len(match[2])},}}[ \t]*")
        self._stream = CodeStream(language_of(match[3]))
        self.label = label(match[3], width)

    def push(self, line: str) -> tuple[list[Line], bool]:
        """Take a complete line; return the rows that are final now, and whether the block has ended."""
        if self._closing.fullmatch(line):
            return self._rows(self._stream.pending()), True
        return self._rows(self._stream.push(self._dedented(line))), False

    def pending(self, unfinished: str, *, last: bool) -> list[Line]:
        """The rows that are not final; `last` tells that nothing follows and the unfinished line is complete."""
        if not unfinished.strip(" ") or self._closing.fullmatch(unfinished):
            return self._rows(self._stream.pending())
        if last:
            return self._rows(self._stream.push(self._dedented(unfinished)) + self._stream.pending())
        return self._rows(self._stream.pending(self._dedented(unfinished)))

    def _rows(self, lines: list[Line]) -> list[Line]:
        return code_rows(lines, self._width)

    def _dedented(self, line: str) -> str:
        lead = len(line) - len(line.lstrip(" "))
        return line[min(lead, self._indent) :]
