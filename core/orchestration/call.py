"""One tool call: prepare (validate, decide, ask), run, finalise. Always ends in exactly one result."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from core.bus.bus import Publisher
from core.host.log import LOGGER
from core.permissions.broker import Broker
from core.permissions.decide import decide, session_rule
from core.permissions.policy_holder import PolicyHolder
from core.protocol.errors import AgentError
from core.protocol.events import PermissionDecided, ToolFinished, ToolProgress, ToolStarted
from core.protocol.messages import ToolResultBlock, ToolUseBlock
from core.protocol.ops import AnswerPermission
from core.protocol.views import PermissionMode, PermissionRequest, ToolDisplay
from core.tools.asker import Asker
from core.tools.base import CallInterrupted, DeclinedError, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolServices, ToolState
from core.tools.registry import AnyTool, ToolRegistry
from core.tools.result import bounded

MAX_NAME = 100
INTERRUPTED = "Interrupted by the user before it ended."
NOT_STARTED = "Not run: the user interrupted before it began."
AFTER_DENIAL = "Not run: the user declined an earlier call of this response."


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnvironment:
    """What every call of a turn shares."""

    tools: ToolRegistry
    services: ToolServices
    policies: PolicyHolder
    broker: Broker
    publisher: Publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """The result of a call, and what it means for the rest of the turn."""

    block: ToolResultBlock
    display: ToolDisplay
    duration_ms: int
    batch: int = 0
    modify: Callable[[ToolState], ToolState] | None = None
    mode: PermissionMode | None = None
    ends_turn: bool = False
    """The user declined without a word: no further request is sent."""


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


async def run_call(call: ToolUseBlock, batch: int, state: ToolState, environment: CallEnvironment) -> CallOutcome:
    """Run one call to its one result. Cancelling it gives a result too: ``CancelledError`` never comes out."""
    clock = environment.services.host.clock
    publisher = environment.publisher
    started = clock.monotonic()
    publisher.emit(ToolStarted(tool_use_id=call.id, name=call.name, input=call.input, batch=batch))
    ends_turn = False
    try:
        tool, arguments = parse_call(environment.tools, call)
        context = _context(call, state, environment)
        await _obtain_consent(tool, arguments, context, environment)
        started = clock.monotonic()  # the time that the user took is not the tool's
        result = await tool.run(arguments, context)
        result = _within_limit(result, tool, context)
    except CallInterrupted as interrupt:
        so_far = f" Until then it gave:\n{interrupt.partial}" if interrupt.partial else ""
        result = _error(INTERRUPTED + so_far, "interrupted")
    except asyncio.CancelledError:
        result = _error(INTERRUPTED, "interrupted")
    except DeclinedError as error:
        ends_turn = error.ends_turn
        result = _error(str(error), "declined")
    except AgentError as error:
        result = _error(str(error), error.user_message)
    except Exception as error:  # noqa: BLE001  a tool that raises never ends the session
        LOGGER.exception("tool %s failed", call.name)
        result = _error(f"{call.name} failed unexpectedly: {type(error).__name__}: {error}", "failed")
    duration_ms = round((clock.monotonic() - started) * 1000)
    outcome = publish_result(call, result, duration_ms, publisher, ends_turn=ends_turn)
    return replace(outcome, batch=batch)


def publish_result(
    call: ToolUseBlock, result: ToolResult, duration_ms: int, publisher: Publisher, *, ends_turn: bool = False
) -> CallOutcome:
    """Tell the result and wrap it up."""
    text = result.content if isinstance(result.content, str) else _describe_blocks(result.content)
    publisher.emit(
        ToolFinished(
            tool_use_id=call.id,
            name=call.name,
            content=text,
            is_error=result.is_error,
            display=result.display,
            duration_ms=duration_ms,
        )
    )
    block = ToolResultBlock(tool_use_id=call.id, content=result.content, is_error=result.is_error)
    return CallOutcome(
        block=block,
        display=result.display,
        duration_ms=duration_ms,
        modify=result.modify,
        mode=result.mode,
        ends_turn=ends_turn,
    )


def synthetic_result(call: ToolUseBlock, reason: str, publisher: Publisher) -> CallOutcome:
    """The result of a call that was never run."""
    return publish_result(call, _error(reason, "not run"), 0, publisher)


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
        mode=environment.policies.policy.mode,
        asker=asker,
    )


async def _obtain_consent(
    tool: AnyTool, arguments: ToolInput, context: ToolContext, environment: CallEnvironment
) -> None:
    """Returns where the call may run; raises ``DeclinedError`` where it may not."""
    access = tool.check_permissions(arguments, context)
    policy = replace(environment.policies.policy, cwd=context.state.cwd)
    decision = decide(tool.name, access, policy)
    environment.publisher.emit(
        PermissionDecided(tool_use_id=context.tool_use_id, behavior=decision.behavior, reason=decision.reason)
    )
    if decision.behavior == "allow":
        return
    if decision.behavior == "deny":
        raise DeclinedError(f"{tool.name} was not run: {decision.reason}.", ends_turn=False)
    diff = await asyncio.to_thread(tool.preview, arguments, context)
    rule = session_rule(tool.name, access, policy)
    request = PermissionRequest(
        id=environment.services.host.ids.uuid(),
        tool_use_id=context.tool_use_id,
        tool_name=tool.name,
        input=arguments.model_dump(exclude_defaults=True),
        reason=decision.reason,
        session_rule=rule,
        display=ToolDisplay(diff=diff),
    )
    reply = await environment.broker.ask(request, environment.publisher)
    _take_reply(reply, rule, tool.name, environment)


def _take_reply(reply: AnswerPermission, rule: str, name: str, environment: CallEnvironment) -> None:
    if reply.answer == "session" and rule:
        environment.policies.add_rule(rule)
    if reply.answer == "deny":
        reason = f" They say: {reply.comment}" if reply.comment else ""
        raise DeclinedError(f"The user declined this call of {name}.{reason}", ends_turn=not reply.comment)


def _within_limit(result: ToolResult, tool: AnyTool, context: ToolContext) -> ToolResult:
    if not isinstance(result.content, str):
        return result
    # The id is the server's: as a file name it is not trusted.
    name = re.sub(r"[^A-Za-z0-9_-]", "_", context.tool_use_id)[:MAX_NAME]
    path = context.services.output_dir / f"{name}.txt"
    return replace(result, content=bounded(result.content, tool.max_result_size_chars, path))


def _error(text: str, summary: str) -> ToolResult:
    return ToolResult(content=text, is_error=True, display=ToolDisplay(summary=summary))


def _describe_blocks(blocks: tuple[dict[str, Any], ...]) -> str:
    return "\n".join(block.get("text") or f"[{block.get('type', 'block')}]" for block in blocks)
