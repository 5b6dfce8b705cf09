"""What a call would touch, as its tool declares it: the input of every permission decision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["pass", "allow", "ask", "deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Effects of one call. Paths are absolute and as the call names them; symlinks are resolved when deciding.

    ``verdict`` is the tool's own opinion: ``pass`` has none, ``allow`` needs no one's consent.
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    command: str = ""
    """A shell command, as it will run."""
    hosts: tuple[str, ...] = ()
    """Hosts it talks to, as ``core.permissions.hosts`` writes them; a rule names them as ``domain:HOST``."""
    sends: str = ""
    """What leaves the machine by it, in words: reason enough to ask, whatever else it does."""
    is_read_only: bool = False
    verdict: Verdict = "pass"
    reason: str = ""
