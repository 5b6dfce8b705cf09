"""Marks that only the program or a turn of the conversation may set, in text that others wrote: defused, visibly."""

from __future__ import annotations

import re

UNSEEN = "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]*"
"""Characters that are not shown: a name with such in it looks, and reads, like the name."""
NAMES = ("system-reminder", "task-notification", "shell-command", "shell-output")
"""Elements in which the program speaks to the model."""


def _spelled(word: str) -> str:
    """A pattern for the word, whatever unseen characters stand between its letters."""
    return UNSEEN.join("[-_ ‐-―]" if char == "-" else re.escape(char) for char in word)


GAP = rf"(?:[\s/]|{UNSEEN[:-1]})*"
TAG = re.compile(rf"<(?={GAP}(?:{'|'.join(map(_spelled, NAMES))})(?![a-z0-9]))", re.IGNORECASE)
TURN = re.compile(
    rf"((?:^|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029])(?:[ \t]|{UNSEEN[:-1]})*)"
    rf"({_spelled('human')}|{_spelled('assistant')})(?={UNSEEN}[ \t]*:)",
    re.IGNORECASE,
)
"""A line that begins like a turn of a conversation."""


def defused(text: str) -> str:
    """The text with ``<system-reminder>`` and its like as ``&lt;system-reminder>``, and ``Human:`` at the beginning of
    a line as ``[Human]:``. Any other text is unchanged."""
    return TURN.sub(r"\1[\2]", TAG.sub("&lt;", text))
