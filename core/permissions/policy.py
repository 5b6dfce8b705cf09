"""Everything that a decision depends on beside the call itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.permissions.paths import normal, resolve
from core.permissions.rules import Rule
from core.protocol.views import Behavior, PermissionMode


def _home() -> Path:
    return Path("~").expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Frozen: a change of mode, rules or folders makes another."""

    mode: PermissionMode
    cwd: Path
    roots: tuple[Path, ...]
    """Folders in which the agent works; the first is the one the session began in."""
    readable: tuple[Path, ...] = ()
    """Further folders and files it may read: its own saved outputs, its plan."""
    plan_file: Path | None = None
    """The one file that plan mode lets it write."""
    reads_only: str = ""
    """Who may do nothing but read, whatever mode and rules say: the name that it is told by. Empty: nobody."""
    rules: tuple[Rule, ...] = ()
    base: Path | None = None
    """The project's folder, which rules are written relative to; None: the one that the session began in."""
    home: Path = field(default_factory=_home)
    ignores_case: bool = sys.platform == "darwin"
    """Whether ``.ENV`` is the same file as ``.env``: rules that deny or ask then match both."""
    resolve: Callable[[Path], Path] = resolve
    """Follows symlinks."""

    @property
    def root(self) -> Path:
        """The folder the session began in."""
        return self.roots[0]

    @property
    def anchor(self) -> Path:
        """What the path of a rule of this session, or of the project, is relative to."""
        return self.base or self.root

    def of(self, behavior: Behavior) -> tuple[Rule, ...]:
        """The rules of one behaviour, in the order of their layers."""
        return tuple(rule for rule in self.rules if rule.behavior == behavior)

    def spellings(self, path: Path) -> tuple[Path, Path]:
        """A path as it is named and as it is once links are followed."""
        return normal(path), self.resolve(path)
