"""Shell commands of a session, in the foreground and in the background, under ids that can be listed and killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.bus.bus import Publisher
from core.host.host import Host
from core.host.process import Process
from core.host.sandbox.confinement import Confinement
from core.host.sandbox.sandbox import Confined
from core.protocol.events import Notice
from core.protocol.ids import MAIN_AGENT
from core.protocol.views import TaskInfo, TaskStatus
from core.tools.shell_environment import find_bash, shell_environment
from core.tools.spool import OutputSpool
from core.tools.task_registry import TaskOutput, TaskRegistry

WRAPPER = 'trap \'pwd -P >"$AGENT_TUI_CWD"\' EXIT; eval "shift;$1"'
"""Runs the command, which sees no arguments, and notes where it ended up, also after ``exit``."""

CWD_FILE, TEMP_FOLDER = "cwd", "tmp"
"""What is in the scratch folder of a command."""

PIPE_GRACE_S = 0.5
"""How long output is still read after the command itself has ended: a child it left may hold the pipe open."""

TOLD_LINES = 20
"""Of its output, when the model is told that it ended."""
SHOWN_LINES = 200
"""Of its output, for who looks at it."""


@dataclass(slots=True, eq=False)
class Shell:
    """One command that was started; a task of the list once it is in the background."""

    id: str
    command: str
    description: str
    spool: OutputSpool
    process: Process
    scratch: Path
    """A private folder of its own, gone when it is forgotten."""
    owner: str = MAIN_AGENT
    """The agent that it runs for."""
    started_at: float = 0.0
    ended_at: float = 0.0
    confined: Confined | None = None
    confinement: Confinement | None = None
    """How it is confined; None where it is not."""
    in_background: bool = False
    status: TaskStatus = "running"
    exit_code: int | None = None
    read_offset: int = 0
    """Where the next BashOutput goes on."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nobody need wait any longer: it is done, or the user has moved it to the background."""
    put_aside: tuple[Path, ...] = ()
    """Protected places that it made, which were taken away."""

    def final_cwd(self) -> Path | None:
        """The folder the command ended in; None where it did not say."""
        with contextlib.suppress(OSError, ValueError):
            text = (self.scratch / CWD_FILE).read_text("utf-8", "surrogateescape").rstrip("\n")
            if text and Path(text).is_dir():
                return Path(text)
        return None

    @property
    def info(self) -> TaskInfo:
        """How it is now."""
        return TaskInfo(
            id=self.id,
            description=self.description or self.command,
            status=self.status,
            command=self.command,
            exit_code=self.exit_code,
            in_background=self.in_background,
            agent="" if self.owner == MAIN_AGENT else self.owner,
            started_at=self.started_at,
            ended_at=self.ended_at,
        )

    @property
    def told(self) -> str:
        """The last lines of its output, and how many there were before."""
        text = self.spool.last_lines(TOLD_LINES)
        before = self.spool.total_lines - TOLD_LINES
        return f"[{before:,} lines before these.]\n{text}" if before > 0 else text

    def output(self) -> TaskOutput:
        """The end of its output."""
        return TaskOutput(self.spool.last_lines(SHOWN_LINES), self.spool.total_lines, self.spool.saved_to)

    async def stop(self) -> None:
        """End the command and all its children."""
        if self.status == "running":
            self.status = "killed"
            await self.process.kill()
        await self.done.wait()

    def move(self, *, to_background: bool) -> bool:
        """Nothing to do: it is listed only in the background, and nothing can wait for it any more."""
        return False


