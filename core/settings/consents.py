"""What the user was told of and has said yes to, once and for all."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Literal, cast

from core.host.files import write_atomic

BYPASS: Literal["bypassPermissions"] = "bypassPermissions"
"""That nothing at all is asked about."""


def has_accepted(store: Path, what: str) -> bool:
    """Whether the user has said yes to it. An unreadable store knows of no yes."""
    return what in _read(store)


def accept(store: Path, what: str) -> None:
    """Remember a yes. Raises ``OSError``."""
    accepted = sorted({*_read(store), what})
    write_atomic(store, (json.dumps({"accepted": accepted}, indent=2) + "\n").encode(), 0o600)


def _read(store: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        data = json.loads(store.read_text("utf-8"))["accepted"]
        if isinstance(data, list):
            return [item for item in cast("list[object]", data) if isinstance(item, str)]
    return []
