"""Instruction files: the user's, then each folder's from the root of the repository down to the working directory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.host.git import find_repo_root

NAMES = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md", "AGENTS.local.md")
USER_FILES = (".claude/CLAUDE.md",)
RULES = ".claude/rules"
MAX_IMPORT_DEPTH = 5
WARN_CHARS = 40_000
FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)", re.DOTALL)
IMPORT = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)*?(?<!`)(?P=ticks)(?!`))"
    r"|(?<![\w`])@(?P<path>(?:~/|\.{0,2}/)?[\w./-]*[\w/-])",
    re.DOTALL,
)
"""A code span, which is left alone, or the mention of a file; a full stop after it ends the sentence."""


@dataclass(slots=True)
class Instructions:
    """What was found: one text for the model, the files it came from, and what the user should know."""

    text: str = ""
    files: list[Path] = field(default_factory=list[Path])
    warnings: list[str] = field(default_factory=list[str])
    home: Path = Path("/")
    import_root: Path = Path("/")
    """Imports of the file being read must lie in here: a repository must not pull in the user's private files."""


def read_instructions(cwd: Path, user_config: Path, home: Path, *, is_trusted: bool) -> Instructions:
    """Read all of them, each file once. In a folder that is not trusted only the user's own."""
    found = Instructions(home=home)
    parts: list[str] = []
    root = find_repo_root(cwd) or cwd
    for path in _candidates(cwd, user_config, home, is_trusted=is_trusted):
        is_projects = path.is_relative_to(root) and root != home
        found.import_root = _real(root if is_projects else home)
        if is_projects and _is_file(path) and not _real(path).is_relative_to(found.import_root):
            found.warnings.append(f"{path} is a link to a file outside {found.import_root} and is left out.")
            continue
        body = _read(path, found, depth=0)
        if body.strip():
            parts.append(f"From {path}:\n{body.strip()}")
    found.text = "\n\n".join(parts)
    return found


def _candidates(cwd: Path, user_config: Path, home: Path, *, is_trusted: bool) -> Iterator[Path]:
    yield user_config / "AGENTS.md"
    for name in USER_FILES:
        yield home / name
    if not is_trusted:
        return
    root = find_repo_root(cwd) or cwd
    folders = [cwd, *cwd.parents]
    for folder in reversed(folders[: folders.index(root) + 1]):
        for name in NAMES:
            yield folder / name
        rules = folder / RULES
        if os.path.isdir(rules):  # noqa: PTH112  never raises
            yield from sorted(rules.rglob("*.md"))


def _read(path: Path, found: Instructions, depth: int) -> str:
    """A file with its imports in place; empty where it is missing, was read already, or cannot be read."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return ""
    if resolved in found.files or not resolved.is_file():
        return ""
    try:
        text = resolved.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found.warnings.append(f"{path} cannot be read as instructions: {error}")
        return ""
    found.files.append(resolved)
    if len(text) > WARN_CHARS:
        found.warnings.append(f"{path} has {len(text):,} characters of instructions; over {WARN_CHARS:,} is too much.")
    return _with_imports(text, resolved, found, depth)


def _with_imports(text: str, path: Path, found: Instructions, depth: int) -> str:
    """The text with each ``@path`` outside code replaced by that file, up to ``MAX_IMPORT_DEPTH`` deep."""

    def replace(match: re.Match[str]) -> str:
        return match[0] if match["code"] else _imported(match["path"], path, found, depth) or match[0]

    return "".join(piece if is_code else IMPORT.sub(replace, piece) for piece, is_code in _pieces(text))


def _imported(name: str, path: Path, found: Instructions, depth: int) -> str:
    """The text that the mention stands for; empty where it stays as it is."""
    target = _real(found.home / name[2:] if name.startswith("~/") else path.parent / name)
    if target in found.files or not _is_file(target):
        return ""
    if not target.is_relative_to(found.import_root):
        found.warnings.append(f"{path}: @{name} lies outside {found.import_root} and is left out.")
        return ""
    if depth >= MAX_IMPORT_DEPTH:
        found.warnings.append(f"{path}: @{name} is more than {MAX_IMPORT_DEPTH} imports deep and is left out.")
        return ""
    return _read(target, found, depth + 1).strip()


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Prose, and code between fences; a fence is closed by one of its own kind that is no shorter."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        match = FENCE.match(line)
        if match and not fence:
            yield "".join(lines), False
            lines, fence = [line], match[1]
        elif match and match[1].startswith(fence) and not match[2].strip():
            yield "".join([*lines, line]), True
            lines, fence = [], ""
        else:
            lines.append(line)
    yield "".join(lines), bool(fence)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  never raises


def _real(path: Path) -> Path:
    """Every link followed; of a loop what could be."""
    return Path(os.path.realpath(path))
