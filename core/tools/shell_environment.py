"""The environment of a command: without what makes a shell, git or another program do more than the command says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from core.host.git import SAFE_GIT_ENV
from core.host.programs import find_program, safe_path

SHELL_NAMES = frozenset(
    "BASH_ENV ENV PROMPT_COMMAND LESSOPEN LESSCLOSE GREP_OPTIONS RIPGREP_CONFIG_PATH CDPATH IFS PS4 SHELLOPTS BASHOPTS "
    "GLOBIGNORE EXECIGNORE FIGNORE BASH_XTRACEFD BASH_LOADABLES_PATH BASH_COMPAT POSIXLY_CORRECT TMOUT".split()
)
"""What changes the shell itself, or text tools behind the command's back: dropped always."""
SHELL_BEGINNINGS = ("BASH_FUNC_",)

PROGRAM_NAMES = frozenset(
    "NODE_OPTIONS NODE_PATH PERL5OPT PERL5LIB PERL5DB PERLLIB RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS "
    "JDK_JAVA_OPTIONS GCONV_PATH GLIBC_TUNABLES LOCPATH AWKPATH AWKLIBPATH TAR_OPTIONS RSYNC_RSH MAGIC MANPAGER MANOPT "
    "PAGER EDITOR VISUAL BROWSER SSH_ASKPASS SUDO_ASKPASS JQ_LIBRARY_PATH MAKEFLAGS".split()
)
PROGRAM_BEGINNINGS = ("GIT_", "LD_", "DYLD_", "PYTHON")
"""By these a program runs or loads something else: a project may need them, but only with the user's consent."""

UNASKED_GIT_ENV = {
    **SAFE_GIT_ENV,
    "GIT_CONFIG_COUNT": "4",
    "GIT_CONFIG_KEY_3": "core.hooksPath",
    "GIT_CONFIG_VALUE_3": "/dev/null",
}
"""A command that only reads needs no hooks either."""


def shell_environment(environ: Mapping[str, str], unasked_in: tuple[Path, ...] | None) -> dict[str, str]:
    """For a command that nobody was asked about, in these folders; None: for one that the user consented to.

    That one keeps what a project sets up (its interpreters on ``PATH``, its options), but no relative entries, which
    mean another program in each folder.
    """
    is_unasked = unasked_in is not None
    names = SHELL_NAMES | PROGRAM_NAMES if is_unasked else SHELL_NAMES
    beginnings = SHELL_BEGINNINGS + PROGRAM_BEGINNINGS if is_unasked else SHELL_BEGINNINGS
    kept = {name: value for name, value in environ.items() if name not in names and not name.startswith(beginnings)}
    kept["PATH"] = safe_path(environ, unasked_in or ())
    return kept | (UNASKED_GIT_ENV if is_unasked else SAFE_GIT_ENV) | {"TERM": "dumb", "AGENT_TUI": "1"}


def find_bash(environ: Mapping[str, str], folders: Iterable[Path]) -> str:
    """The shell itself is never one that a project could have planted."""
    return find_program("bash", environ, folders) or "/bin/bash"
