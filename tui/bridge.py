"""The only door to the engine: ops go in, batches of events come out, thirty times a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from core.bus.batches import with_calls
from core.bus.subscription import Subscription
from core.engine.engine import Engine
from core.engine.launch import Launch
from core.engine.start import Start, read_start
from core.engine.wiring import build_engine
from core.host.external_editor import EditorError, edit_file
from core.host.file_index import FileIndex, list_folder
from core.host.garbage import collect_all
from core.host.log import LOGGER
from core.llm.client import ModelClient
from core.permissions.hiding import Hides, hidden_by, hides_nothing
from core.protocol.envelope import Envelope
from core.protocol.errors import AgentError
from core.protocol.ops import Op, WarmUp
from core.protocol.views import FileListing
from core.settings.layers import Problem
from core.settings.schema import Settings
from core.settings.write import write_setting
from core.tools.search.walk import walk
from tui.machine import Machine

BATCH_INTERVAL_S = 1 / 30
SILENCE_S = 30.0
"""Nobody waits for anything after so long without an event."""
HISTORY_ITEMS = 500


def log_fault(error: BaseException) -> None:
    """Write an error of the window to the debug log, with its traceback."""
    LOGGER.error("fault in the window", exc_info=error)


def _hidden(engine: Engine | None) -> Hides:
    """What rules keep from being read is not offered either."""
    return hidden_by(engine.calls.policies.policy) if engine is not None else hides_nothing


class Bridge(Machine):
    """Reads what the session starts with, runs the engine on the window's event loop, and closes it."""

    def __init__(self, start: Start, model: ModelClient | None = None) -> None:
        super().__init__(start)
        self._model = model
        self._is_trust_answered = False
        self._engine: Engine | None = None
        self._subscription: Subscription | None = None
        self._running: list[tuple[Engine, Subscription]] = []
        """Those that must be closed at the end: more than one only while the window goes over to another."""
        self._index = FileIndex(start.launch.cwd, walk, hides=lambda: _hidden(self._engine))

    @classmethod
    def open(cls, flags: Mapping[str, Any], selection: Mapping[str, Any], model: ModelClient | None = None) -> Bridge:
        """Read settings, trust and credentials; to be called in a thread. Raises ``AgentError``."""
        return cls(read_start(flags, selection, is_attended=True), model)

    @property
    def needs_trust(self) -> bool:
        """Whether the user has not said yet if the folder may be trusted."""
        return not (self.start.launch.is_trusted or self._is_trust_answered)

    @property
    def needs_credentials(self) -> bool:
        """Whether there is no model to talk to."""
        return self._model is None and self.start.needs_credentials

    def report(self, problems: Iterable[str]) -> None:
        """Have problems of the user's files told when the session starts; too late once the engine runs."""
        launch = self.start.launch
        told = tuple(Problem(*problem.split(": ", 1)) for problem in problems)
        self.start.launch = replace(launch, problems=(*launch.problems, *told))

    def save_setting(self, key: str, value: str) -> None:
        """Write a setting to the user's file; to be called in a thread. Raises ``AgentError``."""
        write_setting(self.start.launch.paths.user_settings, key, value)

    @property
    def session_id(self) -> str:
        """Empty before the engine runs."""
        return self._engine.session_id if self._engine else ""

    def answer_start(self, value: str, comment: str) -> str:
        """Take the answer to a question of the start; why it cannot be used, or kept, where that is so."""
        match value:
            case "demo":
                self.start.with_demo()
            case "key":
                self.start.with_key(comment)
            case "server":
                self.start.with_server(comment)
                if self.start.needs_credentials:
                    return f"{comment} is not an address on this machine."
            case _:
                self._is_trust_answered = True
                try:
                    self.start.with_trust(value == "yes")
                except AgentError as error:
                    return str(error)
        return ""

    async def run(self) -> None:
        """Build and start the engine. Raises ``AgentError``."""
        await self._start_engine(self.start.settings, self.start.launch)

    async def go_on_with(self, session_id: str) -> None:
        """Go over to another session of this folder, and end this one: its batches end, what was queued in it waits
        in the other, and model and mode stay. Raises ``AgentError``; then this one goes on."""
        left, reader = self._engine, self._subscription
        assert left is not None and reader is not None
        settings = replace(left.session.state.settings, mode=left.calls.policies.policy.mode)
        await self._start_engine(settings, replace(self.start.launch, resume=session_id, problems=()))
        assert self._engine is not None
        self._engine.session.take_over(left.session)
        await self._end(left, reader)

    async def _start_engine(self, settings: Settings, launch: Launch) -> None:
        build = partial(build_engine, settings, launch, model=self._model)
        # A long transcript takes a while to read, and keys are taken meanwhile.
        engine = await asyncio.to_thread(build) if launch.resume else build()
        subscription = engine.subscribe()
        self._running.append((engine, subscription))
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._end, engine, subscription)
            await engine.start()
            stack.pop_all()
        self._engine, self._subscription = engine, subscription

    async def _end(self, engine: Engine, subscription: Subscription) -> None:
        await engine.close()
        subscription.close()
        self._running.remove((engine, subscription))

    async def send(self, op: Op) -> None:
        """Hand in an op; before the engine runs there is nobody to take it."""
        if self._engine is not None:
            if isinstance(op, WarmUp):
                self._index.refresh()
            await self._engine.handle(op)

    async def wait_idle(self) -> None:
        """Returns when neither a turn nor a command runs."""
        if self._engine is not None:
            await self._engine.session.wait_idle()

    async def batches(self) -> AsyncIterator[list[Envelope]]:
        """Events as they come: the first at once, then in batches; calls that are quick in one with their results."""
        subscription = self._subscription
        assert subscription is not None
        while batch := await self._read(subscription):
            yield await with_calls(subscription, batch)
            await asyncio.sleep(BATCH_INTERVAL_S)

    def list_files(self) -> FileListing:
        """The files of the working folder as they are known now; begins to look for newer ones where need be.

        Before the engine runs nobody has said what may be listed, and git has not been let into the folder.
        """
        if self._engine is None:
            return FileListing(paths=(), is_listing=True, count=0)
        self._index.refresh()
        index = self._index
        # In this order: paths that a listing has just finished are then never taken for those of before.
        is_listing = index.is_listing
        return FileListing(paths=index.paths, is_listing=is_listing, count=index.count)

    async def list_folder(self, path: str) -> list[str]:
        """Names in any folder, folders with a slash at the end; empty where it cannot be read."""
        return await asyncio.to_thread(list_folder, path, self.start.launch.cwd, _hidden(self._engine))

    @staticmethod
    async def _read(subscription: Subscription) -> list[Envelope]:
        """The next events; what a long silence before them is good for is done in it."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return await subscription.read()
        except TimeoutError:
            collect_all()
            return await subscription.read()

    def edit_plan(self) -> str:
        """The plan as the user's editor left it in its file; to be called in a thread. Raises ``AgentError``."""
        path = self._engine.calls.services.plan_file if self._engine is not None else None
        if path is None or not path.is_file():
            raise AgentError("There is no plan yet.")
        try:
            return edit_file(path, os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error

    async def close(self) -> None:
        """End the session: nothing of it runs afterwards."""
        for engine, subscription in list(self._running):
            await self._end(engine, subscription)
        self._history.close()
        await asyncio.to_thread(self._index.close)
