"""Takes heredocs out of a shell line before the grammar sees it, which gets many of them wrong.

``<<EOF`` becomes a plain ``<`` of the same length and its body blanks, so that all offsets stay. Whether a heredoc
really began there is seen in the tree afterwards: in quotes or a comment there is no such redirection.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

OPERATOR = re.compile(
    r"""(?<!<)<<(?P<tabs>-?)(?!<)[ \t]*(?P<word>\\?[A-Za-z0-9_.!-]+|'[^'\n]+'|"[^"\n$`\\]+")(?=[ \t\n;&|()<>]|$)"""
)
NO_LINE_END = re.compile(r"[^\n]")
PLAINER = re.compile(r"(?<!\\)(?:<<<|<>)")
"""Redirections that the grammar understands only in some places; ``<`` and ``>`` it understands anywhere."""
LONE_DASH = re.compile(r"(?<=[ \t])-(?=[ \t]+[0-9]*[<>])")
"""A word that the grammar loses before a redirection."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """Where a heredoc may stand."""

    start: int
    """Of its operator."""
    word_end: int
    is_quoted: bool
    """Whether its body is taken word for word."""
    body: int
    body_end: int


def find_heredocs(text: str, but: Collection[int] = ()) -> tuple[Heredoc, ...]:
    """All that look like heredocs and are closed, but those whose operators begin at the offsets ``but``."""
    found: list[Heredoc] = []
    line = 0
    while (operator := text.find("<<", line)) >= 0:
        line = max(line, text.rfind("\n", 0, operator) + 1)
        end = text.find("\n", line)
        if end < 0:
            break
        body = end + 1
        # After a backslash at the end of its line the body would begin a line later.
        for match in OPERATOR.finditer(text, line, line if text[end - 1] == "\\" else end):
            raw = match["word"]
            close = _close(text, body, raw.strip("\\'\""), bool(match["tabs"]))
            if close is not None and match.start() not in but:
                found.append(Heredoc(match.start(), match.end(), raw[0] in "\\'\"", body, close))
                body = _line_end(text, close) + 1
        line = body
    return tuple(found)


def masked(text: str, heredocs: Collection[Heredoc]) -> str:
    """The text without them, just as long."""
    if "<" not in text and ">" not in text:
        return text
    blanks: list[tuple[int, int]] = []
    for heredoc in heredocs:
        operator = 2 if text[heredoc.start + 2] == "-" else 1
        blanks.append((heredoc.start + 1, heredoc.start + 1 + operator))
        blanks.append((heredoc.body, _line_end(text, heredoc.body_end)))
    parts: list[str] = []
    at = 0
    for start, end in sorted(blanks):
        parts += [text[at:start], NO_LINE_END.sub(" ", text[start:end])]
        at = end
    parts.append(text[at:])
    return LONE_DASH.sub("_", PLAINER.sub(lambda match: "<  " if match[0] == "<<<" else "> ", "".join(parts)))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _close(text: str, at: int, word: str, strips_tabs: bool) -> int | None:
    """Where the line stands that closes a heredoc."""
    while at < len(text):
        line = text[at : _line_end(text, at)]
        if (line.lstrip("\t") if strips_tabs else line) == word:
            return at
        at += len(line) + 1
    return None
