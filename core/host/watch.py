"""Follows files that others may edit, with one watcher for all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from core.host.garbage import importing

STEP_MS = 250
"""How often the watcher wakes up to look; also how long its end may take."""


async def watch_files(readers: Mapping[Path, Callable[[], None]]) -> None:
    """Call the reader of each file when something changes in its folder, until cancelled."""
    await asyncio.to_thread(_load_watcher)
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

    for path in readers:
        path.parent.mkdir(parents=True, exist_ok=True)
    folders = {path.parent for path in readers}
    with contextlib.suppress(asyncio.CancelledError):
        async for changes in awatch(*folders, step=STEP_MS, recursive=False):
            touched = {Path(name).name for _kind, name in changes}
            for path, read in readers.items():
                if path.name in touched:
                    read()


def _load_watcher() -> None:
    """Import the watcher, and what its library looks up at its first use, which would stop the event loop for long."""
    with importing():
        import anyio
        import watchfiles as _watchfiles  # noqa: F401  # pyright: ignore[reportUnusedImport]

        anyio.run(anyio.sleep, 0)
