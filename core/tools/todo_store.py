"""The todo list of an agent: kept in a JSON file of its own, watched for edits from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from core.bus.bus import Publisher
from core.host.files import write_atomic
from core.host.log import LOGGER
from core.protocol.codec import from_json, to_json
from core.protocol.events import Notice, TodosChanged
from core.protocol.views import TodoItem, TodoPriority, TodoStatus


class TodoStore:
    """Holds the list, saves it, and publishes each change."""

    def __init__(self, path: Path, publisher: Publisher) -> None:
        self.path = path
        self._publisher = publisher
        self._saved = b""
        """What the file holds as far as we know: only something else in it is an edit from outside."""
        self.items: tuple[TodoItem, ...] = ()
        self.edits = 0
        """How often the list was another one in the file: somebody else has edited it."""

    def replace(self, items: tuple[TodoItem, ...]) -> None:
        """Make this the list. A disk that fails costs the file, not the list."""
        self.items = items
        data = (json.dumps([to_json(item) for item in items], indent=1, ensure_ascii=False) + "\n").encode()
        try:
            write_atomic(self.path, data, 0o600)
            self._saved = data
        except OSError as error:
            self._publisher.emit(
                Notice(level="warning", text=f"The todo list could not be saved: {error.strerror or error}")
            )
        self._publisher.emit(TodosChanged(items=items))

    def load(self) -> None:
        """Take the list from the file and publish it where it is another one; a bad file is left alone."""
        try:
            raw = self.path.read_bytes()
        except OSError:
            return
        if raw == self._saved:
            return
        try:
            items = tuple(_item(data) for data in json.loads(raw))
        except (ValueError, TypeError, RecursionError) as error:
            LOGGER.warning("todo file %s is not a todo list: %s", self.path, error)
            return
        self._saved = raw
        self.edits += 1
        self.items = items
        self._publisher.emit(TodosChanged(items=items))


def _item(data: Any) -> TodoItem:
    """Raises ``ValueError`` for what is no item."""
    item: TodoItem = from_json(TodoItem, data)
    if item.status not in get_args(TodoStatus) or item.priority not in get_args(TodoPriority):
        raise ValueError(f"there is no status {item.status!r} with priority {item.priority!r}")
    return item


def todo_problem(items: tuple[TodoItem, ...]) -> str:
    """Why the list is not acceptable; empty where it is."""
    active = [item.content for item in items if item.status == "in_progress"]
    if len(active) > 1:
        return f"Only one item may be in progress, these are {len(active)}: " + "; ".join(active)
    ids = [item.id for item in items]
    repeated = sorted({item for item in ids if ids.count(item) > 1})
    if repeated:
        return "Ids must be unique; repeated: " + ", ".join(repeated)
    return ""
