"""Where a search begins, and how its results are named."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from core.tools.base import ToolError
from core.tools.context import ToolState
from core.tools.text_files import checked_path


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


PlainText = Annotated[str, AfterValidator(_without_nul)]
"""Text that may become part of a path or an argument of a command."""


def located(path: str | None, state: ToolState) -> Path:
    """The absolute path that a call names, the working directory where it names none.

    ``..`` is followed as the system does it, through symlinks. Raises ``ToolError`` for what cannot be a path.
    """
    if not path:
        return state.cwd
    named = checked_path(path, state)
    return named.resolve() if ".." in named.parts else named


def file_mode(path: Path) -> int:
    """The mode of what the path leads to, for ``stat.S_ISDIR`` and the like; 0 where it leads nowhere."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def missing(path: Path) -> ToolError:
    """The error for a path that leads nowhere."""
    return ToolError(f"{path} does not exist, or cannot be reached.")


def existing_folder(path: Path) -> Path:
    """The path itself. Raises ``ToolError`` where it is not a directory."""
    mode = file_mode(path)
    if not mode:
        raise missing(path)
    if not stat.S_ISDIR(mode):
        raise ToolError(f"{path} is not a folder.")
    return path


def shown_prefix(root: Path, cwd: Path) -> str:
    """What stands before names relative to ``root``.

    Nothing for the working directory itself, the relative path for a folder inside it, the absolute one elsewhere.
    """
    if not root.is_relative_to(cwd):
        return f"{root}/".replace("//", "/")
    inside = root.relative_to(cwd)
    return "" if inside == Path() else f"{inside}/"
