"""The whole window on a scripted engine: keys go in, what stands on the screen and what reached the engine come out.

Nothing here waits for a time: it waits until the engine is idle, its events are drawn and Textual is still.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import unicodedata
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual import events as textual_events
from textual.pilot import Pilot

from core.bus.subscription import Subscription
from core.engine.engine import Engine
from core.engine.wiring import build_engine
from core.host.log import LOGGER
from core.llm.client import ModelClient, ModelRequest
from core.llm.scripted import Reply, Script, ScriptedModel, in_order
from core.protocol.envelope import Envelope
from core.protocol.events import Event
from core.protocol.ops import Op
from core.settings.paths import find_paths
from tests.fakes.engines import fake_host
from tui import bridge
from tui.app import AgentApp
from tui.dialogs.prompt import TYPED_GRACE_S, DockPrompt
from tui.screens.main import MainScreen
from tui.widgets.composer.editor import Composer
from tui.widgets.transcript.blocks import Block
from tui.widgets.transcript.view import TranscriptView

E = TypeVar("E")
PATIENCE_S = 15
"""How long a test waits for what must come, so that a bug fails instead of hanging."""
WIDE = (120, 36)
USUAL = (80, 24)


class Now:
    """The window's clock: stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Reader:
    """Knows whether a subscription holds what its reader has not taken. What is taken is drawn before anything else."""

    def __init__(self, subscription: Subscription) -> None:
        self.has_unread = False
        self._offer, self._take = subscription.offer, subscription.take
        subscription.offer, subscription.take = self._offered, self._taken

    def _offered(self, envelope: Envelope) -> None:
        self.has_unread = True
        self._offer(envelope)

    def _taken(self) -> list[Envelope]:
        self.has_unread = False
        return self._take()


@dataclass
class Window:
    """A running app, and what a test asks of it."""

    app: AgentApp
    pilot: Pilot[None]
    cwd: Path
    home: Path
    clock: Now
    model: ModelClient | None
    engines: list[Engine]
    readers: list[Reader]
    ops: list[Op] = field(default_factory=list[Op])
    """What reached the engine."""
    _watch: Subscription | None = None
    _events: list[Event] = field(default_factory=list[Event])

    # What is there

    @property
    def engine(self) -> Engine:
        return self.engines[-1]

    @property
    def main(self) -> MainScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, MainScreen))

    @property
    def composer(self) -> Composer:
        return self.main.query_one(Composer)

    @property
    def transcript(self) -> TranscriptView:
        return self.main.query_one(TranscriptView)

    @property
    def requests(self) -> list[ModelRequest]:
        assert isinstance(self.model, ScriptedModel)
        return self.model.requests

    @property
    def question(self) -> DockPrompt | None:
        """The question that is open."""
        found = list(self.main.query(DockPrompt))
        return found[-1] if found else None

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, row by row. A control character in it fails the test."""
        strips = self.app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        rows = ["".join(segment.text for segment in strip) for strip in strips]
        for row in rows:
            bad = [character for character in row if unicodedata.category(character) in ("Cc", "Cs")]
            assert not bad, f"raw control characters {bad!r} on the screen in {row!r}"
        return [row.rstrip() for row in rows]

    @property
    def screen(self) -> str:
        return "\n".join(self.lines)

    def shows(self, *texts: str) -> bool:
        """Whether all texts stand on the screen."""
        screen = self.screen
        return all(text in screen for text in texts)

    def line(self, text: str) -> str:
        """The first row with a text."""
        found = next((row for row in self.lines if text in row), None)
        assert found is not None, f"{text!r} is not on the screen:\n{self.screen}"
        return found

    def blocks(self, kind: type[E]) -> list[E]:
        """The blocks of one class in the conversation."""
        return [block for block in self.transcript.blocks if isinstance(block, kind)]

    def sent(self, kind: type[E]) -> list[E]:
        """The ops of one class that reached the engine."""
        return [op for op in self.ops if isinstance(op, kind)]

    def events(self, kind: type[E]) -> list[E]:
        """The engine's events of one class so far."""
        if self._watch is not None:
            self._events += [envelope.event for envelope in self._watch.take()]
        return [event for event in self._events if isinstance(event, kind)]

    # What is done

    async def press(self, *keys: str) -> None:
        """Press keys, and let the window take them in."""
        await self.pilot.press(*keys)

    async def paste(self, text: str) -> None:
        """Paste into whatever has the focus."""
        self.app.post_message(textual_events.Paste(text))
        await self.pilot.pause()

    async def prompt(self, text: str) -> None:
        """Paste a prompt and send it; the turn may still run afterwards."""
        count = len(self.ops)
        await self.paste(text)
        await self.press("enter")
        await self.until(lambda: any(getattr(op, "text", None) == text.strip() for op in self.ops[count:]))

    async def ask(self, text: str) -> None:
        """Send a prompt and wait for the end of the turn."""
        await self.prompt(text)
        await self.settle()

    async def asked(self, text: str = "") -> DockPrompt:
        """Wait for an open question that shows a text, past the time in which keys are ignored."""
        await self.until(lambda: self.question is not None and self.question.has_focus_within and self.shows(text))
        self.clock.now += TYPED_GRACE_S + 0.1
        assert self.question is not None
        return self.question

    async def answer(self, *keys: str, of: str = "") -> None:
        """Wait for a question and press keys."""
        await self.asked(of)
        await self.press(*keys)

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the button at one cell, and let go of it at another."""
        post = self.pilot._post_mouse_events  # pyright: ignore[reportPrivateUsage]
        await post([textual_events.MouseDown], offset=start, button=1)
        await post([textual_events.MouseMove], offset=end, button=1)
        await post([textual_events.MouseUp], offset=end, button=1)
        await self.pilot.pause()

    def row(self, text: str) -> int:
        """The number of the first row with a text."""
        return self.lines.index(self.line(text))

    async def resize(self, columns: int, rows: int) -> None:
        await self.pilot.resize_terminal(columns, rows)
        await self.pilot.pause()

    # What is waited for

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something the window or the engine shows."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"it never came; the screen shows:\n{self.screen}") from None

    async def until_shows(self, *texts: str) -> None:
        try:
            await self.until(lambda: self.shows(*texts))
        except AssertionError:
            missing = [text for text in texts if not self.shows(text)]
            raise AssertionError(f"{missing} never came; the screen shows:\n{self.screen}") from None

    async def settle(self) -> None:
        """Engine idle, every event drawn, nothing left to do."""
        await self.pilot.pause()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for engine in self.engines:
                        await engine.session.wait_idle()
                    await self.pilot.pause()
                    if self._is_still:
                        break
        except TimeoutError:
            raise AssertionError(f"it never came to rest; the screen shows:\n{self.screen}") from None
        await self.pilot.pause()

    @property
    def _is_still(self) -> bool:
        busy = any(engine.session.is_busy for engine in self.engines)
        return not busy and not any(reader.has_unread for reader in self.readers)


def make_repository(folder: Path) -> Path:
    """An empty git repository."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder


def trust(folder: Path) -> None:
    """As if the user had said yes to the folder earlier."""
    store = find_paths(os.environ).trusted_folders
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text(json.dumps({"folders": [str(folder)]}))


class Opener:
    """Opens windows for one test; a second one in the same test is a second start of the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, base: Path, home: Path) -> None:
        self._monkeypatch = monkeypatch
        self.cwd = base / "work"
        self.home = home
        self.cwd.mkdir()

    def repository(self) -> Path:
        return make_repository(self.cwd)

    def file(self, name: str, text: str) -> Path:
        """A file in the folder the window works in."""
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @asynccontextmanager
    async def __call__(
        self,
        script: Script | Iterable[Reply] | None = (),
        *,
        size: tuple[int, int] = USUAL,
        is_trusted: bool = True,
        is_repository: bool = True,
        flags: Mapping[str, Any] | None = None,
        selection: Mapping[str, Any] | None = None,
        first_prompt: str = "",
        is_started: bool = True,
    ) -> AsyncGenerator[Window]:
        """An app that runs; ``script`` None leaves it without a model, ``is_started`` False does not wait for one."""
        if is_repository and not (self.cwd / ".git").exists():
            self.repository()
        if is_trusted:
            trust(self.cwd)
        self._monkeypatch.chdir(self.cwd)
        host = fake_host()
        model: ScriptedModel | None = None
        if callable(script):
            model = ScriptedModel(script, clock=host.clock)
        elif script is not None:
            model = ScriptedModel(in_order(script), clock=host.clock)
        clock = Now()
        app = AgentApp(
            flags or {},
            selection or {},
            first_prompt=first_prompt,
            config=find_paths(os.environ).config,
            model=model,
            now=clock,
            wall=host.clock.time,
        )
        engines: list[Engine] = []
        readers: list[Reader] = []
        window: Window | None = None

        def build(settings: Any, launch: Any, *, model: Any = None) -> Engine:
            engine = build_engine(settings, launch, model=model, host=host)
            engines.append(engine)
            assert window is not None
            _listen(engine, window)
            return engine

        self._monkeypatch.setattr(bridge, "build_engine", build)
        self._monkeypatch.setattr(bridge, "BATCH_INTERVAL_S", 0)
        try:
            async with app.run_test(size=size) as pilot:
                window = Window(app, pilot, self.cwd, self.home, clock, model, engines, readers)
                if is_started:
                    await window.until(lambda: bool(engines) and bool(readers))
                    await window.settle()
                else:
                    await pilot.pause()
                yield window
        finally:
            _close_log()


def _close_log() -> None:
    """A program leaves its log to the end of the process; a test must not."""
    for handler in LOGGER.handlers:
        handler.close()
    LOGGER.handlers = []


def _listen(engine: Engine, window: Window) -> None:
    """Keep what goes in and what comes out of an engine."""
    handle, subscribe = engine.handle, engine.subscribe
    window._watch = subscribe()  # pyright: ignore[reportPrivateUsage]

    async def recorded(op: Op) -> None:
        window.ops.append(op)
        await handle(op)

    def remembered() -> Subscription:
        subscription = subscribe()
        window.readers.append(Reader(subscription))
        return subscription

    engine.handle = recorded
    engine.subscribe = remembered


def source_of(block: Block) -> str:
    """What a block says, unwrapped."""
    return block.source
