"""What git says about a folder. Read-only calls with repository-defined programs switched off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.host.process import ProcessHost
from core.host.programs import find_program, safe_path

GIT_TIMEOUT_S = 5.0

STATUS = ("status", "--short", "--untracked-files=normal")
IS_THERE = ("rev-parse", "--git-dir")
NOT_ASKED = "(not looked at: the folder is not trusted)"

SAFE_GIT_ENV = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "diff.autoRefreshIndex",
    "GIT_CONFIG_VALUE_1": "false",
    "GIT_CONFIG_KEY_2": "safe.bareRepository",
    "GIT_CONFIG_VALUE_2": "explicit",
}
"""Settings under which a plain git command runs no program that the repository names in them."""


@dataclass(frozen=True, slots=True)
class GitSnapshot:
    """The state of a repository at one moment. ``branch`` is empty on a detached head."""

    branch: str
    main_branch: str
    status: str
    recent_commits: str


def find_repo_root(start: Path) -> Path | None:
    """The nearest folder at or above ``start`` that holds ``.git``; None where there is none."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def git_environment(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """The environment of a git command of the program's own in a folder: no program of the folder's is found, nothing
    is fetched."""
    return {**environ, **SAFE_GIT_ENV, "GIT_NO_LAZY_FETCH": "1", "PATH": safe_path(environ, (root,))}


async def read_snapshot(processes: ProcessHost, cwd: Path, *, is_trusted: bool = True) -> GitSnapshot | None:
    """Branch, main branch, short status and last five commits, gathered at once; None outside a repository.

    Without a status where the folder is not trusted: to tell changes, git may run filters that the repository names.
    """
    if find_repo_root(cwd) is None:
        return None
    branch, head, status, commits, branches = await asyncio.gather(
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "HEAD"),
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"),
        _git(processes, cwd, *(STATUS if is_trusted else IS_THERE)),
        _git(processes, cwd, "log", "--oneline", "--no-show-signature", "-n", "5"),
        _git(processes, cwd, "branch", "--format=%(refname:short)"),
    )
    if status is None:
        return None
    names = (branches or "").split()
    default = (head or "").removeprefix("origin/")
    main_branch = default or next((name for name in ("main", "master", "trunk") if name in names), "")
    return GitSnapshot(branch or "", main_branch, status if is_trusted else NOT_ASKED, commits or "")


async def _git(processes: ProcessHost, cwd: Path, *args: str) -> str | None:
    """Output of a git command without its last newline; None where it failed, is absent or takes too long."""
    program = find_program("git", os.environ, (cwd,))
    if program is None:
        return None
    try:
        environment = git_environment(os.environ, cwd)
        done = await processes.run([program, *args], cwd=cwd, timeout=GIT_TIMEOUT_S, env=environment)
    except (OSError, TimeoutError):
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.exit_code == 0 else None
