"""The only door to the engine: ops go in, batches of events come out, thirty times a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from core.bus.batches import with_calls
from core.bus.subscription import Subscription
from core.engine.attachments import load_clipboard, load_image
from core.engine.engine import Engine
from core.engine.start import Start, read_start
from core.engine.wiring import build_engine
from core.host.clipboard import copy_with_tool, has_terminal_clipboard, save_copy
from core.host.external_editor import EditorError, edit_file, edit_text, open_file
from core.host.file_index import FileIndex, list_folder
from core.host.files import LineLog
from core.host.garbage import collect_all
from core.host.log import LOGGER
from core.llm.client import ModelClient
from core.permissions.hiding import Hides, hidden_by, hides_nothing
from core.protocol.envelope import Envelope
from core.protocol.errors import AgentError
from core.protocol.ops import Op, WarmUp
from core.protocol.views import FileListing, ImageAttachment
from core.sessions.drafts import DraftStore
from core.settings.layers import Problem
from core.settings.write import write_setting
from core.tools.search.walk import walk

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


class Bridge:
    """Reads what the session starts with, runs the engine on the window's event loop, and closes it."""

    def __init__(self, start: Start, model: ModelClient | None = None) -> None:
        self.start = start
        self._model = model
        self._is_trust_answered = False
        self._engine: Engine | None = None
        self._subscription: Subscription | None = None
        folder = start.launch.paths.project(start.launch.cwd)
        self._history = LineLog(folder / "history.jsonl")
        self.drafts = DraftStore(folder)
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
        build = partial(build_engine, self.start.settings, self.start.launch, model=self._model)
        # A long transcript takes a while to read, and keys are taken meanwhile.
        self._engine = await asyncio.to_thread(build) if self.start.launch.resume else build()
        self._subscription = self._engine.subscribe()
        await self._engine.start()

    async def send(self, op: Op) -> None:
        """Hand in an op; before the engine runs there is nobody to take it."""
        if self._engine is not None:
            if isinstance(op, WarmUp):
                self._index.refresh()
            await self._engine.handle(op)

    async def batches(self) -> AsyncIterator[list[Envelope]]:
        """Events as they come: the first at once, then in batches; calls that are quick in one with their results."""
        assert self._subscription is not None
        while batch := await self._read(self._subscription):
            yield await with_calls(self._subscription, batch)
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

    def read_history(self) -> list[str]:
        """Prompts of earlier sessions in this folder, oldest first; to be called in a thread."""
        items: list[str] = []
        with contextlib.suppress(OSError):
            for line in self._history.path.read_text("utf-8", "replace").splitlines()[-HISTORY_ITEMS:]:
                with contextlib.suppress(ValueError):
                    item = json.loads(line)
                    if isinstance(item, str):
                        items.append(item)
        return items

    def remember(self, prompt: str) -> None:
        """Add a prompt to the history; a disk that fails costs only that."""
        with contextlib.suppress(OSError):
            self._history.append(json.dumps(prompt).encode())

    def copy(self, text: str) -> str:
        """Hand text to the clipboard of the machine and say through what; to be called in a thread.

        Empty where there is no tool for it, and the terminal may be asked.
        """
        return copy_with_tool(text, os.environ)

    def save_copy(self, text: str) -> str:
        """Write text to a file where nothing else can take it, and give its path. Raises ``OSError``."""
        return str(save_copy(text, self.start.launch.paths.data))

    @property
    def has_terminal_clipboard(self) -> bool:
        """Whether the terminal may be asked to take text."""
        return has_terminal_clipboard(os.environ)

    def load_image(self, path: str) -> ImageAttachment:
        """An image to go with a prompt; to be called in a thread. Raises ``AgentError``."""
        return load_image(path, self.start.launch.cwd)

    def load_clipboard(self) -> ImageAttachment:
        """The image in the clipboard; to be called in a thread. Raises ``AgentError``."""
        return load_clipboard()

    def edit_text(self, text: str) -> str:
        """The text as the user's editor left it; to be called in a thread. Raises ``AgentError``."""
        try:
            return edit_text(text, os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error

    def edit_plan(self) -> str:
        """The plan as the user's editor left it in its file; to be called in a thread. Raises ``AgentError``."""
        path = self._engine.calls.services.plan_file if self._engine is not None else None
        if path is None or not path.is_file():
            raise AgentError("There is no plan yet.")
        try:
            return edit_file(path, os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error

    def open_file(self, path: str) -> str:
        """Show a file in the user's editor; to be called in a thread. Raises ``AgentError``."""
        if not Path(path).is_file():
            raise AgentError(f"{Path(path).name} is not there any more.")
        try:
            open_file(Path(path), os.environ)
        except EditorError as error:
            raise AgentError(str(error)) from error
        return ""

    async def close(self) -> None:
        """End the session: nothing of it runs afterwards."""
        if self._engine is not None:
            await self._engine.close()
        if self._subscription is not None:
            self._subscription.close()
        self._history.close()
        await asyncio.to_thread(self._index.close)
