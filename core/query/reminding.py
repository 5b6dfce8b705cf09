"""What the model should hear before the next request: appended, each thing once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.prompt.reminders import Known, news, stale_todos, user_context
from core.tools.context import ToolState
from core.tools.todo_store import TodoStore


class Reminders:
    """Knows what the model has been told, and what it should hear next."""

    def __init__(self, known: Known, current: Callable[[], Known], todos: TodoStore) -> None:
        self._known = known
        self._current = current
        self._todos = todos
        self._steps_since_update = 0
        self._last_todos = todos.items

    async def due(self, state: ToolState) -> tuple[list[str], ToolState]:
        """Texts to append before the next request, each thing once, and the state in which they are known."""
        now = self._current()
        texts = news(self._known, now)
        self._known = now
        if self._todos.items != self._last_todos or not self._todos.items:
            self._last_todos, self._steps_since_update = self._todos.items, 0
        else:
            self._steps_since_update += 1
        stale = stale_todos(self._todos.items, self._steps_since_update)
        return ([*texts, stale] if stale else texts), state

    def context(self) -> str:
        """What the first message says as things are now: the instructions; empty where there are none."""
        return user_context(self._current().instructions)

    def told_anew(self, named_date: str, state: ToolState) -> None:
        """What stood in the conversation is gone, but for the system prompt, which names a date, a new first message
        with ``context()`` in it, and what ``state`` has seen. All else is told again as needed."""
        self._known = replace(self._current(), date=named_date, mode="default")
        self._last_todos, self._steps_since_update = self._todos.items, 0
