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

    async def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> GroupProcess:
        """Start a command with no standard input. Raises ``OSError`` where it cannot be started."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return GroupProcess(process)

    async def run(
        self, argv: Sequence[str], *, cwd: Path, timeout: float, env: Mapping[str, str] | None = None
    ) -> Completed:
        """Run a command to its end. Raises ``OSError``, or ``TimeoutError`` after which nothing of it is left."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout):
                stdout, stderr = await process.communicate()
        except BaseException:
            await GroupProcess(process).kill()
            raise
        return Completed(process.returncode or 0, stdout, stderr)


class GroupProcess:
    """A command that leads its own process group."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.read(READ_BYTES)

    async def wait(self) -> int:
        return await self._process.wait()

    async def kill(self) -> None:
        # Output that nobody reads would pause the pipe, and with it the news of the end.
        draining = asyncio.ensure_future(self._drain())
        try:
            await self._end_group()
        finally:
            draining.cancel()

    async def _drain(self) -> None:
        if self._process.stdout is not None:
            with contextlib.suppress(RuntimeError):  # somebody reads it: then it is drained
                while await self._process.stdout.read(READ_BYTES):
                    pass

    async def _end_group(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(KILL_GRACE_S):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            # Children of the command may have outlived it: the group goes as a whole.
            self._signal(signal.SIGKILL)
        await self._process.wait()
        # Ends the pipe reader: a child that left the group may still hold the other end.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

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
