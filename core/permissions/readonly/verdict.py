"""What is known of a command: whether it only reads, and which files it is told to touch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.permissions.shell.script import Command, Redirect


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One command judged. Paths are absolute, as far as the words say which they are; symlinks stand unresolved."""

    is_read_only: bool
    reason: str = ""
    """Why it is not read-only, or why it is, in words that a user reads: ``sort -o writes a file``."""
    reads: tuple[Path, ...] = ()
    """Files and folders that a known program is told to read."""
    writes: tuple[Path, ...] = ()
    """Files and folders that a known program is told to write, make or remove, read-only or not."""
    is_file_edit: bool = False
    """Whether it is one of ``mkdir touch rm rmdir mv cp sed`` and all the paths it touches are known."""
    secret: str = ""
    """Why it may show keys or passwords although it only reads; empty where nothing says so."""
    critical: str = ""
    """Why it is asked about whatever the rules say: it removes a folder that everything hangs on."""
    uses_git: bool = False
    """Whether it runs git, which obeys the repository's configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A shell line judged: each command and each redirection of it with its verdict."""

    commands: tuple[tuple[Command, Verdict], ...] = ()
    """Those of ``Script.commands``, in order."""
    redirects: tuple[tuple[Redirect, Verdict], ...] = ()
    """All redirections of the line that read or write a file; ``/dev/null`` and descriptors are not among them."""
    doubts: tuple[str, ...] = ()
    """Why the line as a whole cannot be judged."""
    secret: str = ""
    """Why the line may show keys or passwords, beyond what single commands say."""

    @property
    def is_read_only(self) -> bool:
        """Whether all of it only reads; it may still show secrets, or read elsewhere."""
        judged = [verdict for _part, verdict in (*self.commands, *self.redirects)]
        return not self.doubts and bool(judged) and all(verdict.is_read_only for verdict in judged)

    @property
    def reads(self) -> tuple[Path, ...]:
        """Every file and folder that any part of it is told to read."""
        parts = (verdict for _part, verdict in (*self.commands, *self.redirects))
        return tuple(dict.fromkeys(path for verdict in parts for path in verdict.reads))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every reason to fear that it shows keys or passwords."""
        found = [self.secret, *(verdict.secret for _part, verdict in (*self.commands, *self.redirects))]
        return tuple(reason for reason in found if reason)
