"""What the model should hear before the next request: appended, each thing once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.orchestration.call import CallEnvironment
from core.prompt.agent_news import told_agents
from core.prompt.instruction_news import told_in
from core.prompt.reminders import TODO_NONE_STEP, Known, changed_todos, news, stale_todos
from core.prompt.sections import template
from core.protocol.events import Notice, WorkspaceRead
from core.protocol.messages import Message
from core.protocol.views import TodoItem
from core.query.file_news import FileNews
from core.query.surroundings import Surroundings, listed, short_name
from core.tools.context import ToolState

TODO_TOOL = "TodoWrite"


class Reminders:
    """Knows what the model has been told, and what it should hear next. ``named``: what the system prompt says."""

    def __init__(
        self, named: Known, surroundings: Surroundings, calls: CallEnvironment, messages: Iterable[Message]
    ) -> None:
        self._named = named
        self._surroundings = surroundings
        self._calls = calls
        self.told_anew(messages)

    def begin_turn(self) -> None:
        """What is counted over a turn begins anew."""
        self._todos.begin_turn()

    async def due(self, state: ToolState) -> tuple[list[str], ToolState]:
        """Texts to append before the next request, each thing once, and the state in which they are known."""
        now = await self._surroundings.look(state)
        passed_over = self._surroundings.book.current.files
        files = await self._files.look(state, self._calls.policies.policy, passed_over)
        # From here on it counts as told: nothing may come between this and the conversation.
        texts = [*news(self._told, now), files.text, self._todos.due()]
        if now.branch is not None and now.branch != self._told.branch:
            self._calls.publisher.emit(WorkspaceRead(is_repository=True, branch=now.branch))
        if files.paths:
            names = listed([short_name(path, self._calls.services.root) for path in files.paths])
            self._calls.publisher.emit(Notice(level="info", text=f"Changed on disk: {names}"))
        self._told = now
        return [text for text in texts if text], files.state

    def context(self) -> str:
        """What the first message of a conversation says, as things are now; empty where there is nothing to say."""
        return self._surroundings.context()

    def told_anew(self, messages: Iterable[Message]) -> None:
        """The conversation is another one now: beside the system prompt the model knows what stands in there.

        All else is told again: of files only what happens from now on, and what goes with one when it is next seen. A
        file that still counts as seen (``ToolState.seen``) should be one that the conversation shows.
        """
        self._surroundings.forget()
        texts = [message.text for message in messages if message.is_meta]
        self._told = replace(
            self._named,
            instructions=told_in(texts, self._surroundings.book.current.parts),
            agents=told_agents(texts, self._surroundings.agents()) if self._surroundings.is_main else {},
        )
        self._files = FileNews((self._calls.services.output_dir,))
        self._todos = _TodoReminders(self._calls)


class _TodoReminders:
    """When the model should look at its todo list: none of these twice in a row in the same words."""

    def __init__(self, calls: CallEnvironment) -> None:
        self._store = calls.services.todos
        self._tasks = calls.services.tasks
        self._is_offered = calls.tools.get(TODO_TOOL) is not None
        self._steps = 0
        """Requests of this turn."""
        self._steps_since_update = 0
        self._known: tuple[TodoItem, ...] = self._store.items
        self._edits = self._store.edits
        self._has_said_none = False

    def begin_turn(self) -> None:
        self._steps = 0

    def due(self) -> str:
        """A text for the next request; mostly empty."""
        items, edits = self._store.items, self._edits
        is_new = items != self._known
        self._steps += 1
        self._steps_since_update = 0 if is_new or not items else self._steps_since_update + 1
        self._known, self._edits = items, self._store.edits
        if not self._is_offered:
            return ""
        if is_new and self._edits != edits:
            return changed_todos(items)
        if not items and not self._tasks.tasks.tasks and self._steps == TODO_NONE_STEP and not self._has_said_none:
            self._has_said_none = True
            return template("todo_none")
        return stale_todos(items, self._steps_since_update)
