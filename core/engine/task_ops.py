"""What the user asks of tasks and agents: move, read, stop them."""

from __future__ import annotations

from typing import assert_never

from core.agents.runner import AgentOrder, AgentRunner
from core.orchestration.call import CallEnvironment
from core.protocol import ops
from core.protocol.agent_events import TaskOutputReported
from core.protocol.agent_views import FORK
from core.protocol.errors import AgentError
from core.protocol.events import Notice
from core.tools.context import ToolState
from core.tools.task_registry import ListedTask

FORK_WORDS = 5
"""Of its task that a fork is called by."""
TaskOp = (
    ops.BackgroundTools
    | ops.StopTask
    | ops.StopAgents
    | ops.MessageAgent
    | ops.MoveTask
    | ops.StartFork
    | ops.RecallAgent
    | ops.ReadTask
)


class TaskOps:
    """Carries out the ops of tasks."""

    def __init__(self, calls: CallEnvironment, agents: AgentRunner) -> None:
        self._agents = agents
        self._root = calls.services.root
        self._publisher = calls.publisher
        self._shells = calls.services.shells
        self._tasks = calls.services.task_registry

    async def handle(self, op: TaskOp) -> None:
        """Carry out one. Raises ``AgentError`` for what cannot be done."""
        match op:
            case ops.BackgroundTools():
                if not self._shells.detach_all() + self._tasks.move_all_to_background():
                    self._note("Nothing runs that could go to the background.")
            case ops.StopTask():
                await self._stop(self._find(op.task_id))
            case ops.MoveTask():
                self._move(self._find(op.task_id), to_background=op.to_background)
            case ops.ReadTask():
                output = self._find(op.task_id).output()
                self._publisher.emit(
                    TaskOutputReported(
                        task_id=op.task_id, text=output.text, total_lines=output.total_lines, path=output.path
                    )
                )
            case ops.StopAgents():
                if not await self._agents.stop_all():
                    self._note("No agent runs.")
            case ops.MessageAgent():
                await self._agents.message(op.agent_id, op.text)
            case ops.StartFork():
                await self._fork(op.prompt)
            case ops.RecallAgent():
                await self._agents.recall(op.agent_id)
            case _:
                assert_never(op)

    async def _fork(self, prompt: str) -> None:
        """Begin it in the background: nobody waits for it."""
        if not prompt.strip():
            raise AgentError("A fork needs a task.", "Say it behind the command.")
        words = " ".join(prompt.split()[:FORK_WORDS])
        state = ToolState(cwd=self._root)
        order = AgentOrder(prompt=prompt, description=words, agent_type=FORK, in_background=True, state=state)
        await self._agents.start(order)

    def _find(self, task_id: str) -> ListedTask:
        task = self._tasks.get(task_id)
        if task is None:
            raise AgentError(f"There is no task {task_id}.", "/tasks lists those there are.")
        return task

    async def _stop(self, task: ListedTask) -> None:
        info = task.info
        if info.is_over:
            self._note(f"{info.id} has already ended ({info.status}).")
        else:
            await task.stop()

    def _move(self, task: ListedTask, *, to_background: bool) -> None:
        info = task.info
        if info.is_over:
            self._note(f"{info.id} has already ended ({info.status}).")
        elif info.in_background == to_background:
            self._note(f"{info.id} is in the {'background' if to_background else 'foreground'} already.")
        elif not task.move(to_background=to_background):
            raise AgentError(f"{info.id} cannot be moved: nothing could wait for it.")

    def _note(self, text: str) -> None:
        self._publisher.emit(Notice(level="info", text=text))
