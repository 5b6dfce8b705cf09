"""The sidechains of a session on disk: a transcript for each agent, in a folder beside the session's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from core.bus.bus import Publisher
from core.host.host import Host
from core.protocol.agent_views import AgentInfo
from core.protocol.codec import from_json
from core.protocol.errors import AgentError
from core.protocol.messages import Message, ToolResultBlock
from core.protocol.usage import Usage
from core.query.replay import usable
from core.sessions.conversation import Conversation
from core.sessions.entries import RecordBase
from core.sessions.load import LoadedSession, load_session
from core.sessions.writer import TranscriptWriter
from core.tools.registry import ToolOffer
from core.version import __version__

FOLDER = "subagents"
MARK = b'"subtype": "agent"'
"""In every line that says what an agent is at."""
CUT_OFF = "the program ended while it ran"


def sidechain_path(session_folder: Path, agent_id: str) -> Path:
    """Where an agent's transcript is."""
    return session_folder / FOLDER / f"agent-{agent_id}.jsonl"


def begin_sidechain(path: Path, info: AgentInfo, session_id: str, cwd: Path, host: Host, by: Publisher) -> Conversation:
    """The empty conversation of a new agent."""
    return Conversation(TranscriptWriter(host.open_log(path), _base(info, session_id, cwd), host, by))


def reopen_sidechain(
    path: Path, info: AgentInfo, loaded: LoadedSession, tools: ToolOffer, host: Host, by: Publisher
) -> Conversation:
    """The conversation of an agent that goes on. Raises ``AgentError`` where another program has it open."""
    base = _base(info, path.parent.parent.name, Path())
    writer = TranscriptWriter(host.open_log(path), base, host, by, last_uuid=loaded.last_uuid)
    writer.lock()
    conversation = Conversation(writer, usable(loaded, tools), loaded.said)
    conversation.last_usage = loaded.requests[-1].usage if loaded.requests else conversation.last_usage
    return conversation


def load_sidechain(path: Path) -> LoadedSession:
    """What an agent has said and done. Raises ``AgentError``."""
    if not path.is_file():
        raise AgentError(f"There is no transcript of the agent {path.stem.removeprefix('agent-')}.")
    loaded = load_session(path)
    if loaded.agent is None:
        raise AgentError(f"{path} does not say which agent it is of.")
    if not loaded.agent.is_over:
        loaded.agent = settled(_counted(loaded.agent, loaded))
    return loaded


def read_agents(session_folder: Path) -> tuple[AgentInfo, ...]:
    """The agents of a session as their transcripts tell, oldest first. What cannot be read is left out."""
    found: list[AgentInfo] = []
    for path in (session_folder / FOLDER).glob("agent-*.jsonl"):
        info = read_agent(path)
        if info is not None and path == sidechain_path(session_folder, info.id):
            found.append(info)
    return tuple(sorted(found, key=lambda info: info.started_at))


def settled(info: AgentInfo) -> AgentInfo:
    """An agent of an earlier run of the program: one that was not over then was cut off."""
    if info.is_over:
        return info
    return replace(
        info, status="killed", ending=CUT_OFF, ended_at=info.heard_at or info.started_at, waits_for="", trouble=""
    )


def _counted(info: AgentInfo, loaded: LoadedSession) -> AgentInfo:
    """An agent that was cut off, with what its transcript tells of what it did: nobody had added it up."""
    said = [item for item in loaded.shown if isinstance(item, Message)]
    heard_at = max((message.ts for message in said), default=info.heard_at)
    return replace(
        info,
        steps=len(loaded.requests),
        tool_uses=sum(isinstance(block, ToolResultBlock) for message in said for block in message.content),
        usage=sum((request.usage for request in loaded.requests), Usage()),
        context_tokens=loaded.held.known_tokens,
        duration_ms=info.duration_ms + max(0, round((heard_at - (info.run_at or info.heard_at)) * 1000)),
        heard_at=heard_at,
    )


def read_agent(path: Path) -> AgentInfo | None:
    """What a transcript tells of its agent; None where it cannot be read."""
    info: AgentInfo | None = None
    try:
        with path.open("rb") as stream:
            for line in stream:
                if MARK in line:
                    try:
                        info = from_json(AgentInfo, json.loads(line)["agent"])
                    except (ValueError, KeyError, TypeError, RecursionError):
                        continue
    except OSError:
        return None
    return settled(info) if info is not None else None


def _base(info: AgentInfo, session_id: str, cwd: Path) -> RecordBase:
    return RecordBase(
        session_id=session_id,
        cwd=str(cwd),
        version=__version__,
        agent_id=info.id,
        parent_tool_use_id=info.tool_use_id,
    )
