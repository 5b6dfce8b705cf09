"""One subagent: what it is at, who waits for it, what it has come to. Its turns are run by ``core.agents.running``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.bus.bus import Author, Publisher
from core.host.host import Host
from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.events import Event
from core.protocol.messages import TextBlock
from core.protocol.views import TaskInfo, TaskStatus
from core.query.queue import MessageQueue
from core.tools.task_registry import TaskOutput

ANSWER = "your answer"
PLACE = "a free place"
TELL_CHARS = 8_000
"""Of its last words that the main model is told unasked; all of them are in its transcript."""
SAID_CHARS = 20_000
"""Of what it has said so far, for those who look."""


class Agent:
    """Alive from its start until the program ends; its conversation only while it runs."""

    def __init__(
        self, state: AgentInfo, host: Host, publisher: Publisher, transcript: str, cost: Callable[[], float | None]
    ) -> None:
        self.state: AgentInfo = state
        self._host = host
        self.transcript = transcript
        """The file of its sidechain."""
        author = Author(state.id, state.tool_use_id, state.label, self._hear)
        self.publisher = publisher.for_agent(author)
        self.queue = MessageQueue(host.ids, self.publisher)
        self.result = ""
        """Its last words."""
        self._cost = cost
        self.moved: Callable[[], None] | None = None
        """Called when the main conversation waits for it, or no longer."""
        self.task: asyncio.Task[None] | None = None
        self.released = asyncio.Event()
        """Nobody waits for it any longer: it is over, or in the background."""
        self.done = asyncio.Event()
        self.is_listening = True
        """Whether it still takes in what is said to it in its present run."""
        self.why_stopped = ""
        self.listeners: list[Callable[[Event], None]] = []
        """Hear each of its own events, in its present run."""
        self._began = host.clock.monotonic()
        self._said: list[str] = []

    # What the list of tasks sees

    @property
    def info(self) -> TaskInfo:
        """As one of everything that runs."""
        state = self.state
        return TaskInfo(
            id=state.id,
            kind="agent",
            description=state.label,
            status=state.status,
            in_background=state.in_background,
            started_at=state.run_at or state.started_at,
            ended_at=state.ended_at,
            detail=state.ending or state.waits_for or state.trouble,
        )

    @property
    def told(self) -> str:
        """What the main model is told of its end."""
        words = self.result if len(self.result) <= TELL_CHARS else f"{self.result[:TELL_CHARS]}\n[… cut]"
        return "\n\n".join(part for part in (self.how_far() if self.state.status != "completed" else "", words) if part)

    def output(self) -> TaskOutput:
        """What it has said so far."""
        text = "\n\n".join(self._said)[-SAID_CHARS:] or self.result[-SAID_CHARS:]
        return TaskOutput(text=text, total_lines=text.count("\n") + 1 if text else 0, path=self.transcript)

    def move(self, *, to_background: bool) -> bool:
        """Have the main conversation wait for it, or no longer; False where it is over."""
        if self.state.is_over or self.state.in_background == to_background:
            return False
        self._tell(in_background=to_background)
        if self.moved is not None:
            self.moved()
        if to_background:
            self.released.set()
        else:
            self.released.clear()
        return True

    def kill(self, why: str) -> None:
        """Have it end; ``done`` is set once nothing of it runs any more."""
        if self.task is not None and not self.done.is_set():
            self.why_stopped = self.why_stopped or why
            # Not at once: a task that is cancelled before its first step never runs, and its end would never be told.
            asyncio.get_running_loop().call_soon(self.task.cancel)

    async def stop(self, why: str = "stopped by the user") -> None:
        """End it; returns once nothing of it runs any more."""
        self.kill(why)
        await self.done.wait()

    # What happens to it

    @property
    def duration_ms(self) -> int:
        """That it has run, all its runs together."""
        if self.state.is_over:
            return self.state.duration_ms
        return self.state.duration_ms + round((self._host.clock.monotonic() - self._began) * 1000)

    def how_far(self) -> str:
        """How it ended, and what it had done by then."""
        state = self.state
        calls = f"{state.tool_uses} tool call{'' if state.tool_uses == 1 else 's'}"
        ending = (state.ending or state.status).rstrip(".")
        return f"{state.agent_type} {state.id}: {ending}, after {state.steps} requests and {calls}."

    def begin(self, **changes: Any) -> None:
        """A run of it begins."""
        now = self._host.clock.time()
        self._began = self._host.clock.monotonic()
        self._said.clear()
        self.state = replace(self.state, status="running", run_at=now, ended_at=0.0, heard_at=now, ending="", **changes)
        self.publisher.emit(ev.AgentStarted(agent=self.state))

    def wait_for_place(self) -> None:
        """As many run as may."""
        self._tell(waits_for=PLACE)

    def trouble(self, text: str) -> None:
        """Something about it is suspicious, or no longer."""
        if text != self.state.trouble:
            self._tell(trouble=text)

    def end(self, status: TaskStatus, ending: str, result: str) -> None:
        """Its run is over."""
        self.result = result
        self.state = replace(
            self.state,
            status=status,
            ending=ending,
            ended_at=self._host.clock.time(),
            duration_ms=self.duration_ms,
            cost_usd=self._cost(),
            waits_for="",
            trouble="",
        )
        self._said.clear()

    def tell_end(self) -> None:
        """Say so, when everything of it is written down."""
        self.is_listening = False
        self.publisher.emit(ev.AgentEnded(agent=self.state, result=self.result))
        self.done.set()
        self.released.set()

    def _hear(self, event: Event) -> None:
        """One of its own events was published."""
        for listener in self.listeners:
            listener(event)
        state, now = self.state, self._host.clock.time()
        match event:
            case ev.RequestFinished():
                steps = state.steps + (event.query_source == "agent")
                self._tell(steps=steps, usage=state.usage + event.usage, cost_usd=self._cost())
            case ev.ToolStarted():
                self._tell()
            case ev.ToolFinished():
                self._tell(tool_uses=state.tool_uses + 1)
            case ev.UsageUpdated():
                self._tell(context_tokens=event.context_tokens, context_window=event.context_window)
            case ev.PermissionRequested() | ev.QuestionAsked():
                self._tell(waits_for=ANSWER)
            case ev.PermissionResolved() | ev.QuestionResolved():
                self._tell(waits_for="")
            case ev.BlockFinished(block=TextBlock() as block) if block.text.strip():
                self._said.append(block.text.strip())
                self.state = replace(state, heard_at=now)
            case ev.AgentStarted() | ev.AgentProgressed() | ev.AgentEnded():
                pass
            case _:
                self.state = replace(state, heard_at=now)

    def _tell(self, **changes: Any) -> None:
        self.state = replace(self.state, heard_at=self._host.clock.time(), **changes)
        self.publisher.emit(ev.AgentProgressed(agent=self.state))
