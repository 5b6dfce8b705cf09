"""What the file tools share: finding the file, knowing whether it was seen, writing it back, showing the change."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from core.host.files import BinaryFileError, TextFile, read_text, write_atomic
from core.permissions.access import Access
from core.permissions.paths import resolve
from core.protocol.views import FileDiff, ToolDisplay
from core.tools.base import ToolError, ToolResult
from core.tools.context import FileStamp, ToolState
from core.tools.file_kinds import HEAD_BYTES, binary_kind

MAX_FILE_BYTES = 50_000_000
MAX_DIFF_CHARS = 400_000
"""Beyond this the window gets a summary of the change, not both texts."""


def checked_path(raw: str, state: ToolState) -> Path:
    """The absolute path of a tool's input. Raises ``ToolError`` for what cannot be a path."""
    if not raw.strip():
        raise ToolError("The path is empty.")
    if "\0" in raw:
        raise ToolError("The path holds a NUL character.")
    if "://" in raw:
        raise ToolError(f"{raw} is a URL, not a file path.")
    try:
        os.fsencode(raw)
        return state.absolute(raw)
    except UnicodeEncodeError as error:
        raise ToolError(f"The path {raw!r} holds a character that no file name can have.") from error
    except RuntimeError as error:
        raise ToolError(f"{raw}: {error}") from error


def absolute_path(raw: str, state: ToolState) -> dict[str, Any]:
    """What the input of a file tool says more plainly to whoever looks on."""
    return {"file_path": str(checked_path(raw, state))}


def load(path: Path) -> TextFile:
    """A text file, or a ``ToolError`` that says why it cannot be had."""
    with _explained(path):
        size = _check_regular(path)
        if size > MAX_FILE_BYTES:
            raise ToolError(f"{path} has {size:,} bytes, too many to load.", "Use Grep, or head/tail in Bash.")
        try:
            return read_text(path, MAX_FILE_BYTES)
        except BinaryFileError as error:
            with path.open("rb") as stream:
                kind, hint = binary_kind(stream.read(HEAD_BYTES))
            raise ToolError(f"{path} is {kind}, not text.", hint) from error


def load_bytes(path: Path, max_bytes: int) -> bytes:
    """The first bytes of any file, or a ``ToolError`` that says why they cannot be had."""
    with _explained(path):
        _check_regular(path)
        with path.open("rb") as stream:
            return stream.read(max_bytes)


def _check_regular(path: Path) -> int:
    """The size of the file in bytes. Raises ``ToolError`` for what is no file."""
    info = path.stat()
    if stat.S_ISDIR(info.st_mode):
        raise ToolError(f"{path} is a folder.", "Use LS to list it.")
    if not stat.S_ISREG(info.st_mode):
        raise ToolError(f"{path} is a device, pipe or socket and is not opened.")
    return info.st_size


@contextlib.contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ToolError(f"{path} does not exist.", _similar(path)) from error
    except PermissionError as error:
        raise ToolError(f"{path} cannot be read: permission denied.") from error
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} cannot be read: {error}.") from error


def require_seen(path: Path, file: TextFile, state: ToolState) -> None:
    """Refuse a file that was not read, or whose content is not the one that was read."""
    known = state.seen.get(resolve(path))
    if known is None:
        raise ToolError(f"{path} has not been read yet.", "Read it first, then change it.")
    if file.digest != known.digest:
        raise ToolError(f"{path} has changed on disk since it was read.", "Read it again before changing it.")


def save(path: Path, old: TextFile | None, file: TextFile, summary: str) -> ToolResult:
    """Write the file and give the result of the call. Raises ``ToolError``; the old content then stands."""
    modify = write_back(path, file)
    old_text = old.text if old else None
    return ToolResult(
        content=summary,
        display=ToolDisplay(summary=change_summary(old_text, file.text), diff=diff_of(path, old_text, file.text)),
        modify=modify,
    )


def write_back(path: Path, file: TextFile) -> Callable[[ToolState], ToolState]:
    """Write the file; gives the change of state that makes it known. Raises ``ToolError``; the old content stands."""
    try:
        data = file.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"{path} is in {file.encoding}, which cannot hold {error.object[error.start]!r}.") from error
    try:
        write_atomic(path, data, file.mode)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror or error}. The file is unchanged.") from error
    target, written = resolve(path), FileStamp(hashlib.sha256(data).hexdigest())
    return lambda state: state.with_seen(target, written)


def diff_of(path: Path, old: str | None, new: str) -> FileDiff | None:
    """The change for the window; None where it is too large to show."""
    if len(old or "") + len(new) > MAX_DIFF_CHARS:
        return None
    return FileDiff(path=str(path), old=old, new=new)


def change_summary(old: str | None, new: str) -> str:
    """``+12 −3``, or ``new, 40 lines``."""
    if old is None:
        lines = len(new.splitlines())
        return f"new, {lines} line{'' if lines == 1 else 's'}"
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if len(old_lines) + len(new_lines) > 20_000:
        return f"{len(old_lines)} → {len(new_lines)} lines"
    added = removed = 0
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=True).get_opcodes():
        if tag != "equal":
            removed += i2 - i1
            added += j2 - j1
    return f"+{added} −{removed}"


def write_access(raw: str, state: ToolState) -> Access:
    """A write of one file."""
    return Access(writes=(checked_path(raw, state),))


def _similar(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"The folder {path.parent} does not exist either." if not path.parent.exists() else ""
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    return f"Did you mean {', '.join(close)}?" if close else ""
