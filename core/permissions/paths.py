"""Which paths are inside, which are protected, which hold secrets. Decided on the literal and the resolved path."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from pathlib import Path

PROTECTED_FOLDERS = frozenset(
    (
        ".git .vscode .idea .husky .cargo .devcontainer .yarn .mvn .claude .agent-tui .agents .cursor .gemini .codex"
    ).split()
)
"""Folders whose files other programs execute or obey, or that steer this one."""

PROTECTED_FILES = frozenset(
    (
        ".bashrc .bash_profile .bash_login .bash_aliases .bash_logout .profile .zshrc .zshenv .zprofile .zlogin "
        ".zlogout .envrc .inputrc .gitconfig .gitmodules .gitattributes .npmrc .yarnrc .yarnrc.yml .pnp.cjs "
        ".ripgreprc .mcp.json .claude.json .devcontainer.json .pre-commit-config.yaml pyrightconfig.json "
        "claude.md agents.md claude.local.md agents.local.md"
    ).split()
)

PROTECTED_PAIRS = frozenset(
    (
        (".config", "git"),
        (".config", "fish"),
        (".config", "environment.d"),
        (".config", "agent-tui"),
        ("share", "agent-tui"),
    )
)
"""Protected folders that have their meaning only inside another."""
UNPROTECTED_PAIR = (".claude", "worktrees")

SECRET_PATTERNS = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    ".netrc",
    ".pgpass",
    "credentials",
    "credentials.json",
    ".git-credentials",
)
HARMLESS = (".env.example", ".env.sample", ".env.template", "*.pub")


def resolve(path: Path) -> Path:
    """The path with every symlink followed, of what exists and the rest as it stands."""
    return Path(os.path.realpath(path))


def is_inside(path: Path, roots: Iterable[Path]) -> bool:
    """Whether the path, as named and as resolved, lies in one of the folders."""
    named = Path(os.path.normpath(path))
    resolved = resolve(path)
    spellings = [folder for root in roots for folder in (Path(os.path.normpath(root)), resolve(root))]
    return all(any(candidate.is_relative_to(folder) for folder in spellings) for candidate in (named, resolved))


def is_protected(path: Path) -> bool:
    """Whether a write there could make another program run something, or change what this one may do."""
    return any(_protected_name(candidate) for candidate in (Path(os.path.normpath(path)), resolve(path)))


def _protected_name(path: Path) -> bool:
    parts = [part.casefold() for part in path.parts]
    pairs = list(zip(parts, [*parts[1:], ""], strict=True))
    if any(pair in PROTECTED_PAIRS or (pair[0] in PROTECTED_FOLDERS and pair != UNPROTECTED_PAIR) for pair in pairs):
        return True
    return bool(parts) and parts[-1] in PROTECTED_FILES


def holds_secrets(path: Path) -> bool:
    """Whether the file's name says that it holds keys or passwords."""
    resolved = resolve(path)
    for candidate in (path, resolved):
        name = candidate.name.casefold()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in HARMLESS):
            continue
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in SECRET_PATTERNS):
            return True
    return resolved.as_posix().startswith("/proc/") and resolved.name == "environ"
