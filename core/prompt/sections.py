"""The system prompt: what never changes within a session, then what describes this session.

Built once, at the first query, and frozen: models bind their thinking to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.host.git import GitSnapshot
from core.protocol.views import SystemPrompt

GIT_MAX_CHARS = 2_000
"""What the git snapshot may take of the prompt."""
GIT_LINE_CHARS = 200
"""What a branch or a commit may take of that: so the status is all that may have to be cut."""
DETACHED = "(detached)"
GIT_CUT_NOTE = "\n[… cut; run git status for the rest]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a session runs."""

    cwd: str
    is_repo: bool
    platform: str
    os: str
    date: str
    model: str
    git: GitSnapshot | None = None


@lru_cache(maxsize=64)
def template(name: str) -> str:
    """A text of the templates folder, without its last newline."""
    return Path(__file__).with_name("templates").joinpath(f"{name}.md").read_text("utf-8").rstrip("\n")


def build_system_prompt(environment: Environment, *, custom: str = "", append: str = "") -> SystemPrompt:
    """The prompt of a session: ``custom`` takes the place of the built-in one, ``append`` comes last."""
    static = custom or "\n\n".join(template(name) for name in ("identity", "tools", "style"))
    parts = [
        template("environment").format(
            cwd=environment.cwd,
            is_repo="yes" if environment.is_repo else "no",
            platform=environment.platform,
            os=environment.os,
            date=environment.date,
            model=environment.model,
        )
    ]
    if environment.git:
        parts.append(git_section(environment.git))
    if append:
        parts.append(append)
    return SystemPrompt(static=static, session="\n\n".join(parts))


def named_date(system: SystemPrompt) -> str:
    """The date that a system prompt names; empty where it names none."""
    found = re.search(r"^Date: (.+)$", system.session, re.MULTILINE)
    return found[1] if found else ""


def named_branch(system: SystemPrompt) -> str | None:
    """The branch that a system prompt names, empty for a detached head; None where it names none."""
    found = re.search(r"^Branch: (.+)$", system.session, re.MULTILINE)
    return found[1].removeprefix(DETACHED) if found else None


def git_section(git: GitSnapshot) -> str:
    """The snapshot as the model reads it: at most ``GIT_MAX_CHARS`` characters; the status gives way first."""
    fields = {
        "branch": _short(git.branch) or DETACHED,
        "main_branch": _short(git.main_branch) or "(unknown)",
        "status": git.status or "(clean)",
        "commits": "\n".join(map(_short, git.recent_commits.splitlines())) or "(none)",
    }
    text = template("git").format(**fields)
    over = len(text) - GIT_MAX_CHARS
    if over > 0:
        keep = max(0, len(fields["status"]) - over - len(GIT_CUT_NOTE))
        fields["status"] = fields["status"][:keep].rpartition("\n")[0] + GIT_CUT_NOTE
        text = template("git").format(**fields)
    return text


def _short(line: str) -> str:
    return line if len(line) <= GIT_LINE_CHARS else f"{line[: GIT_LINE_CHARS - 1]}…"
