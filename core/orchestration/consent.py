"""May a call run? Decides, asks where that is what was decided, and saves what the answer says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from core.bus.bus import Publisher
from core.permissions.broker import Broker
from core.permissions.decide import decide
from core.permissions.policy import Policy
from core.permissions.policy_holder import Policies
from core.permissions.proposals import propose
from core.protocol.errors import AgentError
from core.protocol.events import Notice, PermissionDecided
from core.protocol.ops import AnswerPermission
from core.protocol.views import PermissionRequest, ToolDisplay
from core.tools.base import DeclinedError, ToolInput
from core.tools.context import ToolContext
from core.tools.registry import AnyTool

GO_ON = "Do not call it again like this: go on without it, or put into your report what you would need it for."
"""What a subagent is told that was declined without a word."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The surroundings in which a call may run, and what the user said to it."""

    context: ToolContext
    remark: str = ""


async def obtain_consent(
    tool: AnyTool,
    arguments: ToolInput,
    observed: dict[str, Any],
    context: ToolContext,
    policies: Policies,
    broker: Broker,
) -> Consent:
    """Returns where the call may run; raises ``DeclinedError`` where it may not."""
    context = replace(context, only_reads=bool(policies.policy.reads_only))
    access = replace(context.judged.take(tool.check_permissions(arguments, context)), fields=observed)

    def policy() -> Policy:
        return replace(policies.policy, cwd=context.state.cwd)

    decision = decide(tool.name, access, policy())
    context.publisher.emit(
        PermissionDecided(
            tool_use_id=context.tool_use_id,
            behavior=decision.behavior,
            reason=decision.reason,
            tool_name=tool.name,
            subject=access.subject,
            rule=str(decision.rule or ""),
            source=decision.rule.where if decision.rule else "",
            parts=decision.parts,
        )
    )
    if decision.behavior == "allow":
        return Consent(replace(context, is_unasked=decision.is_harmless))
    if decision.behavior == "deny":
        raise DeclinedError(f"{tool.name} was not run: {decision.reason}.", ends_turn=False)
    diff = await asyncio.to_thread(tool.preview, arguments, context)
    proposal = propose(tool.name, access, policy())
    saves_to = policies.saves_to
    publisher = context.publisher
    request = PermissionRequest(
        id=context.services.host.ids.uuid(),
        tool_use_id=context.tool_use_id,
        tool_name=tool.name,
        input=observed,
        reason=decision.reason,
        agent=publisher.subagent,
        agent_label=publisher.label,
        parts=decision.parts,
        scopes=proposal.scopes,
        scope=proposal.at,
        saves_to=str(saves_to) if saves_to and proposal.scopes else "",
        likeness=proposal.likeness,
        display=ToolDisplay(diff=diff),
    )
    reply = await broker.ask(request, publisher, lambda: decide(tool.name, access, policy()).behavior)
    _take_reply(reply, request, context.publisher, policies, broker)
    return Consent(context, reply.comment)


def _take_reply(
    reply: AnswerPermission, request: PermissionRequest, publisher: Publisher, policies: Policies, broker: Broker
) -> None:
    """Save what the answer says. Raises ``DeclinedError`` for a no."""
    if reply.answer in ("session", "always") and 0 <= reply.scope < len(request.scopes):
        rules = request.scopes[reply.scope].rules
        try:
            policies.add(rules, layer="local" if reply.answer == "always" else "session")
        except AgentError as error:
            # The call itself was allowed.
            publisher.emit(Notice(level="error", text=error.user_message, hint=error.hint))
        broker.look_again()
    if reply.answer == "deny":
        text = f"The user declined this call of {request.tool_name}."
        if reply.comment:
            text += f" They say: {reply.comment}"
        elif request.agent:
            # It stops nobody but this call: others wait for what the agent finds.
            text += f" {GO_ON}"
        raise DeclinedError(text, ends_turn=not reply.comment and not request.agent)
