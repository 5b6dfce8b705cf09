"""Child processes: each in a session of its own, its output read live, the whole group killed as one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

KILL_GRACE_S = 2.0
"""How long a group may take to end after SIGTERM before it gets SIGKILL."""

REPEAT_S = 0.3

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished command and all that it printed."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Process(Protocol):
    """A running command. Standard output and error are one stream."""

    @property
    def pid(self) -> int: ...

    async def read(self) -> bytes:
        """The next piece of output; empty at its end."""
        ...

    async def wait(self) -> int:
        """The exit code; negative where a signal ended it."""
        ...

    async def kill(self) -> None:
        """End the whole group: SIGTERM, then SIGKILL. Returns when the command is gone."""
        ...

    def has_group(self) -> bool:
        """Whether anything of the group still runs, the command itself or a child it left."""
        ...


class ProcessHost:
    """Starts real processes."""

    async def start(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> GroupProcess:
        """Start a command with no standard input; it inherits ``pass_fds``. Raises ``OSError`` where it cannot be
        started."""
        return await GroupProcess.start(argv, cwd=cwd, env=env, stderr=asyncio.subprocess.STDOUT, pass_fds=pass_fds)

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        timeout: float,
        env: Mapping[str, str] | None = None,
        given: bytes | None = None,
    ) -> Completed:
        """Run a command to its end; ``given`` is its standard input, None for none.

        Raises ``OSError``, or ``TimeoutError`` after which nothing of it is left.
        """
        process = await GroupProcess.start(
            argv, cwd=cwd, env=env, stderr=asyncio.subprocess.PIPE, has_input=given is not None
        )
        try:
            async with asyncio.timeout(timeout):
                return await process.complete(given)
        except BaseException:
            await process.kill()
            raise


class _ExitProtocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells the end of the command itself. ``Process.wait`` also waits until nobody holds the pipes any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=READ_BYTES, loop=loop)
        self.has_exited = asyncio.Event()

    def process_exited(self) -> None:
        self.has_exited.set()
        super().process_exited()


class GroupProcess:
    """A command that leads its own process group."""

    def __init__(self, process: asyncio.subprocess.Process, transport: asyncio.SubprocessTransport) -> None:
        self._process = process
        self._transport = transport
        protocol = transport.get_protocol()
        assert isinstance(protocol, _ExitProtocol)
        self._has_exited = protocol.has_exited

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None,
        stderr: int,
        has_input: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> GroupProcess:
        """Start a command; without standard input unless told. Raises ``OSError`` where it cannot be started."""
        stdin = asyncio.subprocess.PIPE if has_input else asyncio.subprocess.DEVNULL
        spawning = asyncio.create_task(cls._spawn(argv, cwd, env, (stdin, stderr), pass_fds))
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # asyncio would kill the command alone, not what it has started by now.
            await asyncio.shield(cls._discard(spawning))
            raise

    @classmethod
    async def _spawn(
        cls,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str] | None,
        streams: tuple[int, int],
        pass_fds: Sequence[int],
    ) -> GroupProcess:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _ExitProtocol(loop),
            *argv,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=streams[0],
            stdout=asyncio.subprocess.PIPE,
            stderr=streams[1],
            pass_fds=pass_fds,
            start_new_session=True,
        )
        return cls(asyncio.subprocess.Process(transport, protocol, loop), transport)

    @staticmethod
    async def _discard(spawning: asyncio.Task[GroupProcess]) -> None:
        with contextlib.suppress(OSError):
            await (await spawning).kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.read(READ_BYTES)

    async def complete(self, given: bytes | None = None) -> Completed:
        """Write its input, read both streams to their end and wait for the command."""
        stdout, stderr = await self._process.communicate(given)
        return Completed(await self.wait(), stdout, stderr)

    async def wait(self) -> int:
        await self._has_exited.wait()
        return self._transport.get_returncode() or 0

    async def kill(self) -> None:
        try:
            # Asked twice: a shell that is just about to wait for its child may miss the first signal.
            for seconds in (REPEAT_S, KILL_GRACE_S - REPEAT_S):
                self._signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._has_exited.wait()
                        break
        finally:
            # Children of the command may have outlived it: the group goes as a whole.
            self._signal(signal.SIGKILL)
        await self._has_exited.wait()
        # Ends the pipe reader: a child that left the group may still hold the other end.
        self._transport.close()

    def has_group(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def is_running(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
