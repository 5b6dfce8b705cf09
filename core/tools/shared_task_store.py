"""The file of the shared task list: every change is made under a lock to what the file holds at that moment, so
that agents, and other programs that share the list, never undo one another's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from core.bus.bus import Publisher
from core.host.files import file_lock, write_atomic
from core.host.log import LOGGER
from core.host.tasks import uncancelled
from core.protocol.events import SharedTasksChanged
from core.tools.shared_tasks import SharedTasks, TaskListError, tasks_from_json, tasks_to_json

LOCK_WAIT_S = 2.0
"""A change takes milliseconds: who waits longer waits for something that hangs."""

Edit = Callable[[SharedTasks], SharedTasks]


class SharedTaskStore:
    """Holds the list as it was last seen, and publishes it when it is another one."""

    def __init__(self, path: Path, publisher: Publisher) -> None:
        self.path = path
        self._publisher = publisher
        self.tasks = SharedTasks()

    async def read(self) -> SharedTasks:
        """The list as it is now. Raises ``TaskListError``."""
        return await self._use(asyncio.to_thread(self._read))

    async def change(self, edit: Edit) -> SharedTasks:
        """Make the change that ``edit`` makes of the newest list. Raises ``TaskListError``; then nothing is changed.

        An interrupt comes too late: what is in the file must be told.
        """
        return await self._use(uncancelled(asyncio.to_thread(self._change, edit)))

    async def _use(self, work: Coroutine[Any, Any, SharedTasks]) -> SharedTasks:
        try:
            tasks = await work
        except TimeoutError as error:
            raise TaskListError("The task list is locked by another program.", "Try again later.") from error
        except OSError as error:
            raise TaskListError(f"The task list cannot be used: {error.strerror or error}.", str(self.path)) from error
        except ValueError as error:
            raise TaskListError(f"{self.path} is not a task list: {error}.", "Correct it or take it away.") from error
        self._show(tasks)
        return tasks

    def load(self) -> None:
        """Take the list from the file, and publish it where it is another one; a bad file is left alone."""
        try:
            self._show(self._read())
        except (OSError, ValueError) as error:
            LOGGER.warning("task file %s cannot be used: %s", self.path, error)

    def _change(self, edit: Edit) -> SharedTasks:
        with file_lock(self.path.with_suffix(".lock"), LOCK_WAIT_S):
            before = self._read()
            changed = edit(before)
            if changed != before:
                write_atomic(self.path, (json.dumps(tasks_to_json(changed), indent=1) + "\n").encode(), 0o600)
            return changed

    def _read(self) -> SharedTasks:
        """What the file holds; without one the list is empty. Raises ``OSError`` and ``ValueError``."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return SharedTasks()
        try:
            return tasks_from_json(json.loads(raw))
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__} {error}") from error

    def _show(self, tasks: SharedTasks) -> None:
        if tasks != self.tasks:
            self.tasks = tasks
            self._publisher.emit(SharedTasksChanged(tasks=tasks.tasks))
