"""One tool call: prepare (validate, decide, ask), run, finalise. Always ends in exactly one result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from core.bus.bus import Publisher
from core.host.log import LOGGER
from core.orchestration.consent import obtain_consent
from core.permissions.broker import Broker
from core.permissions.hiding import hidden_by
from core.permissions.policy_holder import Policies, PolicyHolder
from core.protocol.errors import AgentError
from core.protocol.events import ToolFinished, ToolProgress, ToolStarted
from core.protocol.messages import ToolResultBlock, ToolUseBlock
from core.protocol.views import PermissionMode, ToolDisplay
from core.tools.asker import Asker
from core.tools.base import CallInterrupted, DeclinedError, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolServices, ToolState
from core.tools.registry import AnyTool, ToolRegistry
from core.tools.result import bounded, result_path, with_remark


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a call does not come to its own end: what the model reads, and one word for the window."""

    text: str
    summary: str


INTERRUPTED = Stop("Interrupted by the user before it ended.", "interrupted")
STEERED = Stop("Dropped before it ended: the user sent a message, which follows.", "dropped for your message")
NOT_STARTED = Stop("Not run: the user interrupted before it began.", "not run")
STEERED_EARLY = Stop("Not run: the user sent a message, which follows.", "not run")
AFTER_DENIAL = Stop("Not run: the user declined an earlier call of this response.", "not run")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnvironment:
    """What every call of a turn shares."""

    tools: ToolRegistry
    services: ToolServices
    policies: Policies
    broker: Broker
    publisher: Publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCalls(CallEnvironment):
    """That of the main agent: its policy is the session's own."""

    policies: PolicyHolder


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """The result of a call, and what it means for the rest of the turn."""

    block: ToolResultBlock
    display: ToolDisplay
    duration_ms: int
    batch: int = 0
    derived: dict[str, Any] = field(default_factory=dict[str, Any])
    """What those who watch see in place of fields of the input."""
    modify: Callable[[ToolState], ToolState] | None = None
    mode: PermissionMode | None = None
    ends_turn: bool = False
    """The user declined without a word: no further request is sent."""
    may_move: bool = True
    """Whether the result may go to a file to make room for the others."""


def parse_call(tools: ToolRegistry, call: ToolUseBlock) -> tuple[AnyTool, ToolInput]:
    """The tool and its validated input. Raises ``ToolError`` with what is wrong."""
    tool = tools.get(call.name)
    if tool is None:
        raise ToolError(f"There is no tool named {call.name!r}.", f"There are: {', '.join(tools.names)}.")
    if call.invalid:
        raise ToolError(f"The call was not run: {call.invalid}.", "Send it again, complete.")
    try:
        return tool, tool.input_type.model_validate(call.input)
    except ValidationError as error:
        raise ToolError(f"The input of {call.name} is not valid: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    parts: list[str] = []
    for item in error.errors(include_url=False)[:5]:
        where = ".".join(str(part) for part in item["loc"])
        parts.append(f"{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(parts) + "."


def is_safe(tools: ToolRegistry, call: ToolUseBlock, state: ToolState) -> bool:
    """Whether the call may run beside others; one whose input does not parse may not."""
    try:
        tool, arguments = parse_call(tools, call)
        return tool.is_concurrency_safe(arguments, state)
    except Exception:  # noqa: BLE001  a tool's own check that fails makes the call unsafe, no more
        return False


async def run_call(
    call: ToolUseBlock,
    batch: int,
    state: ToolState,
    environment: CallEnvironment,
    why_stopped: Callable[[], Stop],
) -> CallOutcome:
    """Run one call to its one result. Cancelling it gives a result too, with the reason that ``why_stopped`` then
    tells: ``CancelledError`` never comes out."""
    clock = environment.services.host.clock
    publisher = environment.publisher
    started = clock.monotonic()
    ends_turn, may_move, derived = False, True, {}
    try:
        try:
            tool, arguments = parse_call(environment.tools, call)
            derived = tool.derive(arguments, state)
            may_move = tool.max_result_size_chars is not None
        finally:
            observed = {**call.input, **derived}
            publisher.emit(ToolStarted(tool_use_id=call.id, name=call.name, input=observed, batch=batch))
        context = _context(call, state, environment)
        consent = await obtain_consent(tool, arguments, observed, context, environment.policies, environment.broker)
        started = clock.monotonic()  # the time that the user took is not the tool's
        result = await tool.run(arguments, consent.context)
        path = result_path(environment.services.output_dir, call.id)
        result = with_remark(await bounded(result, tool.max_result_size_chars, path), consent.remark)
    except CallInterrupted as interrupt:
        so_far = f" Until then it gave:\n{interrupt.partial}" if interrupt.partial else ""
        result = _error(why_stopped().text + so_far, why_stopped().summary)
    except asyncio.CancelledError:
        result = _error(why_stopped().text, why_stopped().summary)
    except DeclinedError as error:
        ends_turn = error.ends_turn
        result = _error(str(error), "declined")
    except AgentError as error:
        result = _error(str(error), error.user_message)
    except Exception as error:  # noqa: BLE001  a tool that raises never ends the session
        LOGGER.exception("tool %s failed", call.name)
        result = _error(f"{call.name} failed unexpectedly: {type(error).__name__}: {error}", "failed")
    duration_ms = round((clock.monotonic() - started) * 1000)
    outcome = publish_result(call, result, duration_ms, publisher)
    return replace(outcome, batch=batch, derived=derived, ends_turn=ends_turn, may_move=may_move)


def publish_result(call: ToolUseBlock, result: ToolResult, duration_ms: int, publisher: Publisher) -> CallOutcome:
    """Tell the result and wrap it up."""
    block = ToolResultBlock(tool_use_id=call.id, content=result.content, is_error=result.is_error)
    publisher.emit(
        ToolFinished(
            tool_use_id=call.id,
            name=call.name,
            content=block.shown,
            is_error=result.is_error,
            display=result.display,
            duration_ms=duration_ms,
        )
    )
    return CallOutcome(
        block=block,
        display=result.display,
        duration_ms=duration_ms,
        modify=result.modify,
        mode=result.mode,
    )


def synthetic_result(call: ToolUseBlock, reason: Stop, publisher: Publisher) -> CallOutcome:
    """The result of a call that was never run."""
    return publish_result(call, _error(reason.text, reason.summary), 0, publisher)


def _context(call: ToolUseBlock, state: ToolState, environment: CallEnvironment) -> ToolContext:
    def report(text: str, total_lines: int) -> None:
        environment.publisher.emit(ToolProgress(tool_use_id=call.id, text=text, total_lines=total_lines))

    ids = environment.services.host.ids
    asker = Asker(environment.broker, environment.publisher, ids, call.id) if environment.broker.is_attended else None
    return ToolContext(
        state=state,
        services=environment.services,
        tool_use_id=call.id,
        report=report,
        publisher=environment.publisher,
        mode=environment.policies.policy.mode,
        hides=hidden_by(replace(environment.policies.policy, cwd=state.cwd)),
        folders=environment.policies.policy.roots,
        asker=asker,
    )


def _error(text: str, summary: str) -> ToolResult:
    return ToolResult(content=text, is_error=True, display=ToolDisplay(summary=summary))
