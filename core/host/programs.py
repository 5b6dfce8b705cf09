"""Where programs come from: the search path without what a project could plant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def safe_path(environ: Mapping[str, str], folders: Iterable[Path]) -> str:
    """``PATH`` without relative entries and without those in ``folders``, links resolved or not; never empty."""
    forbidden = [spelling for folder in folders for spelling in (os.path.normpath(folder), os.path.realpath(folder))]

    def is_planted(entry: str) -> bool:
        spellings = (os.path.normpath(entry), os.path.realpath(entry))
        return any(Path(spelling).is_relative_to(folder) for spelling in spellings for folder in forbidden)

    entries = environ.get("PATH", SYSTEM_PATH).split(os.pathsep)
    kept = [entry for entry in entries if entry.startswith("/") and not is_planted(entry)]
    return os.pathsep.join(kept) or SYSTEM_PATH
