"""One prompt without a window: text, JSON, or a stream of JSON lines on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from core.bus.subscription import Subscription
from core.context.budget import window_of
from core.cost.ledger import Account
from core.engine.engine import Engine
from core.engine.launch import Launch
from core.engine.task_records import TaskRecords
from core.engine.wiring import build_engine
from core.llm.client import ModelClient
from core.protocol import events as ev
from core.protocol.codec import to_json
from core.protocol.envelope import Envelope
from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import Block, TextBlock, ToolResultBlock, ToolUseBlock, block_to_wire
from core.protocol.ops import SubmitPrompt
from core.protocol.usage import Usage
from core.settings.schema import Settings

OutputFormat = Literal["text", "json", "stream-json"]
Write = Callable[[str], None]

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_TERMINATED = 143
"""128 + SIGTERM."""

AGENTS_WAIT_S = 600.0
"""So long agents of the background are waited for; what they bring is told to the model, which answers again."""
SHELLS_WAIT_S = 5.0
"""So long background commands may go on when everything else is done."""

_SUBTYPES: dict[str, str] = {
    "completed": "success",
    "max_turns": "error_max_turns",
    "max_budget": "error_max_budget_usd",
}


@dataclass(slots=True)
class _Tally:
    """What the result record adds up."""

    text: str = ""
    last_text_request: str = ""
    api_ms: int = 0
    stop_reason: str = ""
    models: dict[str, str] = field(default_factory=dict[str, str])
    """That answer, by agent: the chosen one, or one that stands in for it."""
    end: ev.TurnEnded | None = None
    """Of the newest turn."""
    steps: int = 0
    duration_ms: int = 0
    usage: Usage = field(default_factory=Usage)
    inputs: dict[str, ev.ToolStarted] = field(default_factory=dict[str, ev.ToolStarted])
    denied: list[ev.ToolStarted] = field(default_factory=list[ev.ToolStarted])
    """Calls that a rule or the mode refused; those that nobody could be asked about are with the broker."""

    def add(self, end: ev.TurnEnded) -> None:
        """A turn is over."""
        self.end = end
        self.steps += end.steps
        self.duration_ms += end.duration_ms
        self.usage += end.usage


def run_headless(
    settings: Settings,
    launch: Launch,
    prompt: str,
    output_format: OutputFormat,
    *,
    forwards_agents: bool = False,
    model: ModelClient | None = None,
) -> int:
    """Run one prompt to its end and return the exit code. Raises ``AgentError`` where it cannot start.

    ``forwards_agents``: a stream also holds what agents say and think, not only what they do.
    """

    async def run() -> int:
        engine = build_engine(settings, launch, model=model)
        return await _run(engine, prompt, _Printer(engine, output_format, _print, forwards_agents=forwards_agents))

    return asyncio.run(run())


async def _run(engine: Engine, prompt: str, printer: _Printer) -> int:
    subscription = engine.subscribe()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    code = EXIT_TERMINATED
    try:
        await engine.start()
        await engine.handle(SubmitPrompt(text=prompt))
        reading = asyncio.create_task(_read(subscription, printer))
        if await _unless(stopped, _to_the_end(engine, subscription, printer)):
            reading.cancel()
            code = printer.result()
            engine.calls.services.task_registry.hush()
            if not await _unless(stopped, _shells_end(engine)):
                code = EXIT_TERMINATED
    finally:
        await engine.close()
        subscription.close()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    return code


async def _unless(stopped: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether it came to its end; it is dropped where the program is told to stop."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopped.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return not stopped.is_set()


async def _to_the_end(engine: Engine, subscription: Subscription, printer: _Printer) -> None:
    """The turn of the prompt, and those that agents of the background bring about; all of it is printed then."""
    tasks = engine.calls.services.task_registry
    until: float | None = None
    while True:
        await engine.session.wait_idle()
        _take(subscription, printer)
        agents = sum(task.info.kind == "agent" for task in tasks.running)
        if printer.has_failed or not agents:
            return
        until = until or asyncio.get_running_loop().time() + AGENTS_WAIT_S
        try:
            async with asyncio.timeout_at(until):
                await tasks.wait_end()
        except TimeoutError:
            still = f"{agents} agent{'s' * (agents > 1)} still ran"
            sys.stderr.write(f"agent-tui: after {AGENTS_WAIT_S:g} s {still} and will be stopped.\n")
            return


async def _shells_end(engine: Engine) -> None:
    """The end of the background commands, or of the time that they have."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SHELLS_WAIT_S):
            for shell in engine.calls.services.shells.background:
                await shell.done.wait()


