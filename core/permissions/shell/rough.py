"""Commands in text that no grammar understands: everything that could be one, for rules that forbid.

It finds too much and never decides that anything may run.
"""

from __future__ import annotations

import re

SEPARATORS = re.compile(r"[;&|\n()`]|\$\(|[<>]\(")
REDIRECTIONS = re.compile(r"(?:&>>?|[<>]{1,3}[&|-]?)[ \t]*[^ \t<>]*")
LEADING = re.compile(
    r"(?:[ \t\"']|\\\n|(?:[{}!]|if|then|elif|else|while|until|do|for|in|case|select|time|function|coproc)(?=[ \t\n]|$)"
    r"|[A-Za-z_][A-Za-z0-9_]*\+?=[^ \t]*(?:[ \t]|$))+"
)
MAX_PIECES = 5_000


def rough_pieces(text: str) -> list[list[str]]:
    """The words of everything that may be a command, as they are written, most of their quotes included."""
    pieces: list[list[str]] = []
    for piece in SEPARATORS.split(text)[:MAX_PIECES]:
        piece = REDIRECTIONS.sub(" ", piece)
        if match := LEADING.match(piece):
            piece = piece[match.end() :]
        if words := piece.split():
            pieces.append(words)
    return pieces
