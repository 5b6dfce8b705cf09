"""Messages typed while a turn runs: shown, editable and removable until they are taken."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from core.bus.bus import Publisher
from core.host.host import Host
from core.host.ids import IdSource
from core.protocol.events import PromptSubmitted, QueueChanged
from core.protocol.messages import Message, Role, TextBlock
from core.protocol.views import QueuedMessage
from core.sessions.conversation import Conversation


class MessageQueue:
    """First in, first taken; every change is published."""

    def __init__(self, ids: IdSource, publisher: Publisher) -> None:
        self._ids = ids
        self._publisher = publisher
        self.items: tuple[QueuedMessage, ...] = ()

    def add(self, text: str, *, is_shell: bool = False, is_shown: bool = True) -> None:
        """Queue a message; one that is taken in the same breath need not be shown as waiting."""
        self.items = (*self.items, QueuedMessage(id=self._ids.uuid(), text=text, is_shell=is_shell))
        if is_shown:
            self._publish()

    def edit(self, message_id: str, text: str) -> bool:
        """Replace a text, or remove the message where it is empty; False where it is no longer here."""
        if all(item.id != message_id for item in self.items):
            return False
        changed = [
            replace(item, text=text) if item.id == message_id else item
            for item in self.items
            if item.id != message_id or text.strip()
        ]
        self.items = tuple(changed)
        self._publish()
        return True

    def take(self) -> tuple[QueuedMessage, ...]:
        """The prompts that wait, up to the first shell line: what was typed after that is about its output."""
        taken = tuple(takewhile(lambda item: not item.is_shell, self.items))
        self.items = self.items[len(taken) :]
        if taken:
            self._publish()
        return taken

    def take_shell(self) -> QueuedMessage | None:
        """The shell line that is next; None where a prompt is, or nothing."""
        if not self.items or not self.items[0].is_shell:
            return None
        first, *rest = self.items
        self.items = tuple(rest)
        self._publish()
        return first

    def _publish(self) -> None:
        self._publisher.emit(QueueChanged(items=self.items))


def take_queued(
    queue: MessageQueue, conversation: Conversation, publisher: Publisher, host: Host
) -> tuple[QueuedMessage, ...]:
    """Move what is queued into the conversation as the user's messages."""
    taken = queue.take()
    for item in taken:
        append_text(conversation, host, "user", item.text, message_id=item.id)
        publisher.emit(PromptSubmitted(message_id=item.id, text=item.text))
    return taken


def append_text(
    conversation: Conversation, host: Host, role: Role, text: str, *, message_id: str = "", is_meta: bool = False
) -> None:
    """Append a text message of the user's or of the program's."""
    conversation.append(
        Message(
            id=message_id or host.ids.uuid(),
            role=role,
            content=(TextBlock(text=text),),
            ts=host.clock.time(),
            is_meta=is_meta,
        )
    )
