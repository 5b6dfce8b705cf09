"""What git says about a folder. Read-only calls with repository-defined programs switched off."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from core.host.process import ProcessHost

GIT_TIMEOUT_S = 5.0

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


async def read_snapshot(processes: ProcessHost, cwd: Path) -> GitSnapshot | None:
    """Branch, main branch, short status and last five commits, gathered at once; None outside a repository."""
    if find_repo_root(cwd) is None:
        return None
    branch, head, status, commits, branches = await asyncio.gather(
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "HEAD"),
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"),
        _git(processes, cwd, "status", "--short", "--untracked-files=normal"),
        _git(processes, cwd, "log", "--oneline", "-n", "5"),
        _git(processes, cwd, "branch", "--format=%(refname:short)"),
    )
    if status is None:
        return None
    names = (branches or "").split()
    default = (head or "").removeprefix("origin/")
    main_branch = default or next((name for name in ("main", "master", "trunk") if name in names), "")
    return GitSnapshot(branch or "", main_branch, status, commits or "")


async def _git(processes: ProcessHost, cwd: Path, *args: str) -> str | None:
    """Output of a git command without its last newline; None where it failed, is absent or takes too long."""
    try:
        done = await processes.run(["git", *args], cwd=cwd, timeout=GIT_TIMEOUT_S, env={**os.environ, **SAFE_GIT_ENV})
    except (OSError, TimeoutError):
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.exit_code == 0 else None
