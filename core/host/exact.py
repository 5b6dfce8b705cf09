"""Files by exactly the path that is given: no symlink on the way is followed, and only regular files are opened.

Who decides on a path and acts on it later must not be led elsewhere meanwhile. So every folder is opened in the one
above it, and the file in the handle of the last. A link that is met is ``OSError`` with ``ELOOP``, whatever else it is
that was found in place of the expected file is ``ESTALE``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, NamedTuple

STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To pass through a folder one needs no right to list it, where the system knows the difference."""


class Stamp(NamedTuple):
    """By what a file is known for the same, unchanged."""

    device: int
    inode: int
    size: int
    mtime_ns: int


ANYTHING = Stamp(-1, -1, -1, -1)
"""In place of the stamp of a file: it does not matter what is there."""


def stamp_of(info: os.stat_result) -> Stamp:
    """The stamp of a file of this state."""
    return Stamp(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


@contextlib.contextmanager
def open_regular(path: Path) -> Generator[BinaryIO]:
    """A regular file to read from. Raises ``OSError``; nothing else that may be there is opened."""
    with _folder(path.parent) as folder:
        info = _state(path.name, folder)
        if info is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        _require_regular(info, path)
        # Not blocking: it may have become a pipe just now.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path.name, flags, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as stream:
        _require_regular(os.fstat(descriptor), path)
        yield stream


def write_exact(path: Path, data: bytes, mode: int | None = None, *, replaces: Stamp | None = ANYTHING) -> Stamp:
    """Replace a file in one step, making the folders above it; on a failure the old content stays. Raises ``OSError``.

    ``mode`` None gives a new file the usual permissions and keeps those of an existing one. The owner of an existing
    file is kept where the system lets us. ``replaces`` is what must be there: None for nothing. Gives the stamp of what
    was written.
    """
    with _folder(path.parent, makes=True) as folder:
        old = _expected(path, folder, replaces)
        if mode is None:
            mode = stat.S_IMODE(old.st_mode) if old else 0o666 & ~_umask()
        name = f".agent-tui-{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                if old is not None:
                    with contextlib.suppress(OSError):
                        os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
                written = stamp_of(os.fstat(descriptor))
            _expected(path, folder, replaces)
            os.rename(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            return written
        finally:
            # After the rename there is none of that name.
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)


def _expected(path: Path, folder: int, replaces: Stamp | None) -> os.stat_result | None:
    """What is to be replaced, None for nothing. Raises ``OSError`` where it is not what it should be."""
    info = _state(path.name, folder)
    if info is not None:
        _require_regular(info, path)
    if replaces != ANYTHING and (stamp_of(info) if info else None) != replaces:
        raise OSError(errno.ESTALE, "it was changed meanwhile", str(path))
    return info


def _state(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _require_regular(info: os.stat_result, path: Path) -> None:
    if stat.S_ISLNK(info.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if stat.S_ISDIR(info.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(info.st_mode):
        raise OSError(errno.ENODEV, "it is a device, pipe or socket", str(path))


@contextlib.contextmanager
def _folder(path: Path, *, makes: bool = False) -> Generator[int]:
    """A handle of a folder, to reach its files by; with ``makes`` it is made where it is missing."""
    handle = os.open(path.anchor, STEP)
    try:
        for name in path.parts[1:]:
            below = _step(name, handle, path, makes=makes)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _step(name: str, handle: int, path: Path, *, makes: bool) -> int:
    try:
        return os.open(name, STEP, dir_fd=handle)
    except FileNotFoundError:
        if not makes:
            raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=handle)
        return _step(name, handle, path, makes=False)
    except NotADirectoryError as error:
        # The system's word for a link that is not followed here.
        info = _state(name, handle)
        if info is not None and stat.S_ISLNK(info.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
