"""The short list of shell commands that run unasked: plain, known, and unable to change anything.

Deliberately narrow: a command with any shell syntax at all, an unknown program or an unknown option is
not read-only. What it names must lie in the working directory and hold no secrets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from core.permissions.paths import holds_secrets, is_inside

MAX_CHARS = 10_000
"""No one reads more; splitting it would also take long."""

PLAIN = re.compile(r"[A-Za-z0-9 _./,:=@%+'\"-]+")
"""Characters that mean nothing to the shell, blanks and quotes aside."""

OPTIONS: dict[str, str] = {
    "pwd": r"-[LP]+",
    "ls": r"-[aAlh1rtSRFd]+",
    "cat": r"-[nbsA]+",
    "head": r"-[nqv0-9]+|-n",
    "tail": r"-[nqv0-9]+|-n",
    "wc": r"-[clmwL]+",
    "which": r"-a",
    "whoami": r"(?!)",
    "uname": r"-[asrm]+",
    "date": r"(?!)",
    "true": r"(?!)",
    "stat": r"(?!)",
    "file": r"-b",
    "du": r"-[shc]+",
    "git status": r"-s|-b|-sb|--short|--branch|--porcelain",
    "git log": r"--oneline|-[0-9]+|-n|--graph|--decorate|--no-merges|--all",
    "git branch": r"-a|-r|-v|-vv|--show-current|--list|--all",
    "git rev-parse": r"--show-toplevel|--abbrev-ref|--short|HEAD",
    "git remote": r"-v",
}
"""Full match for each option of each program; a word without a leading dash is an operand."""

NO_OPERANDS = frozenset({"pwd", "whoami", "uname", "date", "true", "git status", "git branch", "git remote"})


def is_read_only_command(command: str, cwd: Path) -> bool:
    """Whether the command may run unasked in ``cwd``."""
    return read_only_operands(command, cwd) is not None


def read_only_operands(command: str, cwd: Path) -> tuple[Path, ...] | None:
    """The files that a read-only command names; None for a command that may not run unasked in ``cwd``."""
    words = _plain_words(command)
    if not words:
        return None
    name, rest = words[0], words[1:]
    if name == "git" and rest:
        name, rest = f"git {rest[0]}", rest[1:]
    if name == "echo":
        return ()
    pattern = OPTIONS.get(name)
    if pattern is None:
        return None
    options = [word for word in rest if word.startswith("-")]
    operands = [word for word in rest if not word.startswith("-")]
    if not all(re.fullmatch(pattern, word) for word in options) or (operands and name in NO_OPERANDS):
        return None
    if not all(_operand_check(name)(word, cwd) for word in operands):
        return None
    return () if name == "which" or name.startswith("git ") else tuple(cwd / word for word in operands)


def _plain_words(command: str) -> list[str]:
    """The words of a command without any shell syntax; none for another."""
    if len(command) > MAX_CHARS or not PLAIN.fullmatch(command):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _operand_check(name: str) -> Callable[[str, Path], bool]:
    if name == "which":
        return lambda word, cwd: "/" not in word
    if name.startswith("git "):
        return lambda word, cwd: re.fullmatch(r"[A-Za-z0-9_./-]+", word) is not None
    if name in ("head", "tail"):
        return lambda word, cwd: word.isdecimal() or _is_harmless_path(word, cwd)
    return _is_harmless_path


def _is_harmless_path(word: str, cwd: Path) -> bool:
    path = cwd / word
    return is_inside(path, (cwd,)) and not holds_secrets(path) and not _is_special(path)


def _is_special(path: Path) -> bool:
    """A pipe or device would block, or never end."""
    try:
        return path.exists() and not (path.is_file() or path.is_dir())
    except OSError:
        return True
