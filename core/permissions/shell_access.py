"""A shell line, parsed and judged: what every decision about Bash begins with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.permissions.access import ShellAccess
from core.permissions.readonly.judge import judge_script
from core.permissions.shell.parse import read_script
from core.permissions.shell.script import Script


def shell_access(command: str, cwd: Path, home: Path | None = None) -> ShellAccess:
    """What a command would do in ``cwd``; ``home`` is what ``~`` stands for, None the user's own.

    What it says is remembered, what it finds on the disk is looked up anew.
    """
    home = home or Path("~").expanduser()
    script = _read(command, cwd, home)
    return ShellAccess(script=script, judged=judge_script(script, home))


@lru_cache(maxsize=256)
def _read(command: str, cwd: Path, home: Path) -> Script:
    return read_script(command, cwd, home)


def is_harmless(command: str, cwd: Path) -> bool:
    """Whether the line, started in ``cwd``, only reads, and nothing that holds secrets."""
    judged = shell_access(command, cwd).judged
    return judged.is_read_only and not judged.secrets
