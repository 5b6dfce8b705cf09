"""Which folders the user trusts. A repository's own files are used only there."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import cast

from core.host.files import write_atomic


def is_trusted(store: Path, folder: Path) -> bool:
    """Whether the user trusts the folder or one above it. An unreadable store trusts nothing."""
    trusted = _read(store)
    return any(str(candidate) in trusted for candidate in (folder, *folder.parents))


def trust(store: Path, folder: Path) -> None:
    """Remember that the user trusts the folder and all in it. Raises ``OSError``."""
    folders = sorted({*_read(store), str(folder)})
    write_atomic(store, (json.dumps({"folders": folders}, indent=2) + "\n").encode(), 0o600)


def _read(store: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        data = json.loads(store.read_text("utf-8"))["folders"]
        # Of a text each character would count, "/" among them.
        if isinstance(data, list):
            return [item for item in cast("list[object]", data) if isinstance(item, str)]
    return []
