"""A shell line, parsed and judged: what every decision about Bash begins with."""

from __future__ import annotations

from pathlib import Path

from core.permissions.access import ShellAccess
from core.permissions.readonly.judge import judge_script
from core.permissions.shell.parse import read_script


def shell_access(command: str, cwd: Path, home: Path | None = None) -> ShellAccess:
    """What a command would do in ``cwd``; ``home`` is what ``~`` stands for, None the user's own."""
    home = home or Path("~").expanduser()
    script = read_script(command, cwd, home)
    return ShellAccess(script=script, judged=judge_script(script, home))
