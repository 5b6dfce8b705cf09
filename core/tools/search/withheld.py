"""What a search must not show: files that a rule hides, and in texts those that may hold secrets."""

from __future__ import annotations

from pathlib import Path

from core.permissions.hiding import Hides, hides_nothing
from core.permissions.paths import holds_secrets
from core.tools.search.found import printable
from core.tools.search.globs import Keep

NAMED = 5
"""How many files with secrets are named."""


def unhidden(root: Path, keep: Keep, hides: Hides) -> Keep:
    """The matcher without what is hidden; names are relative to ``root``."""
    if hides is hides_nothing:
        return keep
    return lambda name: keep(name) and not hides(root / name)


class Withheld:
    """Counts files that may hold secrets and were left out of a search: a read of each would be asked about."""

    def __init__(self, root: Path, keep: Keep) -> None:
        self._root = root
        self._keep = keep
        self._is_asked = holds_secrets(root)
        self._names: list[str] = []

    def keep(self, name: str) -> bool:
        """Whether the text of the file may be shown."""
        if not self._keep(name):
            return False
        if self._is_asked or not holds_secrets(self._root / name):
            return True
        self._names.append(name)
        return False

    @property
    def note(self) -> str:
        """What the model should know of it; empty where nothing was left out."""
        if not self._names:
            return ""
        names = ", ".join(printable(name) for name in sorted(self._names)[:NAMED])
        more = f" and {len(self._names) - NAMED} more" if len(self._names) > NAMED else ""
        return f"\n\n[Left out, for they may hold secrets: {names}{more}. Give one as path to search it.]"
