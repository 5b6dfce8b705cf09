"""How a session is started: where, for whom, and what it takes up again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.settings.layers import Problem
from core.settings.load import Loaded
from core.settings.paths import Paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything that is not a setting."""

    cwd: Path
    paths: Paths
    is_attended: bool = True
    """Whether someone can answer questions."""
    is_trusted: bool = True
    """Whether the folder's own files may steer the agent."""
    is_demo: bool = False
    resume: str | None = None
    """A session id, or ``latest``; None starts a new session."""
    api_key: str = ""
    """Typed in for this run; else the SDK finds its own."""
    tools: tuple[str, ...] = ()
    """Names of the tools to offer; empty: all."""
    problems: tuple[Problem, ...] = ()
    """What was wrong with the settings."""
    loaded: Loaded | None = None
    """What the settings were read from, and are read from again when a file changes; None: they are as given."""


LATEST = "latest"
