"""A program in a pty, timed from exec to what it shows, and its memory."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import termios
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

QUERY_REPLIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62c"}
"""What a real terminal answers when it is asked for its abilities."""
PRIVATE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]")
FRAME_END = b"\x1b[?2026l"
"""Ends a synchronised update: what came before it is shown at once."""
PATIENCE_S = 60.0
"""A machine that does much else at once may take long; what never comes is found out all the same."""
REDRAW, REDRAW_S = b"\x0c", 15.0
"""What a user does with a garbled terminal: now and then the end of a frame is lost on its way through the pty, in
the middle of a sequence, and what comes after it arrives whole."""
UNFINISHED = re.compile(rb"\x1b(\[[<>=?]?[0-9;]*)?$")


class PtyChild:
    """Starts a command in a terminal of its own. ``read_until`` returns seconds since exec."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, columns: int = 120, rows: int = 36
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        """Every byte that the program has written."""
        self.exit_code: int | None = None
        """Negative for a signal; None while it runs."""
        self._unfinished = b""
        self.started = time.perf_counter()
        with warnings.catch_warnings():
            # A newer Python warns where threads run: the child does nothing but exec.
            warnings.simplefilter("ignore", DeprecationWarning)
            # The size is set before the program can ask for it: a new size right at the start is another test.
            self._fd, terminal = os.openpty()
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            self.pid = os.fork()
        if self.pid == 0:
            os.close(self._fd)
            os.login_tty(terminal)
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), dict(env))
        os.close(terminal)

    @property
    def bytes_seen(self) -> int:
        """How much it has written."""
        return len(self.output)

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def pump(self, seconds: float) -> bool:
        """Take in output for at most so long; whether there was any."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65_536)
        except OSError:
            data = b""
        if not data:
            self._reap()
            return False
        self.output += data
        for query, reply in QUERY_REPLIES.items():
            if query in data:
                os.write(self._fd, reply)
        # pyte takes private sequences that it does not know for text. One that is cut waits for its rest.
        data = self._unfinished + data
        cut = UNFINISHED.search(data)
        end = cut.start() if cut else len(data)
        self._unfinished = data[end:]
        self._stream.feed(PRIVATE.sub(b"", data[:end]))
        return True

    def pump_for(self, seconds: float) -> None:
        """Take in output for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.pump(min(left, 0.05))

    def shows(self, text: str) -> bool:
        """Whether a text stands on the screen."""
        return any(text in row for row in self.rows)

    @property
    def rows(self) -> list[str]:
        """The screen, row by row; much cheaper than pyte's own display."""
        buffer, columns = self.screen.buffer, range(self.screen.columns)
        return ["".join([buffer[number][column].data for column in columns]) for number in range(self.screen.lines)]

    def _pump_new(self, until: float) -> bool:
        """Take in output, waiting for some; False once the time is over or the program is."""
        while self.exit_code is None and time.perf_counter() < until:
            if self.pump(0.05):
                while self.pump(0):
                    pass
                return True
        return False

    def read_until(self, text: str, timeout: float = PATIENCE_S) -> float:
        """Seconds since exec at which the text is on the screen. Raises ``TimeoutError``."""
        until = time.perf_counter() + timeout
        redraw_at = time.perf_counter() + REDRAW_S
        while not self.shows(text):
            if not self._pump_new(min(until, redraw_at)) and not self.shows(text):
                if time.perf_counter() < until and self.exit_code is None:
                    redraw_at = until
                    self.send(REDRAW)
                    continue
                raise TimeoutError(f"{text!r} never came; the screen shows:\n" + "\n".join(self.screen.display))
            self.pump(0.005)
        return time.perf_counter() - self.started

    def read_until_gone(self, text: str, timeout: float = PATIENCE_S) -> None:
        """Wait until a text has left the screen; what is drawn at once may come in pieces."""
        until = time.perf_counter() + timeout
        while self.shows(text):
            if not self._pump_new(until) and self.shows(text):
                raise TimeoutError(f"{text!r} stays; the screen shows:\n" + "\n".join(self.screen.display))

    def press_until_gone(self, key: bytes, text: str, timeout: float = PATIENCE_S) -> None:
        """Press a key until a text has left the screen: a question ignores the keys of its first moments."""
        until = time.perf_counter() + timeout
        while self.shows(text):
            if time.perf_counter() > until:
                raise TimeoutError(f"{text!r} stays; the screen shows:\n" + "\n".join(self.screen.display))
            self.send(key)
            again = time.perf_counter() + 0.5
            while self.shows(text) and self._pump_new(again):
                pass

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Take in output until the program has ended; its exit code, negative for a signal."""
        until = time.perf_counter() + timeout
        while self.exit_code is None:
            if time.perf_counter() > until:
                raise TimeoutError("it has not ended; the screen shows:\n" + "\n".join(self.screen.display))
            self.pump(0.01)
            self._reap()
        while self.pump(0):
            pass
        return self.exit_code

    def wait_gone(self, timeout: float = PATIENCE_S) -> int:
        """Wait for the end of a program whose terminal is closed; its exit code."""
        descriptor = os.pidfd_open(self.pid)
        try:
            if not select.select([descriptor], [], [], timeout)[0]:
                raise TimeoutError("it has not ended")
        finally:
            os.close(descriptor)
        self._reap()
        assert self.exit_code is not None
        return self.exit_code

    def hang_up(self) -> None:
        """The terminal is closed, as when its window is."""
        os.close(self._fd)
        self._fd = -1

    def _reap(self) -> None:
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)

    def echo(self, key: str, timeout: float = 10.0) -> float:
        """Seconds from typing a key until it is on the screen."""
        begun = time.perf_counter()
        self.send(key.encode())
        while not self.shows(key):
            if time.perf_counter() - begun > timeout:
                raise TimeoutError(f"{key!r} was not echoed")
            self.pump(0.002)
        return time.perf_counter() - begun

    def drain(self, seconds: float) -> None:
        """Take in output for so long without drawing it, which costs more than reading: the screen is stale then."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._take(left)

    def time_to(self, sent: bytes, expected: bytes, timeout: float = 10.0) -> float:
        """Seconds from sending bytes to the end of the frame that has the expected ones in it; nothing is drawn."""
        begun = time.perf_counter()
        at = len(self.output)
        self.send(sent)
        while True:
            found = self.output.find(expected, at)
            if found >= 0 and self.output.find(FRAME_END, found) >= 0:
                return time.perf_counter() - begun
            if time.perf_counter() - begun > timeout:
                raise TimeoutError(f"{expected!r} never came after {sent!r}")
            self._take(0.05)

    def quiet_after(self, quiet: float, timeout: float = 60.0) -> float:
        """Take in output, without drawing it, until there was none for so long; seconds until the last of it."""
        begun = last = time.perf_counter()
        while (now := time.perf_counter()) - last < quiet and now - begun < timeout:
            if self._take(quiet):
                last = time.perf_counter()
        return last - begun

    def _take(self, seconds: float) -> bool:
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        self.output += os.read(self._fd, 65_536)
        return True

    def cpu_seconds(self) -> float:
        """Processor time of the process so far, all its threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident memory of the process and its descendants, MB."""
        return sum(_rss(pid) for pid in _tree(self.pid)) / 1e6

    def close(self) -> None:
        """End it."""
        self._reap()
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.exit_code = -signal.SIGKILL
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _rss(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [child for text in task.read_text().split() for child in _tree(int(text))]
        except OSError:
            continue
    return found
