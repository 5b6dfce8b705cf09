"""The only door to the engine: ops go in, batches of events come out, thirty times a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from core.bus.subscription import Subscription
from core.engine.engine import Engine
from core.engine.start import Start, read_start
from core.engine.wiring import build_engine
from core.host.files import LineLog
from core.host.garbage import collect_all
from core.host.log import LOGGER
from core.llm.client import ModelClient
from core.protocol.envelope import Envelope
from core.protocol.ops import Op

BATCH_INTERVAL_S = 1 / 30
SILENCE_S = 30.0
"""Nobody waits for anything after so long without an event."""
HISTORY_ITEMS = 500


def log_fault(error: BaseException) -> None:
    """Write an error of the window to the debug log, with its traceback."""
    LOGGER.error("fault in the window", exc_info=error)


class Bridge:
    """Reads what the session starts with, runs the engine on the window's event loop, and closes it."""

    def __init__(self, start: Start, model: ModelClient | None = None) -> None:
        self.start = start
        self._model = model
        self._engine: Engine | None = None
        self._subscription: Subscription | None = None
        self._history = LineLog(start.launch.paths.project(start.launch.cwd) / "history.jsonl")

    @classmethod
    def open(cls, flags: Mapping[str, Any], selection: Mapping[str, Any], model: ModelClient | None = None) -> Bridge:
        """Read settings, trust and credentials; to be called in a thread. Raises ``AgentError``."""
        return cls(read_start(flags, selection, is_attended=True), model)

    @property
    def needs_trust(self) -> bool:
        """Whether the user has not said yet if the folder may be trusted."""
        return not self.start.launch.is_trusted

    @property
    def needs_credentials(self) -> bool:
        """Whether there is no model to talk to."""
        return self._model is None and self.start.needs_credentials

    @property
    def session_id(self) -> str:
        """Empty before the engine runs."""
        return self._engine.session_id if self._engine else ""

    async def run(self) -> None:
        """Build and start the engine. Raises ``AgentError``."""
        self._engine = build_engine(self.start.settings, self.start.launch, model=self._model)
        self._subscription = self._engine.subscribe()
        await self._engine.start()

    async def send(self, op: Op) -> None:
        """Hand in an op; before the engine runs there is nobody to take it."""
        if self._engine is not None:
            await self._engine.handle(op)

    async def batches(self) -> AsyncIterator[list[Envelope]]:
        """Events as they come: the first at once, then in batches."""
        assert self._subscription is not None
        while batch := await self._read(self._subscription):
            yield batch
            await asyncio.sleep(BATCH_INTERVAL_S)

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

    async def close(self) -> None:
        """End the session: nothing of it runs afterwards."""
        if self._engine is not None:
            await self._engine.close()
        if self._subscription is not None:
            self._subscription.close()
        self._history.close()