class ShellRegistry:
    """Starts commands and knows those that run. Closing it leaves none behind."""

    def __init__(self, host: Host, publisher: Publisher, output_dir: Path, tasks: TaskRegistry) -> None:
        self._host = host
        self._publisher = publisher
        self._output_dir = output_dir
        self._tasks = tasks
        self._shells: dict[str, Shell] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._left: list[Process] = []
        """Ended commands whose children were still running then (``server &``)."""

    async def start(
        self,
        command: str,
        *,
        cwd: Path,
        description: str = "",
        owner: str = MAIN_AGENT,
        in_background: bool = False,
        on_output: Callable[[OutputSpool], None] | None = None,
        confinement: Confinement | None = None,
        unasked_in: tuple[Path, ...] | None = None,
    ) -> Shell:
        """Start a command in a shell of its own. Raises ``OSError`` where that cannot be done.

        Where no confinement works the command runs without: that is for the caller to know (``host.sandbox``).
        ``unasked_in`` are the working folders, for a command that nobody was asked about: it gets none of the variables
        by which other programs could be made to run, and no program of these folders.
        """
        # Ids of groups that are gone may come to belong to somebody else.
        self._left = [process for process in self._left if process.has_group()]
        self._forget_unlisted()
        shell_id = self._host.ids.task("b")
        scratch = Path(tempfile.mkdtemp(prefix="agent-tui-"))
        try:
            process, confined = await self._launch(command, cwd, scratch, confinement, unasked_in)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        shell = Shell(
            id=shell_id,
            command=command,
            description=description,
            spool=OutputSpool(self._output_dir / f"{shell_id}.txt"),
            process=process,
            scratch=scratch,
            owner=owner,
            started_at=self._host.clock.time(),
            confined=confined,
            confinement=confinement if confined is not None else None,
            in_background=in_background,
        )
        self._shells[shell_id] = shell
        self._readers[shell_id] = asyncio.create_task(self._follow(shell, on_output), name=f"shell-{shell_id}")
        if in_background:
            self._tasks.add(shell)
        return shell

    async def _launch(
        self,
        command: str,
        cwd: Path,
        scratch: Path,
        confinement: Confinement | None,
        unasked_in: tuple[Path, ...] | None,
    ) -> tuple[Process, Confined | None]:
        environ = shell_environment(self._host.environ, unasked_in)
        environ["AGENT_TUI_CWD"] = str(scratch / CWD_FILE)
        bash = find_bash(self._host.environ, (cwd, *(unasked_in or ())))
        argv = [bash, "--noprofile", "--norc", "-c", WRAPPER, "bash", command]
        if confinement is None or await self._host.sandbox.find() is None:
            return await self._host.processes.start(argv, cwd=cwd, env=environ), None
        temporary = scratch / TEMP_FOLDER
        temporary.mkdir()
        environ |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary))
        confined = self._host.sandbox.enter(argv, confinement, cwd=cwd, scratch=scratch)
        try:
            process = await self._host.processes.start(
                confined.argv, cwd=cwd, env=environ, pass_fds=confined.descriptors
            )
        except BaseException:
            confined.guard.let_go()
            raise
        finally:
            confined.started()
        return process, confined

    @property
    def background(self) -> tuple[Shell, ...]:
        """Background shells, oldest first."""
        return tuple(shell for shell in self._shells.values() if shell.in_background)

    def detach_all(self) -> int:
        """Move every command that the main conversation waits for to the background; how many there were. What an
        agent waits for stays: it moves with the agent."""
        moved = [s for s in self._shells.values() if not s.in_background and s.status == "running"]
        moved = [shell for shell in moved if shell.owner == MAIN_AGENT]
        for shell in moved:
            shell.in_background = True
            shell.released.set()
            self._tasks.add(shell)
        return len(moved)

    def forget(self, shell: Shell) -> None:
        """Drop a finished foreground command."""
        shell.spool.close()
        shutil.rmtree(shell.scratch, ignore_errors=True)
        self._shells.pop(shell.id, None)
        self._readers.pop(shell.id, None)

    async def drop(self, shell: Shell) -> None:
        """End the command and forget it."""
        await shell.stop()
        self.forget(shell)

    async def close(self) -> None:
        """End everything that still runs, also what ended commands left running."""
        running = [shell for shell in self._shells.values() if shell.status == "running"]
        await asyncio.gather(*(shell.stop() for shell in running), return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self._left if process.has_group()))
        self._left.clear()
        for shell in list(self._shells.values()):
            self.forget(shell)

    async def _follow(self, shell: Shell, on_output: Callable[[OutputSpool], None] | None) -> None:
        reading = asyncio.create_task(self._pump(shell, on_output))
        exit_code = await shell.process.wait()
        await asyncio.wait({reading}, timeout=PIPE_GRACE_S if not shell.in_background else None)
        if not reading.done():
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        shell.spool.write(b"")
        await self._leave(shell)
        shell.exit_code = exit_code
        if shell.status != "killed":
            shell.status = "completed" if exit_code == 0 else "failed"
        shell.ended_at = self._host.clock.time()
        if shell.process.has_group():
            self._left.append(shell.process)
        shell.done.set()
        shell.released.set()
        if shell.in_background:
            shell.spool.close()
            self._tasks.ended(shell, notify=True)

    async def _pump(self, shell: Shell, on_output: Callable[[OutputSpool], None] | None) -> None:
        while data := await shell.process.read():
            shell.spool.write(data)
            if on_output is not None and not shell.in_background:
                on_output(shell.spool)

    async def _leave(self, shell: Shell) -> None:
        """After a confined command: what it must not have made is taken away, or told where it ran for long beside
        other work, which may have made it."""
        if shell.confined is None:
            return
        await asyncio.to_thread(_remove, shell.scratch / TEMP_FOLDER)
        guard = shell.confined.guard
        if not shell.in_background:
            shell.put_aside = await asyncio.to_thread(guard.put_aside, self.aside(shell))
        strays = guard.find_strays()
        guard.let_go()
        if strays:
            text = f"While a confined command ran, there came into being: {', '.join(map(str, strays))}"
            self._publisher.emit(Notice(level="warning", text=text, hint="Other programs obey these: look at them."))

    def aside(self, shell: Shell) -> Path:
        """Where protected places go that the command made."""
        return self._output_dir / f"{shell.id}-put-aside"

    def _forget_unlisted(self) -> None:
        """The list lets go of what ended long ago."""
        for shell in self.background:
            if shell.done.is_set() and self._tasks.get(shell.id) is not shell:
                self.forget(shell)


def _remove(folder: Path) -> None:
    """A folder with all that is in it, also where its owner has locked parts of it."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
        return
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        for inner, folders, _files in os.walk(folder):
            # Each is opened before the walk enters it.
            for path in (Path(inner, name) for name in folders):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
