"""Taking up an earlier session: its messages for the model, and its events for the window."""

from __future__ import annotations

from collections.abc import Iterable

from core.bus.bus import Publisher
from core.protocol.events import (
    BlockFinished,
    Event,
    Notice,
    PromptSubmitted,
    ShellFinished,
    ShellStarted,
    ToolFinished,
    ToolStarted,
)
from core.protocol.messages import (
    ImageBlock,
    Message,
    ToolResultBlock,
    ToolUseBlock,
    referred_tools,
)
from core.query.normalize import MISSING_RESULT
from core.query.notification import read_notification
from core.query.shell_line import read_shell_line
from core.sessions.changes import Held, unthought
from core.sessions.entries import CallRecord
from core.sessions.load import LoadedSession
from core.tools.registry import ToolOffer


def usable(loaded: LoadedSession, tools: ToolOffer) -> Held:
    """What to go on with. Thinking is bound to the system prompt and the tools it was written under:
    where those are not the same any more, all of it is left out. A deferred tool counts once it was found."""
    found = {
        name
        for message in loaded.messages
        for block in message.content
        if isinstance(block, ToolResultBlock)
        for name in referred_tools(block)
    }
    is_same = loaded.tools_digest == tools.digest and all(
        name in tools.deferred and loaded.deferred_tools.get(name) == tools.deferred[name] for name in found
    )
    if loaded.system is not None and is_same:
        return loaded.held
    return unthought(loaded.held)


def replay(loaded: LoadedSession, publisher: Publisher) -> None:
    """Publish the finished things of a conversation, as a window that had been there would know them."""
    results = {
        block.tool_use_id: block
        for message in loaded.shown
        if isinstance(message, Message)
        for block in message.content
        if isinstance(block, ToolResultBlock)
    }
    for item in loaded.shown:
        for event in _events(item, results, loaded) if isinstance(item, Message) else (item.event,):
            publisher.emit(event)
    if loaded.bad_lines:
        lines = "line" if loaded.bad_lines == 1 else "lines"
        publisher.emit(
            Notice(
                level="warning",
                text=f"{loaded.bad_lines} {lines} of the transcript could not be read and were left out.",
            )
        )


def _events(message: Message, results: dict[str, ToolResultBlock], loaded: LoadedSession) -> Iterable[Event]:
    if message.role == "user" and not message.is_meta and message.text:
        images = tuple(block.label for block in message.content if isinstance(block, ImageBlock))
        yield PromptSubmitted(message_id=message.id, text=message.text, images=images)
    if message.role == "user" and message.is_meta:
        line = read_shell_line(message.text)
        if line is not None:
            yield ShellStarted(shell_id=message.id, command=line.command)
            yield ShellFinished(shell_id=message.id, command=line.command, output=line.output, exit_code=line.exit_code)
    if message.is_meta:
        ended = read_notification(message.text)
        if ended is not None:
            yield ended
    if message.role != "assistant":
        return
    for index, block in enumerate(message.content):
        yield BlockFinished(block_id=f"{message.id}:{index}", block=block)
        if isinstance(block, ToolUseBlock):
            call = loaded.calls.get(block.id, CallRecord())
            seen = {**block.input, **call.derived}
            yield ToolStarted(tool_use_id=block.id, name=block.name, input=seen, batch=call.batch)
            yield _finished(block, results.get(block.id), call)


def _finished(call: ToolUseBlock, result: ToolResultBlock | None, record: CallRecord) -> ToolFinished:
    return ToolFinished(
        tool_use_id=call.id,
        name=call.name,
        content=MISSING_RESULT if result is None else result.shown,
        is_error=result is None or result.is_error,
        display=record.display,
        duration_ms=record.duration_ms,
    )
