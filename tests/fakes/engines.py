"""A whole engine on a scripted model, and what a test asks of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from core.engine import wiring
from core.engine.engine import Engine
from core.engine.launch import Launch
from core.engine.wiring import build_engine
from core.host.host import Host
from core.llm.client import ModelClient, ModelRequest
from core.llm.scripted import Reply, Script, ScriptedModel, in_order
from core.protocol.envelope import Envelope
from core.protocol.events import Event
from core.protocol.ops import Op, SubmitPrompt
from core.protocol.views import Behavior
from core.settings.paths import Paths
from core.settings.schema import SettingRule, Settings
from core.tools.registry import SEARCH_TOOL
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds

E = TypeVar("E")


@dataclass
class Rig:
    """A running engine with everything it published so far."""

    engine: Engine
    model: ModelClient
    cwd: Path
    host: Host
    envelopes: list[Envelope] = field(default_factory=list[Envelope])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[Event]:
        return [envelope.event for envelope in self.envelopes]

    @property
    def requests(self) -> list[ModelRequest]:
        """What was sent to the scripted model."""
        assert isinstance(self.model, ScriptedModel)
        return self.model.requests

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def do(self, op: Op) -> None:
        await self.engine.handle(op)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something the events show; five seconds at most, so that a bug fails instead of hanging."""
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def event(self, kind: type[E], where: Callable[[E], bool] = lambda _event: True) -> E:
        """The first event of a class that fits, waiting for it where need be."""
        await self.until(lambda: any(where(event) for event in self.of(kind)))
        return next(event for event in self.of(kind) if where(event))

    async def settle(self) -> None:
        """Wait until no turn runs and every event has been seen."""
        async with asyncio.timeout(30):
            await self.engine.session.wait_idle()
        seq = self.engine.last_seq
        await self.until(lambda: bool(self.envelopes) and self.envelopes[-1].seq >= seq)

    async def prompt(self, text: str) -> None:
        """Send a prompt and wait for the end of the turn."""
        await self.do(SubmitPrompt(text=text))
        await self.settle()


def fake_host(environ: dict[str, str] | None = None) -> Host:
    """The real machine with a clock that stands still and ids that count."""
    return Host(clock=FakeClock(), ids=CountingIds(), environ=dict(os.environ) | (environ or {}), chance=lambda: 0.0)


def rules(behavior: Behavior, *texts: str) -> tuple[SettingRule, ...]:
    """Rules as the command line would give them."""
    return tuple(SettingRule(behavior=behavior, text=text, layer="flag", source="--rules") for text in texts)


def allowing(*texts: str) -> tuple[SettingRule, ...]:
    """Rules that allow."""
    return rules("allow", *texts)


def denying(*texts: str) -> tuple[SettingRule, ...]:
    """Rules that deny."""
    return rules("deny", *texts)


def make_launch(cwd: Path, home: Path, **changes: Any) -> Launch:
    """A launch in ``cwd`` with all files under ``home``."""
    paths = Paths(home / "config", home / "data", home / "log" / "agent-tui.log")
    values: dict[str, Any] = {"cwd": cwd, "paths": paths, **changes}
    return Launch(**values)


@asynccontextmanager
async def running(
    script: Script | Iterable[Reply] | ModelClient,
    cwd: Path,
    home: Path,
    *,
    settings: Settings | None = None,
    host: Host | None = None,
    has_background: bool = False,
    has_agents: bool = False,
    **launch: Any,
) -> AsyncGenerator[Rig]:
    """An engine that is started, and closed at the end. Unless they are asked for, without what works beside it, which
    would take replies too, and without agents, of which the first message would speak."""
    host = host or fake_host()
    model: ModelClient
    if isinstance(script, Iterable):
        model = ScriptedModel(in_order(cast("Iterable[Reply]", script)), clock=host.clock)
    elif callable(script):
        model = ScriptedModel(script, clock=host.clock)
    else:
        model = script
    settings = replace(settings or Settings(), background_agents=has_background)
    if not has_agents:
        launch.setdefault("tools", (*(tool.name for tool in wiring.TOOLS), SEARCH_TOOL))
    engine = build_engine(settings, make_launch(cwd, home, **launch), model=model, host=host)
    rig = Rig(engine, model, cwd, host)
    subscription = engine.subscribe()

    async def read() -> None:
        while batch := await subscription.read():
            rig.envelopes += batch
            rig.changed.set()

    reader = asyncio.create_task(read())
    await engine.start()
    try:
        yield rig
    finally:
        await engine.close()
        subscription.close()
        await reader
