"""Lines from standard input: a terminal, a pipe or a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import threading
from collections.abc import Generator

CHUNK = 65_536


class Keyboard:
    """Reads in a thread of its own: a file cannot be watched by the event loop, and a read cannot be cancelled."""

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self.is_terminal = os.isatty(self._descriptor)
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    async def line(self) -> str | None:
        """The next line without its end; None at the end of input."""
        return await self._lines.get()

    @contextlib.contextmanager
    def unseen(self) -> Generator[None]:
        """While this lasts nothing that is typed is shown."""
        if not self.is_terminal:
            yield
            return
        before = termios.tcgetattr(self._descriptor)
        hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, hidden)
        try:
            yield
        finally:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)

    def _read(self) -> None:
        rest = b""
        # Not through sys.stdin: its lock would be held when the program ends.
        with contextlib.suppress(OSError):
            while data := os.read(self._descriptor, CHUNK):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._hand_over(line.decode("utf-8", "replace").removesuffix("\r"))
        if rest:
            self._hand_over(rest.decode("utf-8", "replace"))
        self._hand_over(None)

    def _hand_over(self, line: str | None) -> None:
        # The loop may be over by now.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
