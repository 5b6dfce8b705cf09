"""A task of the list that a test holds in its hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.protocol.views import TaskInfo, TaskKind, TaskStatus
from core.tools.task_registry import TaskOutput, TaskRegistry


class Errand:
    """Runs until the test ends it."""

    def __init__(
        self,
        registry: TaskRegistry,
        task_id: str,
        *,
        kind: TaskKind = "agent",
        agent: str = "",
        in_background: bool = True,
    ) -> None:
        self._registry = registry
        self.info = TaskInfo(
            id=task_id,
            description=f"Errand {task_id}",
            status="running",
            kind=kind,
            agent=agent,
            in_background=in_background,
        )
        self.done = asyncio.Event()
        registry.add(self)

    @property
    def told(self) -> str:
        return f"result of {self.info.id}"

    def output(self) -> TaskOutput:
        return TaskOutput(text=f"so far {self.info.id}", total_lines=1, path="/tmp/errand")

    def end(self, status: TaskStatus = "completed", *, notify: bool = True) -> None:
        """It is over."""
        self.info = replace(self.info, status=status)
        self.done.set()
        self._registry.ended(self, notify=notify)

    async def stop(self) -> None:
        if not self.info.is_over:
            self.end("killed")
        await self.done.wait()

    def move(self, *, to_background: bool) -> bool:
        self.info = replace(self.info, in_background=to_background)
        self._registry.changed()
        return True
