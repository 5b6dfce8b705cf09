"""What the file tools share: finding the file, knowing whether it was seen, writing it back, showing the change."""

from __future__ import annotations

import contextlib
import difflib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.host.exact import open_regular, write_exact
from core.host.files import BinaryFileError, TextFile, read_text
from core.permissions.access import Access
from core.permissions.judged import PathChangedError
from core.protocol.views import FileDiff, ToolDisplay
from core.tools.base import ToolError, ToolResult
from core.tools.context import MAX_TEXT_CHARS, FileStamp, ToolContext, ToolState
from core.tools.file_kinds import HEAD_BYTES, binary_kind

MAX_FILE_BYTES = 50_000_000
MAX_PATH_BYTES, MAX_NAME_BYTES = 4_095, 255
"""PATH_MAX without its NUL, and NAME_MAX, of Linux's limits.h; macOS takes less of the first."""
ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
MAX_DIFF_CHARS = 400_000
"""Beyond this the window gets a summary of the change, not both texts."""


MAX_DIFF_LINES = 20_000
"""Of both texts: more take long to compare."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file: as the call names it, and where that led when the call was judged. Only there it is read and written."""

    path: Path
    real: Path

    def __str__(self) -> str:
        return str(self.path)


def checked_path(raw: str, state: ToolState) -> Path:
    """The absolute path of a tool's input. Raises ``ToolError`` for what cannot be a path."""
    if not raw.strip():
        raise ToolError("The path is empty.")
    if "\0" in raw:
        raise ToolError("The path holds a NUL character.")
    if "://" in raw:
        raise ToolError(f"{raw} is a URL, not a file path.")
    try:
        path = state.absolute(raw)
        encoded = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise ToolError(f"The path {raw!r} holds a character that no file name can have.") from error
    except RuntimeError as error:
        raise ToolError(f"{raw}: {error}") from error
    if len(encoded) > MAX_PATH_BYTES or any(len(name) > MAX_NAME_BYTES for name in encoded.split(b"/")):
        raise ToolError(f"The path {raw[:100]}… is too long.")
    if _has_loop(path):
        raise ToolError(f"{path} leads in a circle of symbolic links.")
    return path


