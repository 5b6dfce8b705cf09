"""Runs the calls of one response: each starts as soon as its batch may, while the response still streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from core.orchestration.call import (
    AFTER_DENIAL,
    INTERRUPTED,
    NOT_STARTED,
    STEERED,
    STEERED_EARLY,
    CallEnvironment,
    CallOutcome,
    Stop,
    is_safe,
    run_call,
    synthetic_result,
)
from core.orchestration.partition import next_batch
from core.protocol.messages import ToolUseBlock
from core.tools.context import ToolState

OnResult = Callable[[CallOutcome], None]
"""Called with each result as it comes, in order of completion."""


@dataclass(slots=True)
class _Call:
    block: ToolUseBlock
    batch: int
    is_safe: bool
    task: asyncio.Task[None] | None = None
    outcome: CallOutcome | None = None
    stop: Stop = INTERRUPTED
    """Why it is stopped, should it be."""


class ToolRunner:
    """Takes complete tool_use blocks in block order; gives their results in block order."""

    def __init__(
        self, environment: CallEnvironment, state: ToolState, on_result: OnResult, *, max_concurrency: int
    ) -> None:
        self.state = state
        """As the calls so far have left it."""
        self._environment = environment
        self._on_result = on_result
        self._max_concurrency = max_concurrency
        self._calls: list[_Call] = []
        self._changed = asyncio.Event()
        self._no_more: Stop | None = None
        self._is_steered = False
        self._applied = 0

    def add(self, block: ToolUseBlock) -> None:
        """Take a call; it starts at once where its batch is the running one."""
        safe = is_safe(self._environment.tools, block, self.state)
        last = self._calls[-1] if self._calls else None
        batch = next_batch(last.batch if last else -1, last.is_safe if last else False, safe)
        self._calls.append(_Call(block, batch, safe))
        if self._is_steered:
            self._drop_cancellable()
        self._pump()

    async def finish(self) -> list[CallOutcome]:
        """Wait for every call and return the results in block order."""
        while any(call.outcome is None for call in self._calls):
            self._changed.clear()
            await self._changed.wait()
        return self.outcomes

    async def cancel(self) -> list[CallOutcome]:
        """Stop what runs, answer what did not start, and return all results in block order."""
        self._no_more = self._no_more or NOT_STARTED
        running = [call.task for call in self._calls if call.task and not call.task.done()]
        for task in running:
            task.cancel()
        self._pump()
        if running:
            await asyncio.wait(running)
        for call in self._calls:
            if call.outcome is None:
                self._finished(call, synthetic_result(call.block, NOT_STARTED, self._environment.publisher))
        return self.outcomes

    def steer(self) -> None:
        """The user sent a message: calls that do not insist on coming to their end make way for it."""
        self._is_steered = True
        self._drop_cancellable()
        self._pump()

    @property
    def outcomes(self) -> list[CallOutcome]:
        """Results so far, in block order."""
        return [call.outcome for call in self._calls if call.outcome is not None]

    @property
    def has_calls(self) -> bool:
        """Whether any call was taken."""
        return bool(self._calls)

    @property
    def ends_turn(self) -> bool:
        """Whether the user declined a call without a word."""
        return any(outcome.ends_turn for outcome in self.outcomes)

    def _pump(self) -> None:
        """Start what may start: calls of the first batch that is not finished, up to the limit."""
        if self._no_more is not None:
            for call in self._calls:
                if call.task is None and call.outcome is None:
                    self._finished(call, synthetic_result(call.block, self._no_more, self._environment.publisher))
            return
        waiting = [call for call in self._calls if call.outcome is None]
        if not waiting:
            return
        current = waiting[0].batch
        running = sum(call.task is not None for call in waiting)
        for call in waiting:
            if call.batch != current or running >= self._max_concurrency:
                break
            if call.task is None:
                call.task = asyncio.create_task(self._run(call), name=f"tool-{call.block.name}")
                running += 1

    async def _run(self, call: _Call) -> None:
        outcome = await run_call(call.block, call.batch, self.state, self._environment, lambda: call.stop)
        self._finished(call, outcome)
        if outcome.ends_turn:
            self._no_more = AFTER_DENIAL
        self._pump()

    def _drop_cancellable(self) -> None:
        for call in self._calls:
            tool = self._environment.tools.get(call.block.name)
            if call.outcome is not None or tool is None or tool.interrupt_behavior != "cancel":
                continue
            if call.task is None:
                self._finished(call, synthetic_result(call.block, STEERED_EARLY, self._environment.publisher))
            elif call.stop is not STEERED:
                call.stop = STEERED
                # Not at once: a task that is cancelled before its first step never runs and would have no result.
                asyncio.get_running_loop().call_soon(call.task.cancel)

    def _finished(self, call: _Call, outcome: CallOutcome) -> None:
        call.outcome = outcome
        self._on_result(outcome)
        self._apply_finished_batches()
        self._changed.set()

    def _apply_finished_batches(self) -> None:
        """Apply the state changes of each batch that is over, in block order."""
        while self._applied < len(self._calls):
            batch = self._calls[self._applied].batch
            outcomes = [call.outcome for call in self._calls[self._applied :] if call.batch == batch]
            if None in outcomes:
                return
            for outcome in outcomes:
                if outcome is not None and outcome.modify is not None:
                    self.state = outcome.modify(self.state)
                if outcome is not None and outcome.mode is not None:
                    self._environment.policies.set_mode(outcome.mode)
            self._applied += len(outcomes)