async def _read(subscription: Subscription, printer: _Printer) -> None:
    while await subscription.ready():
        _take(subscription, printer)


def _take(subscription: Subscription, printer: _Printer) -> None:
    for envelope in subscription.take():
        printer.take(envelope)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Printer:
    """Turns events into records. Message records have the API's shape."""

    def __init__(
        self, engine: Engine, output_format: OutputFormat, write: Write, *, forwards_agents: bool = False
    ) -> None:
        self._engine = engine
        self._format = output_format
        self._write = write
        self._forwards_agents = forwards_agents
        self._tally = _Tally()
        self._tasks = TaskRecords()

    @property
    def has_failed(self) -> bool:
        """Whether the newest turn did not come to a good end."""
        return self._tally.end is not None and self._tally.end.reason != "completed"

    def take(self, envelope: Envelope) -> None:
        """Print what the format shows of an event, and add it up. What belongs to no turn is an earlier run's."""
        event = envelope.event
        for record in self._tasks.of(event):
            self._stream({"type": "system", **record, "session_id": self._engine.session_id})
        match event:
            case ev.SessionStarted():
                self._stream({"type": "system", "subtype": "init", **self._init(event)})
            case ev.BlockFinished() if envelope.turn_id:
                self._block(event, envelope)
            case ev.ToolStarted():
                self._tally.inputs[event.tool_use_id] = event
            case ev.PermissionDecided(behavior="deny"):
                self._tally.denied.append(self._tally.inputs[event.tool_use_id])
            case ev.ToolFinished() if envelope.turn_id:
                block = ToolResultBlock(tool_use_id=event.tool_use_id, content=event.content, is_error=event.is_error)
                self._message("user", block, envelope)
            case ev.RequestStarted(query_source="main" | "agent"):
                self._tally.models[envelope.agent_id] = event.model
            case ev.RequestFinished():
                self._tally.api_ms += event.duration_ms
                if event.query_source == "main" and envelope.agent_id == MAIN_AGENT:
                    self._tally.stop_reason = event.stop_reason
            case ev.RequestFailed() if event.retry_in_s is not None:
                self._stream(
                    {
                        "type": "system",
                        "subtype": "api_retry",
                        "attempt": event.attempt,
                        "max_retries": event.max_attempts - 1,
                        "error_status": event.status,
                        "retry_delay_ms": round(event.retry_in_s * 1000),
                        "error": event.reason,
                        "session_id": self._engine.session_id,
                    }
                )
            case ev.CompactionFinished() if envelope.turn_id and envelope.agent_id == MAIN_AGENT:
                trigger = "manual" if event.trigger == "manual" else "auto"
                self._stream(
                    {
                        "type": "system",
                        "subtype": "compact_boundary",
                        "compact_metadata": {"trigger": trigger, "pre_tokens": event.before},
                        "session_id": self._engine.session_id,
                    }
                )
            case ev.Notice():
                self._note(event)
            case ev.TurnEnded() if envelope.agent_id == MAIN_AGENT:
                self._tally.add(event)
            case _:
                pass

    def result(self) -> int:
        """Print the last record and return the exit code."""
        end = self._tally.end or ev.TurnEnded(reason="error", detail="The turn never ended.")
        is_error = end.reason != "completed"
        if self._format == "text":
            if self._tally.text:
                self._write(self._tally.text)
            if is_error:
                sys.stderr.write(f"agent-tui: {end.detail or end.reason}\n")
        else:
            self._write(json.dumps(self._record(end, is_error), ensure_ascii=False))
        return EXIT_FAILED if is_error else EXIT_OK

    def _record(self, end: ev.TurnEnded, is_error: bool) -> dict[str, Any]:
        return {
            "type": "result",
            "subtype": _SUBTYPES.get(end.reason, "error_during_execution"),
            "is_error": is_error,
            "result": self._tally.text if not is_error else self._tally.text or end.detail,
            "error": end.detail if is_error else None,
            "session_id": self._engine.session_id,
            "num_turns": self._tally.steps,
            "duration_ms": self._tally.duration_ms,
            "duration_api_ms": self._tally.api_ms,
            "total_cost_usd": self._engine.session.ledger.cost_usd,
            "usage": _usage(self._tally.usage),
            "modelUsage": {
                model: self._of_model(model, account) for model, account in self._engine.session.ledger.by_model.items()
            },
            "permission_denials": [
                {"tool_name": denial.tool_name, "tool_use_id": denial.tool_use_id, "tool_input": denial.input}
                for denial in self._engine.calls.broker.denials
            ]
            + [
                {"tool_name": call.name, "tool_use_id": call.tool_use_id, "tool_input": call.input}
                for call in self._tally.denied
            ],
            "stop_reason": self._tally.stop_reason or None,
        }

    def _of_model(self, model_id: str, account: Account) -> dict[str, Any]:
        """What a model has taken for everything that was asked of it, also beside the conversation."""
        usage, info = account.usage, self._engine.session.models.find(model_id)
        return {
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "cacheReadInputTokens": usage.cache_read_tokens,
            "cacheCreationInputTokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
            "webSearchRequests": usage.web_searches,
            "costUSD": account.cost_usd,
            "contextWindow": window_of(info, self._engine.session.state.settings),
            "maxOutputTokens": info.max_output,
        }

    def _init(self, event: ev.SessionStarted) -> dict[str, Any]:
        return {
            "session_id": self._engine.session_id,
            "model": event.model,
            "cwd": event.cwd,
            "tools": list(event.tools),
            "mcp_servers": [],
            "permissionMode": event.mode,
            "version": event.version,
        }

    def _block(self, event: ev.BlockFinished, envelope: Envelope) -> None:
        block, request = event.block, event.block_id.rpartition(":")[0]
        if envelope.agent_id != MAIN_AGENT:
            if self._forwards_agents or isinstance(block, ToolUseBlock):
                self._message("assistant", block, envelope, request)
            return
        if isinstance(block, TextBlock):
            same = request == self._tally.last_text_request
            self._tally.text = f"{self._tally.text}\n{block.text}" if same else block.text
            self._tally.last_text_request = request
        self._message("assistant", block, envelope, request)

    def _message(self, role: str, block: Block, envelope: Envelope, message_id: str = "") -> None:
        message: dict[str, Any] = {"role": role, "content": [block_to_wire(block)]}
        if role == "assistant":
            model = self._tally.models.get(envelope.agent_id, "")
            message = {"id": message_id, "type": "message", "model": model, **message}
        self._stream(
            {
                "type": role,
                "message": message,
                "parent_tool_use_id": envelope.parent_tool_use_id or None,
                "session_id": self._engine.session_id,
            }
        )

    def _note(self, event: ev.Notice) -> None:
        if self._format == "stream-json":
            self._stream(
                {
                    "type": "system",
                    "subtype": "informational",
                    **to_json(event),
                    "session_id": self._engine.session_id,
                }
            )
        elif event.level != "info":
            sys.stderr.write(f"agent-tui: {event.text} {event.hint}".rstrip() + "\n")

    def _stream(self, record: dict[str, Any]) -> None:
        if self._format == "stream-json":
            self._write(json.dumps(record, ensure_ascii=False))


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
    }
