"""Files that somebody else has changed since the agent saw them: told once per change, with what is different."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from core.host.exact import Stamp, stamp_of
from core.host.files import BinaryFileError, read_text
from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.policy import Policy
from core.prompt.sections import template
from core.tools.context import FileStamp, ToolState
from core.tools.text_files import seen_as, unified_diff

MAX_FILES = 100
"""So many of the files that were seen last are looked at before a request."""
MAX_FILE_CHARS, MAX_CHARS = 4_000, 12_000
"""What one difference may take, and all of one request."""
MAX_BYTES = 1_000_000
MAX_TIMES = 3
"""A file that changed so often since the agent saw it (a log, say) is not told of again until it looks at it."""
SETTLE_S = 0.1
"""A file that is missing is looked at again after so long: an editor may be about to put its new one there."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told last of a file that is known as ``known``."""

    known: FileStamp
    disk: Stamp | None
    times: int


@dataclass(frozen=True, slots=True)
class FileReport:
    """What has changed: a text for the model, the files in it, and the state in which that is known."""

    state: ToolState
    text: str = ""
    paths: tuple[Path, ...] = ()


class FileNews:
    """Knows of which changes the model was told. ``unwatched``: folders in which files change by our own doing."""

    def __init__(self, unwatched: tuple[Path, ...]) -> None:
        self._unwatched = unwatched
        self._told: dict[Path, _Told] = {}

    async def look(self, state: ToolState, policy: Policy, passed_over: Collection[Path]) -> FileReport:
        """What is different by now; it counts as told. ``passed_over``: files that the model is told of otherwise."""
        changed = [path for path in self._changed(state) if path not in passed_over]
        if not changed:
            return FileReport(state)
        return self._report(state, await asyncio.to_thread(_differences, changed, state, policy))

    def _changed(self, state: ToolState) -> list[Path]:
        """Files that are not what they were, the one seen last first."""
        found: list[Path] = []
        for path, known in list(state.seen.items())[: -MAX_FILES - 1 : -1]:
            if known.disk is None or (now := _on_disk(path, known.disk)) == known.disk:
                continue
            told = self._told.get(path)
            is_told = told is not None and told.known is known and told.disk == now
            if not is_told and not any(path.is_relative_to(folder) for folder in self._unwatched):
                found.append(path)
        return found

    def _report(self, state: ToolState, differences: list[_Difference]) -> FileReport:
        seen, parts, paths = dict(state.seen), list[str](), list[Path]()
        left = MAX_CHARS
        for found in differences:
            path, known = found.path, seen[found.path]
            told = self._told.get(path)
            times = told.times + 1 if told is not None and told.known is known else 1
            if found.known is not None and told is not None and told.known is known and told.disk is None:
                found = replace(found, text=found.text or RESTORED)
            if found.text is None or times > MAX_TIMES:
                # Nothing to tell, or not any more: then the agent does not know the file as it is.
                seen[path] = found.known or known if found.text is None else known
                self._told[path] = _Told(seen[path], found.disk, times - 1)
                continue
            text = found.text
            if found.known is not None and len(text) > min(left, MAX_FILE_CHARS):
                text, found = CHANGED, replace(found, known=None)
            if times == MAX_TIMES:
                text += "\n[It keeps changing: you will not be told again before you read it.]"
            seen[path] = found.known or known
            self._told[path] = _Told(seen[path], found.disk, times)
            left -= len(text)
            parts.append(f"{path}: {text}")
            paths.append(path)
        text = template("news_files").format(files="\n\n".join(parts)) if parts else ""
        return FileReport(replace(state, seen=MappingProxyType(seen)), text, tuple(paths))


@dataclass(frozen=True, slots=True)
class _Difference:
    """How a file is different. ``text`` None: in nothing that matters. ``known`` is what the agent knows it as once it
    has read that; None where it has to read the file."""

    path: Path
    disk: Stamp | None
    text: str | None = None
    known: FileStamp | None = None


CHANGED = "changed; read it again before you rely on it."
DELETED = "deleted."
RESTORED = "there again, as you have seen it."


def _on_disk(path: Path, known: Stamp) -> Stamp | None:
    """The stamp of what is there, None for nothing; of what cannot be looked at the known one."""
    try:
        return stamp_of(os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return known


def _differences(paths: list[Path], state: ToolState, policy: Policy) -> list[_Difference]:
    if not all(os.path.lexists(path) for path in paths):
        time.sleep(SETTLE_S)
    return [_difference(path, state.seen[path], policy) for path in paths]


def _difference(path: Path, known: FileStamp, policy: Policy) -> _Difference:
    decision = decide("Read", Access(reads=(path,), is_read_only=True), policy).behavior
    disk = _on_disk(path, known.disk) if known.disk is not None else None
    if decision == "deny":
        return _Difference(path, disk)
    if disk is None:
        return _Difference(path, disk, DELETED)
    try:
        file = read_text(path, MAX_BYTES)
    except (OSError, BinaryFileError):
        return _Difference(path, disk, CHANGED)
    now = seen_as(file)
    if now == known:
        return _Difference(path, file.stamp, None, replace(known, disk=file.stamp))
    diff = unified_diff(known.text, file.text) if decision == "allow" and known.text is not None else None
    if not diff:
        return _Difference(path, file.stamp, CHANGED)
    return _Difference(path, file.stamp, f"changed:\n{diff}", now)
