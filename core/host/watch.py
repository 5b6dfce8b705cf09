"""Follows files that others may edit, with one watcher for several of them."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from core.host.garbage import importing

STEP_MS = 250
"""How often the watcher wakes up to look; also how long its end may take."""
LOOK_MS = 10_000
"""After so long without news one looks all the same: not every file system tells of changes."""


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


async def watch_folders(find: Callable[[], Iterable[Path]], look: Callable[[], None]) -> None:
    """Call ``look`` when something may have changed in one of the folders, until cancelled. Nothing is created.

    ``find`` gives the folders, those that exist are watched; it is asked again after each change, so that one that was
    made, or made anew, is watched from then on.
    """
    await asyncio.to_thread(_load_watcher)
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

    with contextlib.suppress(asyncio.CancelledError):
        while True:
            watched = _existing(find())
            news = awatch(
                *watched,
                step=STEP_MS,
                recursive=False,
                watch_filter=None,
                rust_timeout=LOOK_MS,
                yield_on_timeout=True,
                ignore_permission_denied=True,
            )
            # A folder may go between the look and the watch: then they are looked for again.
            with contextlib.suppress(FileNotFoundError):
                async with contextlib.aclosing(news):
                    async for _changes in news:
                        look()
                        if _existing(find()) != watched:
                            break


def _existing(folders: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Those of the folders that exist, each with what tells it from a later one of the same name."""
    found: dict[Path, tuple[int, int]] = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            info = folder.stat()
            if stat.S_ISDIR(info.st_mode):
                found[folder] = (info.st_dev, info.st_ino)
    return found


def _load_watcher() -> None:
    """Import the watcher, and what its library looks up at its first use, which would stop the event loop for long."""
    with importing():
        import anyio
        import watchfiles as _watchfiles  # noqa: F401  # pyright: ignore[reportUnusedImport]

        anyio.run(anyio.sleep, 0)