def _has_loop(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def place_of(raw: str, context: ToolContext) -> Place:
    """The file of a tool's input. Raises ``ToolError``, and ``PathChangedError`` where it is not the judged one."""
    path = checked_path(raw, context.state)
    return Place(path, context.judged.real(path))


def absolute_path(raw: str, state: ToolState) -> dict[str, Any]:
    """What the input of a file tool says more plainly to whoever looks on."""
    return {"file_path": str(checked_path(raw, state))}


def load(place: Place) -> TextFile:
    """A text file, or a ``ToolError`` that says why it cannot be had."""
    with _explained(place):
        size = _check_regular(place)
        if size > MAX_FILE_BYTES:
            raise ToolError(f"{place} has {size:,} bytes, too many to load.", "Use Grep, or head/tail in Bash.")
        try:
            return read_text(place.real, MAX_FILE_BYTES)
        except BinaryFileError as error:
            with open_regular(place.real) as stream:
                kind, hint = binary_kind(stream.read(HEAD_BYTES))
            raise ToolError(f"{place} is {kind}, not text.", hint) from error


def load_bytes(place: Place, max_bytes: int) -> bytes:
    """The first bytes of any file, or a ``ToolError`` that says why they cannot be had."""
    with _explained(place):
        _check_regular(place)
        with open_regular(place.real) as stream:
            return stream.read(max_bytes)


def _check_regular(place: Place) -> int:
    """The size of the file in bytes. Raises ``ToolError`` for what is no file."""
    info = place.real.stat()
    if stat.S_ISDIR(info.st_mode):
        raise ToolError(f"{place} is a folder.", "Use LS to list it.")
    _require_ordinary(place.path, info)
    return info.st_size


def _require_ordinary(path: Path, info: os.stat_result) -> None:
    if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
        raise ToolError(f"{path} is a device, pipe or socket and is not opened.")


@contextlib.contextmanager
def _explained(place: Place) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ToolError(f"{place} does not exist.", _similar(place.path)) from error
    except PermissionError as error:
        raise ToolError(f"{place} cannot be read: permission denied.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            raise PathChangedError(place.path) from error
        raise ToolError(f"{place} cannot be read: {error}.") from error


def seen_as(file: TextFile) -> FileStamp:
    """By what a file that was read is known."""
    return FileStamp(file.digest, file.stamp, file.text if len(file.text) <= MAX_TEXT_CHARS else None)


def require_seen(place: Place, file: TextFile, state: ToolState) -> None:
    """Refuse a file that was not read, or whose content is not the one that was read."""
    known = state.seen.get(place.real)
    if known is None:
        raise ToolError(f"{place} has not been read yet.", "Read it first, then change it.")
    if file.digest != known.digest:
        raise ToolError(f"{place} has changed on disk since it was read.", "Read it again before changing it.")


def save(place: Place, old: TextFile | None, file: TextFile, summary: str) -> ToolResult:
    """Write the file and give the result of the call. Raises ``ToolError``; the old content then stands."""
    modify = write_back(place, file)
    old_text = old.text if old else None
    return ToolResult(
        content=summary,
        display=ToolDisplay(summary=change_summary(old_text, file.text), diff=diff_of(place, old_text, file.text)),
        modify=modify,
    )


def write_back(place: Place, file: TextFile) -> Callable[[ToolState], ToolState]:
    """Write the file in the place of the one whose stamp it carries, none where it has none; gives the change of state
    that makes it known. Raises ``ToolError``; the old content stands."""
    try:
        data = file.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"{place} is in {file.encoding}, which cannot hold {error.object[error.start]!r}.") from error
    try:
        disk = write_exact(place.real, data, file.mode, replaces=file.stamp)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PathChangedError(place.path) from error
        raise ToolError(f"{place} cannot be written: {error.strerror or error}. The file is unchanged.") from error
    real = place.real
    written = seen_as(replace(file, digest=hashlib.sha256(data).hexdigest(), stamp=disk))
    return lambda state: state.with_seen(real, written)


def diff_of(place: Place, old: str | None, new: str) -> FileDiff | None:
    """The change for the window; None where it is too large to show."""
    if len(old or "") + len(new) > MAX_DIFF_CHARS:
        return None
    return FileDiff(path=str(place), old=old, new=new)


def unified_diff(old: str, new: str) -> str | None:
    """What is different, line by line, without the names on top; None where that would take long to find out."""
    if old.endswith("\n") and new.endswith("\n"):
        old, new = old[:-1], new[:-1]
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if len(old_lines) + len(new_lines) > MAX_DIFF_LINES:
        return None
    return "\n".join(list(difflib.unified_diff(old_lines, new_lines, lineterm=""))[2:])


def change_summary(old: str | None, new: str) -> str:
    """``+12 −3``, or ``new, 40 lines``."""
    if old is None:
        lines = len(new.splitlines())
        return f"new, {lines} line{'' if lines == 1 else 's'}"
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if len(old_lines) + len(new_lines) > MAX_DIFF_LINES:
        return f"{len(old_lines)} → {len(new_lines)} lines"
    added = removed = 0
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=True).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return f"+{added} −{removed}"


def read_access(raw: str, state: ToolState) -> Access:
    """A read of one file. Raises ``ToolError`` for what is never opened: nobody need be asked about that."""
    path = checked_path(raw, state)
    with contextlib.suppress(OSError):
        _require_ordinary(path, path.stat())
    return Access(reads=(path,), is_read_only=True)


def write_access(raw: str, state: ToolState) -> Access:
    """A write of one file. Raises ``ToolError`` for what is never written: nobody need be asked about that."""
    path = checked_path(raw, state)
    with contextlib.suppress(OSError):
        info = path.stat()
        _require_ordinary(path, info)
        if stat.S_ISDIR(info.st_mode):
            raise ToolError(f"{path} is a folder.", "Name a file in it.")
        if not info.st_mode & ANY_WRITE:
            raise ToolError(f"{path} is read-only (mode {stat.S_IMODE(info.st_mode):o}).", "Ask the user about it.")
    return Access(writes=(path,))


def _similar(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"The folder {path.parent} does not exist either." if not path.parent.exists() else ""
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    return f"Did you mean {', '.join(close)}?" if close else ""
