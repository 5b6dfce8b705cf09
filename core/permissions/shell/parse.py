"""From a shell line to its commands, wherever they stand in it.

A line is read once as it stands. Where that is doubtful it is read in every other way that it might be meant, too: what
rules forbid must be found, however it is hidden; nothing runs unasked in a doubtful line anyway.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from core.permissions.shell.checks import doubts_of, refusal_of, unfolded
from core.permissions.shell.commands import Found, plain_word
from core.permissions.shell.marks import bytewise
from core.permissions.shell.rough import rough_pieces
from core.permissions.shell.script import Command, Script
from core.permissions.shell.state import State, first_state
from core.permissions.shell.statements import TOO_DEEP, LineReader
from core.permissions.shell.tree import parse_tree

MAX_TEXTS = 4
"""Shell lines within shell lines, as in ``bash -c "bash -c …"``."""


def read_script(source: str, cwd: Path | None, home: Path) -> Script:
    """Everything that a shell line runs, started in ``cwd``."""
    if refusal := refusal_of(source):
        return Script(source=source, refusal=refusal)
    found = _read(0, source, first_state(cwd, home))
    return Script(
        source=source,
        commands=tuple(found.commands),
        redirects=tuple(found.redirects),
        variables=frozenset(found.variables),
        doubts=tuple(found.doubts),
    )


def _read(depth: int, source: str, state: State) -> Found:
    """What a line runs that stands in so many others."""
    found = Found()
    if depth > MAX_TEXTS or refusal_of(source):
        found.doubt(TOO_DEEP)
        found.commands += _rough(source)
        return found
    for doubt in doubts_of(source):
        found.doubt(doubt)
    _parse(source, state, found, depth)
    for reading in unfolded(source) if found.doubts else ():
        _parse(reading, state.forgotten(), found, depth)
    return found


def _parse(source: str, state: State, found: Found, depth: int) -> None:
    text = bytewise(source)
    tree = parse_tree(text)
    if tree is None:
        found.doubt(TOO_DEEP)
    else:
        for doubt in tree.doubts:
            found.doubt(doubt)
        LineReader(tree, found, partial(_read, depth + 1)).read(state)
    if tree is None or tree.is_broken:
        found.commands += _rough(source)


def _rough(source: str) -> list[Command]:
    return [Command(words=tuple(plain_word(word) for word in words)) for words in rough_pieces(source)]
