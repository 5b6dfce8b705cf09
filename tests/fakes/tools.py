"""Tools run by hand: a context without an engine, and whether a command left anything behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from core.bus.bus import Bus, Publisher
from core.bus.subscription import Subscription
from core.host.host import Host
from core.host.sandbox.sandbox import Sandbox
from core.llm.client import ModelClient, QuerySource
from core.llm.models import Models
from core.llm.scripted import ScriptedModel, in_order
from core.llm.side import Count, SideRequests
from core.protocol.errors import AgentError
from core.protocol.events import Event
from core.protocol.usage import Usage
from core.settings.schema import Settings
from core.tools.base import Tool, ToolResult
from core.tools.confining import SandboxRules
from core.tools.context import ToolContext, ToolServices, ToolState
from core.tools.shared_task_store import SharedTaskStore
from core.tools.shells import ShellRegistry
from core.tools.task_registry import TaskRegistry
from core.tools.todo_store import TodoStore
from core.tools.web.client import WebClient
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds

E = TypeVar("E")
MARK = "TEST_BENCH_MARK"
"""A variable that every process started by a bench carries, also one that left its group."""
PATIENCE_S = 10
"""How long a test waits for what must come, so that a bug fails instead of hanging."""


@dataclass
class Bench:
    """A folder, and the surroundings of the calls that are made in it. Each call sees what the ones before did."""

    root: Path
    host: Host
    services: ToolServices
    state: ToolState
    mark: str
    publisher: Publisher
    subscription: Subscription
    reports: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    is_unasked: bool = False
    """Whether the calls count as allowed because they only read."""
    _seen: list[Event] = field(default_factory=list[Event])

    @property
    def context(self) -> ToolContext:
        def report(text: str, total_lines: int) -> None:
            self.reports.append((text, total_lines))
            self.reported.set()

        return ToolContext(
            state=self.state,
            services=self.services,
            tool_use_id="toolu_1",
            report=report,
            publisher=self.publisher,
            is_unasked=self.is_unasked,
        )

    async def run(self, tool: Tool[Any], **arguments: Any) -> ToolResult:
        """Call a tool and take over what it changed."""
        result = await tool.run(tool.input_type.model_validate(arguments), self.context)
        if result.modify is not None:
            self.state = result.modify(self.state)
        return result

    async def text(self, tool: Tool[Any], **arguments: Any) -> str:
        """What the model reads of a call that succeeds."""
        result = await self.run(tool, **arguments)
        assert not result.is_error, result.content
        return cast(str, result.content)

    async def refusal(self, tool: Tool[Any], **arguments: Any) -> str:
        """What the model reads of a call that is refused, its permission check and its preview included."""
        try:
            parsed = tool.input_type.model_validate(arguments)
            tool.check_permissions(parsed, self.context)
            await self.run(tool, **arguments)
        except AgentError as error:
            return str(error)
        raise AssertionError(f"{tool.name} took {arguments}")

    def events(self, kind: type[E]) -> list[E]:
        """Events of one class so far, in order."""
        self._seen += [envelope.event for envelope in self.subscription.take()]
        return [event for event in self._seen if isinstance(event, kind)]

    async def until_reported(self, condition: Callable[[], bool]) -> None:
        """Wait for progress of a running call."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.reported.clear()
                await self.reported.wait()

    def processes(self) -> list[int]:
        """Ids of the living processes that this bench started, wherever they went."""
        needle = f"{MARK}={self.mark}".encode()
        return [int(name) for name in names(Path("/proc")) if name.isdecimal() and _carries(int(name), needle)]

    async def is_quiet(self) -> bool:
        """Whether every process is gone, waiting for those that are dying."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while left := self.processes():
                    await ended(left[0])
        except TimeoutError:
            return False
        return True


def make_bench(
    base: Path, *, confine_by: Sandbox | None = None, sandbox: SandboxRules | None = None, **environ: str
) -> Bench:
    """A bench in ``base/work``; outputs and todo list lie beside it."""
    mark = uuid.uuid4().hex
    root = base / "work"
    root.mkdir(exist_ok=True)
    clock, ids = FakeClock(), CountingIds()
    environment = {**os.environ, MARK: mark, **environ}
    host = Host(clock=clock, ids=ids, environ=environment, sandbox=confine_by or Sandbox())
    bus = Bus("session", clock)
    publisher = Publisher(bus)
    outputs, task_registry = base / "outputs", TaskRegistry(publisher)
    services = ToolServices(
        host=host,
        root=root,
        output_dir=outputs,
        shells=ShellRegistry(host, publisher, outputs, task_registry),
        task_registry=task_registry,
        todos=TodoStore(base / "todos" / "session-agent-main.json", publisher),
        plan_file=base / "plans" / "session.md",
        tasks=SharedTaskStore(base / "tasks" / "session.json", publisher),
        web=WebClient(),
        side=side_requests(host),
        sandbox=sandbox or SandboxRules(),
    )
    return Bench(root, host, services, ToolState(cwd=root), mark, publisher, bus.subscribe())


def side_requests(host: Host, model: ModelClient | None = None, count: Count | None = None) -> SideRequests:
    """Requests beside the conversation; without a model every one of them fails."""

    def free(_source: QuerySource, _model: str, _usage: Usage) -> float:
        return 0.0

    scripted = ScriptedModel(in_order([]), clock=host.clock)
    models = Models(Settings, lambda _base_url, _api_key_env: model or scripted)
    return SideRequests(models, host, count or free)


@asynccontextmanager
async def open_bench(
    base: Path, *, confine_by: Sandbox | None = None, sandbox: SandboxRules | None = None, **environ: str
) -> AsyncGenerator[Bench, None]:
    """A bench whose shells are closed at the end; fails where one of their processes lives on."""
    bench = make_bench(base, confine_by=confine_by, sandbox=sandbox, **environ)
    try:
        yield bench
    finally:
        await bench.services.shells.close()
    assert await bench.is_quiet(), f"left behind: {bench.processes()}"


def program(*argv: str, cwd: Path = Path("/"), env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end, which must be a good one; what it prints."""
    return subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


async def ended(pid: int) -> None:
    """Wait for the end of any process, a child or not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    is_over = asyncio.Event()
    loop.add_reader(descriptor, is_over.set)
    try:
        await is_over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _carries(pid: int, needle: bytes) -> bool:
    """Whether the process lives and has the variable; a zombie has no environment."""
    try:
        return needle in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
