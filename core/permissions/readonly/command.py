"""A shell line read and judged at once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core.permissions.readonly.judge import judge_script
from core.permissions.readonly.verdict import Judged
from core.permissions.shell.parse import read_script
from core.permissions.shell.script import Script


def judge_command(command: str, cwd: Path) -> Judged:
    """The line as it would run in ``cwd``. What it says is remembered, what it finds on the disk is looked up anew."""
    home = Path.home()
    return judge_script(_read(command, cwd, home), home)


def is_read_only_command(command: str, cwd: Path) -> bool:
    """Whether the line, started in ``cwd``, only reads, and nothing that holds secrets."""
    judged = judge_command(command, cwd)
    return judged.is_read_only and not judged.secrets


def changes_folder(command: str, cwd: Path) -> bool:
    """Whether what runs after the line may find itself in another folder."""
    movers = {"cd", "pushd", "popd"}
    return any(each.name in movers for each in _read(command, cwd, Path.home()).all_commands())


@lru_cache(maxsize=256)
def _read(command: str, cwd: Path, home: Path) -> Script:
    return read_script(command, cwd, home)
