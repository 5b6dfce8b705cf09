"""What the settings of a folder that is not trusted yet would bring, for the question of trust. Nothing is used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from core.host.files import read_regular
from core.settings.layers import MAX_FILE_BYTES, PROJECT_LAYERS, settings_files
from core.settings.paths import Paths
from core.settings.schema import FOREIGN_KEYS, KEYS

COUNTED = {"allow": "allow rule", "ask": "ask rule", "deny": "deny rule", "additionalDirectories": "further folder"}
KNOWN = {key.path.partition(".")[0] for key in KEYS} | FOREIGN_KEYS


def untrusted_settings(paths: Paths, cwd: Path) -> tuple[str, ...]:
    """A line for each of the folder's own settings files: ``.claude/settings.json: 3 allow rules, 1 hook, env``."""
    lines: list[str] = []
    for file in settings_files(paths, cwd):
        if file.layer in PROJECT_LAYERS and file.path is not None and os.path.lexists(file.path):
            found = ", ".join(_contents(file.path)) or "nothing"
            lines.append(f"{os.path.relpath(file.path, cwd)}: {found}")
    return tuple(lines)


def _contents(path: Path) -> Iterator[str]:
    try:
        data: Any = json.loads(read_regular(path, MAX_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        yield "cannot be read"
        return
    if not isinstance(data, dict):
        yield "no settings"
        return
    settings = cast("dict[str, Any]", data)
    permissions = settings.pop("permissions", None)
    if isinstance(permissions, dict):
        yield from _permissions(cast("dict[str, Any]", permissions))
    hooks = settings.pop("hooks", None)
    if hooks:
        yield _count(_commands(hooks) or 1, "hook")
    # The names that a repository makes up are no text for this question.
    yield from (name for name in settings if name in KNOWN and name != "$schema")
    others = sum(name not in KNOWN for name in settings)
    if others:
        yield _count(others, "unknown key")


def _permissions(permissions: dict[str, Any]) -> Iterator[str]:
    for name, value in permissions.items():
        if name in COUNTED and isinstance(value, list):
            yield _count(len(cast("list[Any]", value)), COUNTED[name])
        elif name == "defaultMode":
            yield f"defaultMode {value}" if value in ("acceptEdits", "bypassPermissions") else name


def _commands(value: Any) -> int:
    """How many hooks a ``hooks`` value holds: the innermost objects that name a command, an address or a prompt."""
    if isinstance(value, dict):
        entry = cast("dict[str, Any]", value)
        return 1 if isinstance(entry.get("type"), str) else sum(_commands(inner) for inner in entry.values())
    return sum(_commands(inner) for inner in cast("list[Any]", value)) if isinstance(value, list) else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
