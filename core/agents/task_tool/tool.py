"""Task: a subagent for a task. Waits for its last words, unless it works in the background."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from core.agents.agent import Agent
from core.agents.definition import GENERAL
from core.agents.reports import neutral
from core.agents.runner import AgentOrder, AgentRunner
from core.host.tasks import despite_cancel
from core.permissions.access import Access
from core.protocol.agent_views import FORK
from core.protocol.codec import to_json
from core.protocol.views import ToolDisplay
from core.tools.base import CallInterrupted, Tool, ToolError, ToolInput, ToolResult
from core.tools.context import ToolContext, ToolState
from core.tools.result import moved, result_path

MAX_REPORT_CHARS = 60_000
"""Of its last words that the main model reads; the whole of longer ones is in a file."""


class TaskInput(ToolInput):
    description: str = Field(min_length=1, description="The task in 3-5 words")
    prompt: str = Field(min_length=1)
    subagent_type: str = GENERAL
    model: str = Field("", description="sonnet, opus, haiku, fable or an id; as a rule leave it out")
    resume: str = Field("", description="Id of an agent to go on with")
    run_in_background: bool = False


class Task(Tool[TaskInput]):
    """Agents never get it, so that they start no others."""

    name = "Task"
    input_type = TaskInput
    max_result_size_chars = None

    def __init__(self, runner: AgentRunner) -> None:
        self._runner = runner

    def is_read_only(self, arguments: TaskInput, state: ToolState) -> bool:
        # It changes nothing itself: each call of the agent is judged on its own.
        return True

    def touches(self, arguments: TaskInput, state: ToolState) -> Access:
        # Rules are for the agent that it will be, however the call spells it.
        wanted = self._runner.kind_of(arguments.resume) if arguments.resume else arguments.subagent_type
        found = self._runner.definitions.find(wanted)
        name = FORK if wanted == FORK else found.name if found else GENERAL
        return Access(name=name, is_read_only=True)

    async def run(self, arguments: TaskInput, context: ToolContext) -> ToolResult:
        order = AgentOrder(
            prompt=arguments.prompt,
            description=arguments.description,
            agent_type=arguments.subagent_type,
            model=arguments.model,
            tool_use_id=context.tool_use_id,
            in_background=arguments.run_in_background,
            state=context.state,
        )
        remark = ""
        if arguments.resume:
            agent = await self._runner.resume(arguments.resume, order)
        else:
            agent, remark = await self._runner.start(order)
        try:
            await agent.released.wait()
        except asyncio.CancelledError as interrupt:
            await despite_cancel(agent.stop("interrupted"))
            context.services.task_registry.known(agent.state.id)
            raise CallInterrupted(f"{_how_far(agent)}\n{agent.result}".rstrip()) from interrupt
        if not agent.done.is_set():
            return _in_background(agent, remark)
        context.services.task_registry.known(agent.state.id)
        return await _report(agent, remark, context)


async def _report(agent: Agent, remark: str, context: ToolContext) -> ToolResult:
    """Its last words, its id and what it took; an error that says how far it got where it has none to give."""
    state, words = agent.state, neutral(agent.result)
    if state.status != "completed":
        said = f"\nIts last words:\n{words}" if words else ""
        raise ToolError(f"{_how_far(agent)}{said}", f"resume: {state.id} goes on with it.")
    result = ToolResult(content=words, display=ToolDisplay(details=_totals(agent)))
    if len(words) > MAX_REPORT_CHARS:
        path = result_path(context.services.output_dir, context.tool_use_id)
        result = await moved(result, MAX_REPORT_CHARS, path)
    texts = [remark, str(result.content), f"agentId: {state.id} (to go on with it: resume)\n{_usage(agent)}"]
    return ToolResult(
        content=tuple({"type": "text", "text": text} for text in texts if text),
        display=ToolDisplay(summary=_summary(agent), details=_totals(agent), saved_to=result.display.saved_to),
    )


def _in_background(agent: Agent, remark: str) -> ToolResult:
    text = (
        f"The agent works in the background. agentId: {agent.state.id}\n"
        "You are told when it is over. BashOutput with its id tells what it has said so far, KillShell ends it."
    )
    return ToolResult(
        content=f"{remark}\n{text}".lstrip(),
        display=ToolDisplay(summary=f"background {agent.state.id}", details={"agentId": agent.state.id}),
    )


def _how_far(agent: Agent) -> str:
    return f"{agent.how_far()} agentId: {agent.state.id}"


def _usage(agent: Agent) -> str:
    totals = _totals(agent)
    return (
        f"<usage>total_tokens: {totals['totalTokens']}\ntool_uses: {totals['totalToolUseCount']}\n"
        f"duration_ms: {totals['totalDurationMs']}</usage>"
    )


def _totals(agent: Agent) -> dict[str, Any]:
    """All its requests together: tokens sent, from the cache too, and written."""
    state = agent.state
    return {
        "agentId": state.id,
        "status": state.status,
        "totalDurationMs": agent.duration_ms,
        "totalTokens": state.usage.context_tokens,
        "totalToolUseCount": state.tool_uses,
        "usage": to_json(state.usage),
    }


def _summary(agent: Agent) -> str:
    uses = agent.state.tool_uses
    return f"{uses} call{'' if uses == 1 else 's'} · {agent.state.usage.context_tokens:,} tokens"
