"""From a shell line to its commands, wherever they stand in it.

A line is read once as it stands. Where that is doubtful it is read in every other way that it might be meant, too: what
rules forbid must be found, however it is hidden; nothing runs unasked in a doubtful line anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.permissions.shell.checks import doubts_of, refusal_of, unfolded
from core.permissions.shell.commands import Found, Nested
from core.permissions.shell.marks import bytewise
from core.permissions.shell.rough import rough_tree
from core.permissions.shell.script import Script
from core.permissions.shell.state import State, first_state
from core.permissions.shell.statements import TOO_DEEP, LineReader
from core.permissions.shell.tree import parse_tree

MAX_TEXTS = 4
"""Shell lines within shell lines, as in ``bash -c "bash -c …"``."""

MAX_WITHIN = 50_000
"""Characters of all of them together."""


@dataclass(slots=True)
class Budget:
    """How much more is read of what stands within a line."""

    chars: int = MAX_WITHIN


def read_script(source: str, cwd: Path | None, home: Path) -> Script:
    """Everything that a shell line runs, started in ``cwd``."""
    if refusal := refusal_of(source):
        return Script(source=source, refusal=refusal)
    found = _read(Budget(), 0, source, first_state(cwd, home))
    return Script(
        source=source,
        commands=tuple(found.commands),
        redirects=tuple(found.redirects),
        variables=frozenset(found.variables),
        loop_names=frozenset(found.loop_names),
        doubts=tuple(found.doubts),
    )


def _read(budget: Budget, depth: int, source: str, state: State) -> Found:
    """What a line runs that stands in ``depth`` others."""
    found = Found()
    budget.chars -= len(source) if depth else 0
    if depth > MAX_TEXTS or budget.chars < 0 or refusal_of(source):
        found.doubt(TOO_DEEP)
        return found
    for doubt in doubts_of(source):
        found.doubt(doubt)
    nested = partial(_read, budget, depth + 1)
    _parse(bytewise(source), state, found, nested)
    for reading in unfolded(source) if found.doubts else ():
        _parse(bytewise(reading), state.forgotten(), found, nested)
    return found


def _parse(text: str, state: State, found: Found, nested: Nested) -> None:
    tree = parse_tree(text)
    if tree is None:
        found.doubt(TOO_DEEP)
    else:
        for doubt in tree.doubts:
            found.doubt(doubt)
        LineReader(tree, found, nested).read(state)
    if tree is None or tree.is_broken:
        LineReader(rough_tree(text), found, nested).read(state)
