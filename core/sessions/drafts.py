"""The draft of a prompt that was not sent: one file for each running program, in the folder of its project.

A program that ends by force leaves its file behind; the next one started in the project takes it up.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, cast

from core.host.files import write_atomic
from core.host.process import is_running

PREFIX = "draft-"


class DraftStore:
    """Saves and takes up drafts. A disk that fails costs only the draft."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{PREFIX}{os.getpid()}.json"

    def save(self, draft: dict[str, Any]) -> None:
        """Replace the draft of this program; an empty one is removed. Blocks."""
        with contextlib.suppress(OSError):
            if draft:
                write_atomic(self._own, json.dumps(draft).encode(), 0o600)
            else:
                self._own.unlink(missing_ok=True)

    def take(self) -> dict[str, Any]:
        """The newest draft that a program left which runs no more, and no file of it any longer; else empty. Blocks."""
        found: list[tuple[float, Path]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"{PREFIX}*.json"):
                if _is_left(path):
                    found.append((path.stat().st_mtime, path))
        for _, path in sorted(found, reverse=True):
            with contextlib.suppress(OSError, ValueError):
                draft: Any = json.loads(path.read_text("utf-8"))
                path.unlink()
                if isinstance(draft, dict):
                    return cast("dict[str, Any]", draft)
        return {}


def _is_left(path: Path) -> bool:
    pid = path.stem.removeprefix(PREFIX)
    # The own number at the start: that of a program before, in a container where all have the same.
    return pid.isdecimal() and (int(pid) == os.getpid() or not is_running(int(pid)))
