"""The records of a transcript: one JSON object a line, in the field names that sessions of this format use.

``user`` and ``assistant`` records carry a message in the API's form; an assistant message is written block by
block under one ``message.id``, a tool result as it comes, so a kill loses at most the record being written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.protocol.agent_views import AgentInfo
from core.protocol.codec import to_json
from core.protocol.messages import Block, ImageBlock, Message, ToolUseBlock, block_to_wire
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt, ToolDisplay

TRANSCRIPT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBase:
    """What every record of a session says."""

    session_id: str
    cwd: str
    version: str
    git_branch: str = ""
    agent_id: str = ""
    """Of a sidechain: the subagent that it is of."""
    parent_tool_use_id: str = ""
    """Of a sidechain: the call that the agent works for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What a transcript keeps of a call beside its result, so that it can be shown again as it was."""

    display: ToolDisplay = field(default_factory=ToolDisplay)
    duration_ms: int = 0
    batch: int = 0
    derived: dict[str, Any] = field(default_factory=dict[str, Any])
    """What those who watched saw in place of fields of the input."""


def header_record() -> dict[str, Any]:
    """First line of a transcript."""
    return {"type": "header", "transcriptVersion": TRANSCRIPT_VERSION}


def message_record(message: Message) -> dict[str, Any]:
    """A whole message that was not written block by block."""
    record: dict[str, Any] = {
        "type": message.role,
        "message": {"role": message.role, "content": [_content(block) for block in message.content]},
    }
    if message.role == "assistant":
        record["message"] |= {"id": message.id, "model": message.model, "stop_reason": message.stop_reason}
    if message.is_meta:
        record["isMeta"] = True
    return record


def block_record(message_id: str, block: Block, model: str) -> dict[str, Any]:
    """One block of a response that is still coming."""
    content = [_content(block)]
    return {
        "type": "assistant",
        "message": {"id": message_id, "role": "assistant", "model": model, "content": content},
    }


def result_record(block: Block, call: CallRecord) -> dict[str, Any]:
    """The result of one call."""
    return {
        "type": "user",
        "message": {"role": "user", "content": [block_to_wire(block)]},
        "toolUseResult": {
            "display": to_json(call.display),
            "durationMs": call.duration_ms,
            "batch": call.batch,
            "derived": call.derived,
        },
    }


def side_usage_record(source: str, model: str, usage: Usage, agent: str) -> dict[str, Any]:
    """What a request beside the conversation took; its answer is in the result of the call that asked."""
    return {
        "type": "system",
        "subtype": "sideUsage",
        "source": source,
        "agent": agent,
        "model": model,
        "usage": to_json(usage),
    }


def usage_record(message_id: str, model: str, usage: Usage, stop_reason: str, *, is_kept: bool) -> dict[str, Any]:
    """The end of a response: what it took, why it ended, and whether anything of it is in the conversation."""
    return {
        "type": "system",
        "subtype": "usage",
        "messageId": message_id,
        "model": model,
        "usage": to_json(usage),
        "stopReason": stop_reason,
        **({} if is_kept else {"isKept": False}),
    }


def system_record(system: SystemPrompt, tools_digest: str, deferred_tools: Mapping[str, str]) -> dict[str, Any]:
    """The frozen system prompt, a mark of the tools that were sent with it, and one of each deferred tool."""
    return {
        "type": "system",
        "subtype": "prompt",
        "prompt": to_json(system),
        "toolsDigest": tools_digest,
        "deferredTools": dict(deferred_tools),
    }


def withdrawn_record(message_ids: tuple[str, ...]) -> dict[str, Any]:
    """Messages before this record that the model is not to read any more."""
    return {"type": "system", "subtype": "withdrawn", "messageIds": list(message_ids)}


def agent_record(agent: AgentInfo) -> dict[str, Any]:
    """What a sidechain's agent is at: written when a run of it begins and when it ends; the newest holds."""
    return {"type": "system", "subtype": "agent", "agent": to_json(agent)}


def link_record(relation: str, session_id: str) -> dict[str, Any]:
    """Another session that belongs to this one: ``handed_from``, ``handed_to``."""
    return {"type": "system", "subtype": "link", "relation": relation, "linkedSession": session_id}


THINKING_DROPPED_RECORD: dict[str, Any] = {"type": "system", "subtype": "thinking_dropped"}
"""From here on every thought before this record is left out."""


def _content(block: Block) -> dict[str, Any]:
    """The API's form, and in fields of ours why a call never parsed and how an image is called."""
    wire = block_to_wire(block)
    if isinstance(block, ToolUseBlock) and block.invalid:
        wire["_invalid"] = block.invalid
    if isinstance(block, ImageBlock):
        wire["_image"] = {"name": block.name, "width": block.width, "height": block.height}
    return wire
