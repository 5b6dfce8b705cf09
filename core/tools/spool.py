"""The output of a command: the beginning and the end in memory, the whole on disk once it is large."""

from __future__ import annotations

import codecs
import contextlib
import os
from collections import deque
from pathlib import Path

INLINE_CHARS = 30_000
"""Output up to this size is given whole."""
HEAD_CHARS = 15_000
TAIL_CHARS = 15_000
RECENT_CHARS = 8_000
"""How far back the live view looks for lines."""
DISK_BYTES = 5_000_000_000
"""Beyond this nothing more is written; the command goes on."""


class OutputSpool:
    """Collects text. Memory stays bounded whatever comes in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total_chars = 0
        self.total_lines = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._head: list[str] = []
        self._head_chars = 0
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self._file: int | None = None
        self._stored = 0
        """Bytes that can be read back: in ``_early``, then on disk."""
        self._early: list[bytes] = []
        self._has_ended = False
        self.is_whole = True
        """Whether all output so far can be read back; a disk that fails or is full ends that for good."""

    def write(self, data: bytes) -> None:
        """Add output as it comes; an empty piece ends it."""
        text = self._decoder.decode(data, final=not data)
        self._keep_raw(data)
        self._has_ended = not data
        self.total_chars += len(text)
        self.total_lines += text.count("\n")
        room = HEAD_CHARS - self._head_chars
        if room > 0:
            self._head.append(text[:room])
            self._head_chars += len(text[:room])
            text = text[room:]
        if text:
            self._tail.append(text)
            self._tail_chars += len(text)
            while self._tail_chars - len(self._tail[0]) >= TAIL_CHARS:
                self._tail_chars -= len(self._tail.popleft())

    @property
    def is_cut(self) -> bool:
        """Whether ``text`` leaves something out."""
        return self.total_chars > INLINE_CHARS

    def text(self) -> str:
        """The whole output, or its beginning and end with what is left out named between them."""
        head, tail = "".join(self._head), "".join(self._tail)
        if not self.is_cut:
            return head + tail
        tail = tail[-TAIL_CHARS:]
        left_out = self.total_chars - len(head) - len(tail)
        return f"{head}\n\n[… {left_out:,} characters left out{self._where()} …]\n\n{tail}"

    @property
    def saved_to(self) -> str:
        """The file with the whole output where ``text`` leaves something out; empty where there is none."""
        return str(self.path) if self.is_cut and self._file is not None and self.is_whole else ""

    def _where(self) -> str:
        if self._file is None:
            return ""
        return f"; the whole is in {self.path}" if self.is_whole else f"; the beginning is in {self.path}"

    def last_lines(self, count: int) -> str:
        """The end of the output, for showing it live."""
        recent = "".join(self._tail)
        if self._tail_chars < RECENT_CHARS:
            recent = "".join(self._head) + recent
        return "\n".join(recent[-RECENT_CHARS:].rstrip("\n").split("\n")[-count:])

    @property
    def stored_bytes(self) -> int:
        """How much can be read back so far."""
        return self._stored

    def read_from(self, offset: int, limit: int) -> tuple[str, int]:
        """Up to ``limit`` (4 or more) bytes from byte ``offset``, and the offset after them.

        A character that is not complete yet is left for the next call.
        """
        if self._file is None:
            data = b"".join(self._early)[offset : offset + limit]
        else:
            with self.path.open("rb") as stream:
                stream.seek(offset)
                data = stream.read(limit)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data, final=self._has_ended and offset + len(data) >= self._stored)
        return text, offset + len(data) - len(decoder.getstate()[0])

    def close(self) -> None:
        """Close the file on disk, if there is one."""
        if self._file is not None and self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _keep_raw(self, data: bytes) -> None:
        if not self.is_whole:
            return
        if self._file is not None:
            self._store(data)
            return
        self._early.append(data)
        self._stored += len(data)
        if self._stored > INLINE_CHARS:
            self._spill()

    def _spill(self) -> None:
        """Move to disk. Where that fails the head and the tail are all there is."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            self.is_whole = False
            return
        early, self._early, self._stored = b"".join(self._early), [], 0
        self._store(early)

    def _store(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        try:
            while rest and self._stored + len(rest) <= DISK_BYTES:
                written = os.write(self._file, rest)
                self._stored += written
                rest = rest[written:]
        except OSError:
            pass
        self.is_whole = not rest
