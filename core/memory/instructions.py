"""Instruction files: the user's, then each folder's from the root of the repository down to the working directory."""

from __future__ import annotations

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
IMPORT = re.compile(r"(?<![\w`])@((?:~|\.{0,2})/?[\w./-]+)")
FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


@dataclass(slots=True)
class Instructions:
    """What was found: one text for the model, the files it came from, and what the user should know."""

    text: str = ""
    files: list[Path] = field(default_factory=list[Path])
    warnings: list[str] = field(default_factory=list[str])
    import_root: Path = Path("/")
    """Imports of the file being read must lie in here: a repository must not pull in the user's private files."""


def read_instructions(cwd: Path, user_config: Path, home: Path, *, is_trusted: bool) -> Instructions:
    """Read all of them, each file once. In a folder that is not trusted only the user's own."""
    found = Instructions()
    parts: list[str] = []
    root = find_repo_root(cwd) or cwd
    for path in _candidates(cwd, user_config, home, is_trusted=is_trusted):
        found.import_root = root.resolve() if path.is_relative_to(root) and root != home else home
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
        if rules.is_dir():
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
        text = resolved.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found.warnings.append(f"{path} cannot be read as instructions: {error}")
        return ""
    found.files.append(resolved)
    if len(text) > WARN_CHARS:
        found.warnings.append(f"{path} has {len(text):,} characters of instructions; over {WARN_CHARS:,} is too much.")
    return _with_imports(text, resolved, found, depth)


def _with_imports(text: str, path: Path, found: Instructions, depth: int) -> str:
    """The text with each ``@path`` outside code replaced by that file, up to ``MAX_IMPORT_DEPTH`` deep."""
    pieces = FENCE.split(text)
    fences = FENCE.findall(text)

    def replace(match: re.Match[str]) -> str:
        target = Path(match[1]).expanduser()
        target = target if target.is_absolute() else path.parent / target
        if depth >= MAX_IMPORT_DEPTH:
            found.warnings.append(f"{path}: @{match[1]} is more than {MAX_IMPORT_DEPTH} imports deep and is left out.")
            return match[0]
        if not target.resolve().is_relative_to(found.import_root):
            found.warnings.append(f"{path}: @{match[1]} lies outside {found.import_root} and is left out.")
            return match[0]
        return _read(target, found, depth + 1).strip() or match[0]

    out: list[str] = []
    for index, piece in enumerate(pieces):
        out.append(piece if index % 2 else IMPORT.sub(replace, piece))
        out.append(fences[index] if index < len(fences) else "")
    return "".join(out)
