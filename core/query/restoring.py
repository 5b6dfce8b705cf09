"""What must not be lost when a conversation is compacted: the lists, the plan, what runs, and the files just read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from core.orchestration.call import CallEnvironment
from core.prompt.sections import template
from core.protocol.errors import AgentError
from core.protocol.ids import MAIN_AGENT
from core.protocol.messages import Message, ToolUseBlock
from core.protocol.views import TaskInfo
from core.query.mentions import read_unasked
from core.tools.base import ToolResult
from core.tools.context import ToolState

MAX_FILES = 5
MAX_FILE_TOKENS = 5_000
MAX_FILES_TOKENS = 50_000
WINDOW_SHARE = 0.1
"""Of the window that the files may take together: a small one would be full again at once."""
MAX_PLAN_CHARS = 20_000
MAX_NAMES = 20
CHARS_PER_TOKEN = 3.6


@dataclass(slots=True)
class Restored:
    """Texts for the model, the tool state that goes with them, and in a few words what they are."""

    state: ToolState
    texts: list[str]
    kept: list[str]


async def restore(calls: CallEnvironment, state: ToolState, tail: Iterable[Message], window: int) -> Restored:
    """Gather it. Files that the kept ``tail`` of the conversation reads need not be read again; of those that the
    model has no longer before it nothing is known any more, so that it reads them before it changes them."""
    restored = Restored(state, [], [])
    _lists(calls, restored)
    # A subagent may not write the plan, and is none of those who follow it.
    plan_file = calls.policies.policy.plan_file
    plan = await asyncio.to_thread(_plan, plan_file) if plan_file is not None else ""
    if plan:
        restored.texts.append(template("restored_plan").format(path=calls.services.plan_file, plan=plan))
        restored.kept.append("the plan")
    running = _running(calls)
    if running:
        lines = "\n".join(f"{info.id}, {info.kind}: {info.command or info.description}" for info in running)
        restored.texts.append(template("restored_running").format(tasks=lines))
        restored.kept.append(f"{len(running)} running in the background")
    await _files(calls, restored, set(_paths(tail, state)), window)
    return restored


def _lists(calls: CallEnvironment, restored: Restored) -> None:
    todos = calls.services.todos.items
    if todos:
        lines = "\n".join(f"{item.id}. [{item.status}] {item.content} ({item.priority})" for item in todos)
        restored.texts.append(template("restored_todos").format(todos=lines))
        restored.kept.append("the todo list")
    tasks = [task for task in calls.services.tasks.tasks.tasks if task.status != "completed"]
    if tasks:
        lines = "\n".join(f"{task.id}. [{task.status}] {task.subject}" for task in tasks)
        restored.texts.append(template("restored_tasks").format(tasks=lines))
        restored.kept.append(f"{len(tasks)} open task{'s' * (len(tasks) > 1)}")


def _running(calls: CallEnvironment) -> list[TaskInfo]:
    """What the agent has started in the background and goes on."""
    agent = calls.publisher.agent_id
    infos = (task.info for task in calls.services.task_registry.running)
    return [info for info in infos if info.in_background and (info.agent or MAIN_AGENT) == agent]


def _plan(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[:MAX_PLAN_CHARS].strip()
    except OSError:
        return ""


def _paths(messages: Iterable[Message], state: ToolState) -> Iterator[Path]:
    """The files that calls of the messages were about."""
    for message in messages:
        for block in message.content:
            if isinstance(block, ToolUseBlock) and isinstance(block.input.get("file_path"), str):
                yield state.absolute(block.input["file_path"]).resolve()


async def _files(calls: CallEnvironment, restored: Restored, in_tail: set[Path], window: int) -> None:
    """The newest files, as far as they fit; the others by name."""
    state, room = restored.state, min(MAX_FILES_TOKENS, round(window * WINDOW_SHARE)) * CHARS_PER_TOKEN
    contents: list[str] = []
    shown: dict[Path, ToolResult] = {}
    for path in list(state.seen)[::-1][: MAX_FILES + len(in_tail)]:
        if path in in_tail or len(contents) == MAX_FILES:
            continue
        text, result = await _content(path, calls, state, min(MAX_FILE_TOKENS * CHARS_PER_TOKEN, room))
        if result is not None:
            contents.append(text)
            shown[path] = result
            room -= len(text)
    restored.texts += reversed(contents)
    if contents:
        restored.kept.append(f"{len(contents)} file{'s' * (len(contents) > 1)}")
    known = shown.keys() | in_tail
    names = [str(path) for path in state.seen if path not in known][-MAX_NAMES:]
    if names:
        restored.texts.append(template("restored_names").format(names="\n".join(names)))
    seen = {path: stamp for path, stamp in state.seen.items() if path in known}
    restored.state = replace(state, seen=MappingProxyType(seen))
    for result in reversed(shown.values()):
        # As it is now, should somebody have changed it since.
        restored.state = result.modify(restored.state) if result.modify is not None else restored.state


async def _content(path: Path, calls: CallEnvironment, state: ToolState, most: float) -> tuple[str, ToolResult | None]:
    """What Read gives for a file, or the beginning of it; nothing where there is no room, or nothing to be read."""
    try:
        is_folder, result = await read_unasked(path, calls, state)
    except AgentError:
        return "", None
    if is_folder or not isinstance(result.content, str) or result.is_error or most < len(path.name):
        return "", None
    text, note = result.content, ""
    if len(text) > most:
        text, note = text[: round(most)].rpartition("\n")[0], "; the rest of it is left out here"
    if not text:
        return "", None
    return template("restored_file").format(path=path, note=note, content=text), result
