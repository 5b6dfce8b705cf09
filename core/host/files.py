"""Text files: reading with their encoding and line endings, writing them back atomically, append-only logs."""

from __future__ import annotations

import codecs
import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from core.host.exact import Stamp, open_regular, stamp_of, write_exact

BINARY_SNIFF_BYTES = 8192
"""As git does: a NUL byte in the first 8,000 or so bytes makes a file binary."""

LOCK_POLL_S = 0.01
"""How often one who waits for a lock looks again."""

Newline = Literal["\n", "\r\n", "\r"]


class BinaryFileError(ValueError):
    """The file is not text."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text with ``\\n`` line ends, and what is needed to write it back as it was."""

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""
    newline: Newline = "\n"
    mode: int | None = None
    """Permission bits; None for a new file."""
    stamp: Stamp | None = None
    """Of the file as it was read; None for a new one."""
    digest: str = ""
    """SHA-256 of the bytes as they were read."""

    def with_text(self, text: str) -> TextFile:
        """The same file with other content; in one with its own kind of line end ``\\r\\n`` is that too."""
        return replace(self, text=text if self.newline == "\n" else text.replace("\r\n", "\n"))

    def encode(self) -> bytes:
        """The bytes to write. Raises ``UnicodeEncodeError`` where the encoding cannot hold the text."""
        text = self.text if self.newline == "\n" else self.text.replace("\n", self.newline)
        return self.bom + text.encode(self.encoding)


_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path, max_bytes: int = -1) -> TextFile:
    """Read a text file, by exactly this path. Raises ``OSError``, or ``BinaryFileError`` for one that is not text.

    ``max_bytes`` also holds for a file that grows, or that gives its size as 0 and never ends.
    """
    with open_regular(path) as stream:
        info = os.fstat(stream.fileno())
        data = stream.read(max_bytes + 1 if max_bytes >= 0 else -1)
    if 0 <= max_bytes < len(data):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    bom, encoding = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", ""))
    if not encoding:
        if b"\0" in data[:BINARY_SNIFF_BYTES]:
            raise BinaryFileError(f"{path} is a binary file")
        encoding = "utf-8"
    text, encoding = _decode(data[len(bom) :], encoding)
    newline = _newline(text)
    return TextFile(
        text=text if newline == "\n" else text.replace(newline, "\n"),
        encoding=encoding,
        bom=bom,
        newline=newline,
        mode=stat.S_IMODE(info.st_mode),
        stamp=stamp_of(info),
        digest=hashlib.sha256(data).hexdigest(),
    )


def read_regular(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file of which nothing is known: never waits for a pipe and never takes more than ``max_bytes``.

    Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def _decode(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        # Every byte is a character there, so an edit elsewhere in the file gives the same bytes back.
        return data.decode("latin-1"), "latin-1"


def _newline(text: str) -> Newline:
    """The line end where the file has one kind only; a mixed file is left as it is, byte for byte."""
    crlf = text.count("\r\n")
    if crlf and crlf == text.count("\n") == text.count("\r"):
        return "\r\n"
    if "\r" in text and "\n" not in text:
        return "\r"
    return "\n"


def write_atomic(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace the file in one step, through a symlink to its target; see ``write_exact``."""
    write_exact(Path(os.path.realpath(path)), data, mode)


class LineLog:
    """An append-only file of lines. A line that could not be written is kept and written with the next one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[bytes] = []
        self._descriptor: int | None = None

    def append(self, line: bytes) -> None:
        """Append one line (without its end). Raises ``OSError``; the line is then tried again with the next."""
        self._pending.append(line + b"\n")
        self.flush()

    def flush(self) -> None:
        """Write what is pending. Raises ``OSError``."""
        if not self._pending:
            return
        if self._descriptor is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            self._end_torn_line(self._descriptor)
        data = b"".join(self._pending)
        written = os.write(self._descriptor, data)
        if written < len(data):
            # A full disk may take a part: go on from there, so that no line is written twice.
            self._pending = [data[written:]]
            raise OSError(28, "No space left on device", str(self.path))
        self._pending.clear()

    def _end_torn_line(self, descriptor: int) -> None:
        """A kill may have cut the last line: the next one must not be glued to it."""
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            self._pending.insert(0, b"\n")

    def sync(self) -> None:
        """Flush, and force the data to the disk. Raises ``OSError``."""
        self.flush()
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; what is still pending is lost."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextlib.contextmanager
def file_lock(path: Path, timeout_s: float) -> Generator[None]:
    """Hold an exclusive lock, waiting for it: not for the event loop. Raises ``TimeoutError``, ``OSError``."""
    deadline = time.monotonic() + timeout_s
    while (descriptor := lock_file(path)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{path} is locked")
        time.sleep(LOCK_POLL_S)
    try:
        yield
    finally:
        os.close(descriptor)


def lock_file(path: Path) -> int | None:
    """Take an exclusive lock held until the process ends or ``os.close``; None where another holds it.

    A folder can be locked itself, so that no file has to be left in it.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
