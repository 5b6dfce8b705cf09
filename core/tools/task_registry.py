"""What runs beside the conversation, of whatever kind: one list, one scheme of ids, and who is to hear of an end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from core.bus.bus import Publisher
from core.protocol.events import TasksChanged
from core.protocol.ids import MAIN_AGENT
from core.protocol.views import TaskInfo

MAX_ENDED = 100
"""So many that have ended stay in the list: a long session must not grow by them."""


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """What a task has given so far: its end, where it is long."""

    text: str
    total_lines: int = 0
    path: str = ""
    """The file with all of it; empty where there is none."""


class ListedTask(Protocol):
    """Something that the list holds: a shell, an agent."""

    @property
    def info(self) -> TaskInfo:
        """How it is now."""
        ...

    @property
    def told(self) -> str:
        """What the model is told once it has ended: its result or its last lines, bounded."""
        ...

    def output(self) -> TaskOutput:
        """What it has given so far."""
        ...

    async def stop(self) -> None:
        """End it; returns when it is over. One that is over stays as it is."""
        ...

    def move(self, *, to_background: bool) -> bool:
        """Have the conversation wait for it, or no longer; False where that cannot be."""
        ...


class TaskRegistry:
    """All tasks of a session, oldest first. Every end is handed out once, to the agent whose task it was."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._tasks: dict[str, ListedTask] = {}
        self._ended: dict[str, None] = {}
        """Ids in the order of their end."""
        self._untold: dict[str, bool] = {}
        """Ids of those whose end is to be told yet; whether that is worth a turn of its own."""
        self._published: tuple[TaskInfo, ...] = ()
        self._news = asyncio.Event()
        """Set at the next end, and then replaced by another: nobody who waits can miss it."""
        self._is_hushed = False

    def add(self, task: ListedTask) -> None:
        """List a task from now on; one that had ended begins again."""
        task_id = task.info.id
        self._tasks[task_id] = task
        self._ended.pop(task_id, None)
        self._untold.pop(task_id, None)
        self.changed()

    def changed(self) -> None:
        """Publish the list, where it differs from the one published last."""
        infos = tuple(task.info for task in self._tasks.values())
        if infos != self._published:
            self._published = infos
            self._publisher.emit(TasksChanged(tasks=infos))

    def ended(self, task: ListedTask, *, notify: bool) -> None:
        """A listed task is over. ``notify``: whose it was is to be told; once, however often this is said."""
        info = task.info
        if self._tasks.get(info.id) is not task or info.id in self._ended:
            return
        self._ended[info.id] = None
        if notify:
            self._untold[info.id] = info.status != "killed"
        self._forget_oldest()
        self.stir()

    def stir(self) -> None:
        """Something has happened that whoever waits here has to look at: an end, a move, words of the user."""
        self.changed()
        news, self._news = self._news, asyncio.Event()
        news.set()

    def awaited(self, agent: str = "") -> tuple[ListedTask, ...]:
        """Those in the foreground that an agent has started, the main one by default."""
        return tuple(task for task in self.running if not task.info.in_background and task.info.agent == agent)

    def get(self, task_id: str, agent: str = MAIN_AGENT) -> ListedTask | None:
        """A task by id, where the agent may name it."""
        return next((task for task in self.visible(agent) if task.info.id == task_id), None)

    def visible(self, agent: str) -> tuple[ListedTask, ...]:
        """What an agent may read and end: the main one everything, a subagent what it has started."""
        return tuple(task for task in self._tasks.values() if agent in (MAIN_AGENT, task.info.agent))

    @property
    def tasks(self) -> tuple[ListedTask, ...]:
        """All that are listed, oldest first."""
        return tuple(self._tasks.values())

    @property
    def running(self) -> tuple[ListedTask, ...]:
        """Those that are not over."""
        return tuple(task for task in self._tasks.values() if not task.info.is_over)

    def move_all_to_background(self) -> int:
        """Have the main conversation wait for none of them any longer; how many it had waited for."""
        moved = sum(task.move(to_background=True) for task in self.awaited())
        self.stir()
        return moved

    def take_notifications(self, agent: str = MAIN_AGENT) -> tuple[ListedTask, ...]:
        """What the agent has yet to hear the end of, in that order; each is given once. What a subagent that is over
        has left is for the main one."""
        taken = [task_id for task_id in self._untold if self._hearer(task_id) == agent]
        for task_id in taken:
            del self._untold[task_id]
        return tuple(self._tasks[task_id] for task_id in taken)

    def known(self, task_id: str) -> None:
        """Whose task it is has learned of its end already."""
        self._untold.pop(task_id, None)

    @property
    def calls_for_turn(self) -> bool:
        """Whether something has ended that the main model should hear of without being asked."""
        return not self._is_hushed and any(
            is_worth_it and self._hearer(task_id) == MAIN_AGENT for task_id, is_worth_it in self._untold.items()
        )

    @property
    def is_due(self) -> bool:
        """Whether there is an end to tell of, or a task to wait for."""
        return self.calls_for_turn or (not self._is_hushed and bool(self.awaited()))

    def calm(self) -> None:
        """What has ended so far can wait for the next prompt."""
        self._untold = dict.fromkeys(self._untold, False)

    def hush(self) -> None:
        """From now on nothing calls for a turn: the session ends."""
        self._is_hushed = True

    async def wait_end(self) -> None:
        """Returns at the next end of a task."""
        await self._news.wait()

    def _hearer(self, task_id: str) -> str:
        agent = self._tasks[task_id].info.agent
        starter = self._tasks.get(agent)
        return agent if starter is not None and not starter.info.is_over else MAIN_AGENT

    def _forget_oldest(self) -> None:
        told = [task_id for task_id in self._ended if task_id not in self._untold]
        for task_id in told[: max(len(self._ended) - MAX_ENDED, 0)]:
            del self._ended[task_id], self._tasks[task_id]
