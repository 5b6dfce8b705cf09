"""Messages typed while a turn runs: shown, editable and removable until they are taken."""

from __future__ import annotations

from core.bus.bus import Publisher
from core.protocol.events import QueueChanged
from core.protocol.ids import IdSource
from core.protocol.views import QueuedMessage


class MessageQueue:
    """First in, first taken; every change is published."""

    def __init__(self, ids: IdSource, publisher: Publisher) -> None:
        self._ids = ids
        self._publisher = publisher
        self.items: tuple[QueuedMessage, ...] = ()

    def add(self, text: str, *, is_shown: bool = True) -> None:
        """Queue a message; one that is taken in the same breath need not be shown as waiting."""
        self.items = (*self.items, QueuedMessage(id=self._ids.uuid(), text=text))
        if is_shown:
            self._publish()

    def edit(self, message_id: str, text: str) -> bool:
        """Replace a text, or remove the message where it is empty; False where it is no longer here."""
        if all(item.id != message_id for item in self.items):
            return False
        changed = [
            QueuedMessage(id=item.id, text=text) if item.id == message_id else item
            for item in self.items
            if item.id != message_id or text.strip()
        ]
        self.items = tuple(changed)
        self._publish()
        return True

    def take(self) -> tuple[QueuedMessage, ...]:
        """All that waits, and an empty queue."""
        taken, self.items = self.items, ()
        if taken:
            self._publish()
        return taken

    def _publish(self) -> None:
        self._publisher.emit(QueueChanged(items=self.items))
