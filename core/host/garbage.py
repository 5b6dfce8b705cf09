"""Keeps the cyclic garbage collector from stopping the program where somebody waits for a key's echo.

A full collection looks at every object there is. With the SDK in memory that takes a tenth of a second and more, and
it comes every few seconds while a response streams. What has survived one is therefore taken out of sight of the next
(``gc.freeze``), so each looks only at what is new. What is imported is frozen unlooked at.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

FULL = 2
"""The generation of a full collection."""

WORTH = 10
"""So many full collections must have left their survivors unlooked at before it is worth looking at everything."""

_lock = threading.Lock()
_imports = 0
_freezes = 0


@contextmanager
def importing() -> Generator[None]:
    """No collection while modules are imported, in any thread: what they define stays for good."""
    global _imports
    with _lock:
        _imports += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _imports -= 1
            gc.freeze()
            if not _imports:
                gc.enable()


def freeze_survivors() -> None:
    """From now on what survives a full collection is not looked at again, until ``collect_all``."""
    if _freeze not in gc.callbacks:
        gc.callbacks.append(_freeze)


def collect_all() -> bool:
    """Look at everything, where that is worth it; whether it was. Stops the program for a fifth of a second or so:
    to be called when nothing has happened for a while."""
    global _freezes
    if _freezes < WORTH:
        return False
    gc.unfreeze()
    gc.collect()
    _freezes = 0
    return True


def _freeze(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
    global _freezes
    if phase == "stop" and info["generation"] == FULL:
        gc.freeze()
        _freezes += 1
