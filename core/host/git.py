"""What git says about a folder. Read-only calls with repository-defined programs switched off."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.host.files import read_regular
from core.host.process import ProcessHost
from core.host.programs import find_program, safe_path

GIT_TIMEOUT_S = 5.0
STATUS_TIMEOUT_S = 2.0
"""The first prompt may have to wait for it."""

MAX_HEAD_BYTES = 4_096
COMMIT = re.compile(r"[0-9a-f]{40,64}")
BRANCH = re.compile(r"ref: refs/heads/(?!\.invalid$)([^\s\x00-\x1f\x7f]{1,250})")
"""What ``HEAD`` holds; where references are kept in another format it names a branch that cannot be."""

STATUS = ("status", "--short", "--untracked-files=normal")
IS_THERE = ("rev-parse", "--git-dir")
MAIN_BRANCHES = ("main", "master", "trunk")
NOT_KNOWN = "(git status failed, or took too long)"
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


def read_branch(start: Path) -> str | None:
    """The branch of the repository that a folder is in, from its files; empty on a detached head, None where there is
    no repository, or it does not say."""
    try:
        root = find_repo_root(start)
        if root is None:
            return None
        folder = root / ".git"
        if not folder.is_dir():
            # Of a worktree, or a submodule: a file that says where the folder is.
            folder = root / read_regular(folder, MAX_HEAD_BYTES).decode().removeprefix("gitdir:").strip()
        head = read_regular(folder / "HEAD", MAX_HEAD_BYTES).decode().strip()
    except (OSError, ValueError):
        return None
    if COMMIT.fullmatch(head):
        return ""
    branch = BRANCH.fullmatch(head)
    return branch[1] if branch else None


def git_environment(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """The environment of a git command of the program's own in a folder: no program of the folder's is found, nothing
    is fetched."""
    return {**environ, **SAFE_GIT_ENV, "GIT_NO_LAZY_FETCH": "1", "PATH": safe_path(environ, (root,))}


async def read_snapshot(processes: ProcessHost, cwd: Path, *, is_trusted: bool = True) -> GitSnapshot | None:
    """Branch, main branch, short status and last five commits, gathered at once; None outside a repository.

    Without a status where the folder is not trusted: to tell changes, git may run filters that the repository names.
    A status that takes too long, in a huge repository, is left out too.
    """
    if find_repo_root(cwd) is None:
        return None
    is_there, branch, head, status, commits, branches = await asyncio.gather(
        _git(processes, cwd, *IS_THERE),
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "HEAD"),
        _git(processes, cwd, "symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"),
        _git(processes, cwd, *(STATUS if is_trusted else IS_THERE), timeout=STATUS_TIMEOUT_S),
        _git(processes, cwd, "log", "--oneline", "--no-show-signature", "-n", "5"),
        _git(processes, cwd, "branch", "--list", *MAIN_BRANCHES, "--format=%(refname:short)"),
    )
    if is_there is None:
        return None
    names = (branches or "").split()
    default = (head or "").removeprefix("origin/")
    main_branch = default or next((name for name in MAIN_BRANCHES if name in names), "")
    status = NOT_ASKED if not is_trusted else NOT_KNOWN if status is None else status
    return GitSnapshot(branch or "", main_branch, status, commits or "")


async def _git(processes: ProcessHost, cwd: Path, *args: str, timeout: float = GIT_TIMEOUT_S) -> str | None:
    """Output of a git command without its last newline; None where it failed, is absent or takes too long."""
    program = find_program("git", os.environ, (cwd,))
    if program is None:
        return None
    try:
        environment = git_environment(os.environ, cwd)
        done = await processes.run([program, *args], cwd=cwd, timeout=timeout, env=environment)
    except (OSError, TimeoutError):
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.exit_code == 0 else None
