"""The files beneath a folder, as ``rg --files --hidden`` lists them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from core.tools.search.ignore import IgnoreChain, chain_above


def walk(root: Path, stop: threading.Event) -> Iterator[str]:
    """Names, relative to ``root``, of the regular files that are not ignored, in no order; ends early once ``stop``
    is set. ``.git`` is left out, symlinks are not followed, folders that cannot be read are passed over."""
    base = os.path.realpath(root).rstrip("/") + "/"
    pending: list[tuple[str, IgnoreChain]] = [("", chain_above(str(Path(base))))]
    while pending and not stop.is_set():
        folder, chain = pending.pop()
        try:
            with os.scandir(base + folder) as listing:
                entries = list(listing)
        except OSError:
            continue
        chain = chain.entering(base + folder, {entry.name for entry in entries})
        for entry in entries:
            name = entry.name
            if name == ".git":
                continue
            if entry.is_dir(follow_symlinks=False):
                path = folder + name
                if not chain.files or not chain.ignores(name, base + path, is_folder=True):
                    pending.append((f"{path}/", chain))
            elif entry.is_file(follow_symlinks=False):
                path = folder + name
                if not chain.files or not chain.ignores(name, base + path, is_folder=False):
                    yield path
