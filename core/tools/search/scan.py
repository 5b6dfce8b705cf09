"""Text search in one file, as ripgrep does it: by lines of UTF-8, or of UTF-16 with a mark; none in binary files."""

from __future__ import annotations

import codecs
import os
import threading
from collections import deque
from collections.abc import Iterator

from core.tools.search.found import Line
from core.tools.search.query import Query, python_regex

FIRST_BYTES = 65_536
BLOCK_BYTES = 1_048_576
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class FileScan:
    """Finds a query's matches in files. Making one raises ``ToolError`` for an invalid expression."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._search = python_regex(query)

    def count(self, path: str, stop: threading.Event) -> int:
        """The number of matching lines, with ``multiline`` of matches; 1 for any number with ``names_only``.

        0 for a binary file, and less than all once ``stop`` is set. Raises ``OSError``.
        """
        total = 0
        for block in _blocks(path, whole=self._query.multiline):
            if stop.is_set():
                break
            if block.startswith(UTF16_MARKS):
                text = block.decode("utf-16", "replace")
            else:
                text = block.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
                if b"\0" in block and not self._matches_before_nul(text):
                    return 0
            for _ in self._matches(text):
                if self._query.names_only:
                    return 1
                total += 1
        return total

    def _matches_before_nul(self, text: str) -> bool:
        """Whether ripgrep would name the file although there is a NUL: it reads in pieces and stops at a match."""
        first = next(self._matches(text), None) if self._query.names_only else None
        return first is not None and "\0" not in text[: (first[0] // FIRST_BYTES + 1) * FIRST_BYTES]

    def lines(self, path: str, name: str, stop: threading.Event) -> Iterator[Line]:
        """Matching lines with their context, in order, until ``stop`` is set. Raises ``OSError``."""
        before: deque[Line] = deque(maxlen=self._query.before)
        after = 0
        for line in self._marked(path, name):
            if stop.is_set():
                return
            if line.is_match:
                yield from before
                before.clear()
                yield line
                after = self._query.after
            elif after:
                yield line
                after -= 1
            else:
                before.append(line)

    def _matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each matching line, with ``multiline`` of each match."""
        if self._query.multiline:
            yield from (found.span() for found in self._search.finditer(text) if found.start() < len(text))
            return
        search = self._search.search
        position = 0
        while position < len(text) and (found := search(text, position)):
            start = text.rfind("\n", position, found.start()) + 1 or position
            end = text.find("\n", found.start())
            end = len(text) if end < 0 else end
            # A match that runs into the next line is none: there may be one in this line alone.
            if start < len(text) and (found.end() <= end or search(text, start, end)):
                yield start, end
            position = end + 1

    def _marked(self, path: str, name: str) -> Iterator[Line]:
        descriptor = _opened(path)
        is_utf16 = os.pread(descriptor, 2, 0) in UTF16_MARKS
        encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
        with os.fdopen(descriptor, encoding=encoding, errors=errors, newline="\n") as stream:
            if not self._query.multiline:
                for number, text in enumerate(stream, 1):
                    text = text.removesuffix("\n")
                    yield Line(name, number, self._search.search(text) is not None, text)
                return
            whole = stream.read()
        marked: set[int] = set()
        number, position = 1, 0
        for start, end in self._matches(whole):
            number += whole.count("\n", position, start)
            position = start
            marked.update(range(number, number + whole.count("\n", start, max(start, end - 1)) + 1))
        for number, text in enumerate(whole.removesuffix("\n").split("\n"), 1):
            yield Line(name, number, number in marked, text)


def is_binary(path: str) -> bool:
    """Whether ripgrep would not search the file. Raises ``OSError``."""
    first = True
    for block in _blocks(path, whole=False):
        if first and block.startswith(UTF16_MARKS):
            return False
        if b"\0" in block:
            return True
        first = False
    return False


def _blocks(path: str, *, whole: bool) -> Iterator[bytes]:
    """A file in blocks of whole lines; as one block where ``whole`` or UTF-16."""
    descriptor = _opened(path)
    try:
        data = os.read(descriptor, FIRST_BYTES)
        if len(data) < FIRST_BYTES:
            yield data
            return
        whole = whole or data.startswith(UTF16_MARKS)
        parts = [data]
        if b"\0" in data and not whole:
            # What is binary need not be gathered up to the end of a line, which may never come.
            yield data
            parts = []
        while more := os.read(descriptor, BLOCK_BYTES):
            cut = 0 if whole else len(more) if b"\0" in more else more.rfind(b"\n") + 1
            if not cut:
                parts.append(more)
                continue
            parts.append(more[:cut])
            yield b"".join(parts)
            parts = [more[cut:]]
        yield b"".join(parts)
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    # Not blocking: what was a file when it was listed may be a pipe now.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
