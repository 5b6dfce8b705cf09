"""Reads a transcript back. A bad line is skipped and counted; parts of one message are put together again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from core.protocol.agent_views import AgentInfo
from core.protocol.codec import from_json
from core.protocol.errors import AgentError
from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import (
    ImageBlock,
    Message,
    Role,
    ToolResultBlock,
    ToolUseBlock,
    block_from_wire,
)
from core.protocol.usage import Usage
from core.protocol.views import SystemPrompt, ToolDisplay
from core.sessions.changes import Change, Compacted, Held, applied, read_change, unthought, withdrawn
from core.sessions.conversation import is_said
from core.sessions.entries import CallRecord
from core.settings.paths import PROMPT_HISTORY


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """What one response took."""

    model: str
    usage: Usage
    source: str = "main"
    agent: str = MAIN_AGENT


@dataclass(slots=True)
class LoadedSession:
    """A session as its transcript tells it."""

    session_id: str
    held: Held = field(default_factory=Held)
    """What the model reads."""
    shown: tuple[Message | Change, ...] = ()
    """Everything that was said, and what was changed in what the model reads of it, in order."""
    calls: dict[str, CallRecord] = field(default_factory=dict[str, CallRecord])
    """What the window showed of each call, by tool_use id."""
    requests: list[RequestUsage] = field(default_factory=list[RequestUsage])
    side_requests: list[RequestUsage] = field(default_factory=list[RequestUsage])
    """Those beside the conversation: they cost, and fill no window."""
    system: SystemPrompt | None = None
    tools_digest: str = ""
    deferred_tools: dict[str, str] = field(default_factory=dict[str, str])
    agent: AgentInfo | None = None
    """Of a sidechain: what was last written down of its agent."""
    last_uuid: str | None = None
    bad_lines: int = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the model reads."""
        return self.held.messages

    @property
    def said(self) -> tuple[Message, ...]:
        """Every prompt of the user, also of the session that was handed off to this one."""
        said: list[Message] = []
        for item in self.shown:
            if isinstance(item, Compacted):
                said += item.said
            elif isinstance(item, Message) and is_said(item):
                said.append(item)
        return tuple(said)


