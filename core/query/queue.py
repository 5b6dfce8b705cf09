"""Messages typed while a turn runs: shown, editable and removable until they are taken."""

from __future__ import annotations

from dataclasses import replace

from core.bus.bus import Publisher
from core.host.host import Host
from core.host.ids import IdSource
from core.protocol.events import PromptSubmitted, QueueChanged
from core.protocol.messages import ImageBlock, Message, Role, TextBlock
from core.protocol.views import ImageAttachment, QueuedMessage
from core.sessions.conversation import Conversation


class MessageQueue:
    """First in, first taken; every change is published."""

    def __init__(self, ids: IdSource, publisher: Publisher) -> None:
        self._ids = ids
        self._publisher = publisher
        self.items: tuple[QueuedMessage, ...] = ()
        self._images: dict[str, tuple[ImageBlock, ...]] = {}
        """By message; kept aside because what is published ends up in the event log."""

    def add(self, text: str, images: tuple[ImageAttachment, ...] = (), *, is_shown: bool = True) -> None:
        """Queue a message; one that is taken in the same breath need not be shown as waiting."""
        blocks = tuple(_image_block(image) for image in images)
        item = QueuedMessage(id=self._ids.uuid(), text=text, images=tuple(block.label for block in blocks))
        self._images[item.id] = blocks
        self.items = (*self.items, item)
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

    def take(self) -> list[tuple[QueuedMessage, tuple[ImageBlock, ...]]]:
        """All that waits with its images, and an empty queue."""
        taken = [(item, self._images.get(item.id, ())) for item in self.items]
        self.items = ()
        self._images.clear()
        if taken:
            self._publish()
        return taken

    def _publish(self) -> None:
        self._publisher.emit(QueueChanged(items=self.items))


def take_queued(queue: MessageQueue, conversation: Conversation, publisher: Publisher, host: Host) -> bool:
    """Move what is queued into the conversation as the user's messages; whether there was anything."""
    taken = queue.take()
    for item, images in taken:
        # The images first: the API reads words about them better that way.
        content = (*images, TextBlock(text=item.text))
        conversation.append(Message(id=item.id, role="user", content=content, ts=host.clock.time()))
        publisher.emit(PromptSubmitted(message_id=item.id, text=item.text, images=item.images))
    return bool(taken)


def _image_block(image: ImageAttachment) -> ImageBlock:
    return ImageBlock(
        media_type=image.media_type, data=image.data, name=image.name, width=image.width, height=image.height
    )


def append_text(conversation: Conversation, host: Host, role: Role, text: str, *, is_meta: bool = False) -> None:
    """Append a text message of the program's."""
    conversation.append(
        Message(
            id=host.ids.uuid(),
            role=role,
            content=(TextBlock(text=text),),
            ts=host.clock.time(),
            is_meta=is_meta,
        )
    )
