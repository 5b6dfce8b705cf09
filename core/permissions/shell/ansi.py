"""The escapes of ``$'…'``."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""\\(?:
        (?P<simple>[abeEfnrtv\\'"?])
      | (?P<octal>[0-7]{1,3})
      | x(?:(?P<hex>[0-9A-Fa-f]{1,2})|\{(?P<braced>[0-9A-Fa-f]*)\}?)
      | u(?P<short>[0-9A-Fa-f]{1,4})
      | U(?P<long>[0-9A-Fa-f]{1,8})
      | c(?P<control>[^'])
      | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))


def ansi_c(text: str, start: int, end: int) -> tuple[str, int]:
    """The text of ``$'…'``, one character for each byte, and where it ends; ``start`` is behind its first quote."""
    parts: list[str] = []
    at = start
    while at < end and text[at] != "'":
        match = _PIECE.match(text, at, end) if text[at] == "\\" else None
        if match is None:
            parts.append(text[at])
            at += 1
        else:
            parts.append(_meaning(match))
            at = match.end()
    # A NUL ends the text, though not the quotes.
    return "".join(parts).partition("\0")[0], min(at + 1, end)


def _meaning(match: re.Match[str]) -> str:
    kind, value = match.lastgroup, match[match.lastgroup or 0]
    if kind == "simple":
        return _SIMPLE[value]
    if kind == "octal":
        return chr(int(value, 8) & 0xFF)
    if kind in ("hex", "braced"):
        return chr(int(value or "0", 16) & 0xFF)
    if kind in ("short", "long"):
        return _encoded(int(value, 16))
    if kind == "control":
        return "\x7f" if value == "?" else chr(ord(value.upper()) & 0x1F)
    return match[0]


def _encoded(code: int) -> str:
    """A character in UTF-8, as bash writes it: also halves of characters, and numbers beyond Unicode."""
    if code < 0x80:
        return chr(code)
    tail = 1
    while code >> (6 * tail) >= 1 << (6 - tail):
        tail += 1
    first = (0xFF00 >> (tail + 1)) & 0xFF | code >> (6 * tail)
    return "".join(map(chr, [first, *(0x80 | code >> (6 * at) & 0x3F for at in reversed(range(tail)))]))