def find_transcript(projects: Path, project: Path, wanted: str | None) -> Path:
    """The newest transcript of a project, or the one whose id begins with ``wanted`` in any project.

    Raises ``AgentError`` where there is none, or more than one.
    """
    if wanted is None:
        found = sorted(_transcripts(project, "*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
        if not found:
            raise AgentError("There is no earlier session in this folder.", "Start one without --continue.")
        return found[0]
    if not wanted.replace("-", "").isalnum():
        raise AgentError(f"{wanted!r} is not a session id.")
    found = sorted(_transcripts(projects, f"*/{wanted}*.jsonl"))
    if not found:
        raise AgentError(f"There is no session {wanted}.", "Ids are the names of the files under " + str(projects))
    exact = [path for path in found if path.stem == wanted]
    if len(exact) == 1:
        return exact[0]
    if len(found) > 1:
        raise AgentError(f"{wanted} fits {len(found)} sessions.", "Give more of the id.")
    return found[0]


def _transcripts(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.glob(pattern) if path.name != PROMPT_HISTORY)


def load_session(path: Path) -> LoadedSession:
    """Read a transcript. Raises ``AgentError`` where the file cannot be read at all."""
    loaded = LoadedSession(session_id=path.stem)
    builder = _Builder(loaded)
    try:
        for record in _records(path, loaded):
            try:
                builder.add(record)
            except (ValueError, KeyError, TypeError, AttributeError):
                loaded.bad_lines += 1
    except OSError as error:
        raise AgentError(f"The session {path.stem} cannot be read: {error.strerror}.") from error
    builder.close()
    return loaded


def _records(path: Path, loaded: LoadedSession) -> Iterator[dict[str, Any]]:
    with path.open("rb") as stream:
        for line in stream:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                loaded.bad_lines += 1
                continue
            if isinstance(record, dict):
                yield cast("dict[str, Any]", record)
            else:
                loaded.bad_lines += 1


class _Builder:
    """Puts records together. Results may stand between the blocks of the response that asked for them."""

    def __init__(self, loaded: LoadedSession) -> None:
        self._loaded = loaded
        self._messages: list[Message] = []
        self._held = Held()
        """But for its messages, which grow in a list."""
        self._shown: list[Message | Change] = []
        self._open: Message | None = None
        self._results: list[ToolResultBlock] = []
        self._results_id = ""
        self._results_ts = 0.0

    def add(self, record: dict[str, Any]) -> None:
        kind = record.get("type")
        if kind == "system" and record.get("subtype") == "usage":
            usage: Usage = from_json(Usage, record["usage"])
            self._loaded.requests.append(RequestUsage(record["model"], usage))
            if record.get("isKept", True):
                self._held = replace(self._held, known_tokens=usage.context_tokens)
            if self._open is not None and self._open.id == record.get("messageId"):
                self._open = replace(self._open, stop_reason=record.get("stopReason", ""))
        elif kind == "system" and record.get("subtype") == "sideUsage":
            spent: Usage = from_json(Usage, record["usage"])
            agent = str(record.get("agent", MAIN_AGENT))
            self._loaded.side_requests.append(RequestUsage(record["model"], spent, str(record["source"]), agent))
        elif kind == "system" and record.get("subtype") == "agent":
            self._loaded.agent = from_json(AgentInfo, record["agent"])
        elif kind == "system" and record.get("subtype") == "prompt":
            self._loaded.system = from_json(SystemPrompt, record["prompt"])
            self._loaded.tools_digest = str(record.get("toolsDigest", ""))
            self._loaded.deferred_tools = dict(record.get("deferredTools") or {})
        elif kind == "system" and record.get("subtype") == "withdrawn":
            gone = set(record["messageIds"])
            self._change(lambda held: withdrawn(held, gone))
            self._shown = [item for item in self._shown if not isinstance(item, Message) or item.id not in gone]
        elif kind == "system" and record.get("subtype") == "thinking_dropped":
            self._change(unthought)
        elif kind == "system" and (change := read_change(record)) is not None:
            self._change(lambda held: applied(held, change))
            self._shown.append(change)
        elif kind in ("user", "assistant", "system") and isinstance(record.get("message"), dict):
            self._message(record, kind)
        if isinstance(record.get("uuid"), str):
            self._loaded.last_uuid = record["uuid"]

    def close(self) -> None:
        self._change(lambda held: held)
        self._loaded.held, self._loaded.shown = self._held, tuple(self._shown)

    def _change(self, change: Callable[[Held], Held]) -> None:
        """Change what the model reads of all that came before."""
        self._close_response()
        self._held = change(replace(self._held, messages=tuple(self._messages)))
        self._messages = list(self._held.messages)

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._shown.append(message)

    def _message(self, record: dict[str, Any], role: Role) -> None:
        data: dict[str, Any] = record["message"]
        raw: Any = data["content"]
        if isinstance(raw, str):
            raw = [{"type": "text", "text": raw}]
        content = tuple(_block(item) for item in raw)
        message = Message(
            id=data.get("id") or record["uuid"],
            role=role,
            content=content,
            ts=_timestamp(record),
            is_meta=bool(record.get("isMeta")),
            model=data.get("model") or "",
            stop_reason=data.get("stop_reason") or "",
        )
        if role == "assistant":
            if self._open is not None and self._open.id == message.id:
                self._open = replace(self._open, content=(*self._open.content, *content))
                return
            self._close_response()
            self._open = message
        elif role == "user" and content and all(isinstance(block, ToolResultBlock) for block in content):
            results = [block for block in content if isinstance(block, ToolResultBlock)]
            # A result that was moved to a file is written once more, as it was sent.
            newer = {block.tool_use_id for block in results}
            self._results = [*(block for block in self._results if block.tool_use_id not in newer), *results]
            self._results_id = self._results_id or record["uuid"]
            self._results_ts = message.ts
            self._display(record, content[0])
        else:
            self._close_response()
            self._add(message)

    def _display(self, record: dict[str, Any], block: object) -> None:
        shown = record.get("toolUseResult")
        if isinstance(shown, dict) and isinstance(block, ToolResultBlock):
            data = cast("dict[str, Any]", shown)
            with contextlib.suppress(ValueError):
                display = from_json(ToolDisplay, data.get("display") or {})
                self._loaded.calls[block.tool_use_id] = CallRecord(
                    display=display,
                    duration_ms=int(data.get("durationMs") or 0),
                    batch=int(data.get("batch") or 0),
                    derived=dict(data.get("derived") or {}),
                )

    def _close_response(self) -> None:
        """End the open response: it, then its results in the order of its calls."""
        if self._open is not None:
            self._add(self._open)
        if self._results:
            calls = [block.id for block in self._open.tool_uses] if self._open else []
            order = {call_id: number for number, call_id in enumerate(calls)}
            results = sorted(self._results, key=lambda block: order.get(block.tool_use_id, len(order)))
            self._add(Message(id=self._results_id, role="user", content=tuple(results), ts=self._results_ts))
        self._open, self._results, self._results_id = None, [], ""


def _block(data: dict[str, Any]) -> Any:
    invalid, image = data.pop("_invalid", ""), data.pop("_image", None)
    block = block_from_wire(data)
    if isinstance(block, ImageBlock) and isinstance(image, dict):
        shown = cast("dict[str, Any]", image)
        with contextlib.suppress(ValueError, TypeError):
            size = int(shown.get("width") or 0), int(shown.get("height") or 0)
            return replace(block, name=str(shown.get("name") or ""), width=size[0], height=size[1])
    if invalid and isinstance(block, ToolUseBlock):
        return ToolUseBlock(id=block.id, name=block.name, input=block.input, extra=block.extra, invalid=invalid)
    return block


def _timestamp(record: dict[str, Any]) -> float:
    with contextlib.suppress(KeyError, ValueError, TypeError):
        return datetime.fromisoformat(record["timestamp"]).timestamp()
    return 0.0
