"""Messages typed while a turn runs: shown, editable and removable until they are taken."""

from __future__ import annotations

from dataclasses import replace

from core.bus.bus import Publisher
from core.host.host import Host
from core.host.ids import IdSource
from core.protocol.events import PromptSubmitted, QueueChanged
from core.protocol.messages import Block, ImageBlock, Message, Role, TextBlock
from core.protocol.views import ImageAttachment, Lane, QueuedMessage
from core.sessions.conversation import Conversation

Taken = tuple[QueuedMessage, tuple[ImageBlock, ...]]
"""A message with its images."""


class MessageQueue:
    """In the order in which they will be taken: what steers the turn first, then what follows it.

    Every change is published.
    """

    def __init__(self, ids: IdSource, publisher: Publisher) -> None:
        self._ids = ids
        self._publisher = publisher
        self.items: tuple[QueuedMessage, ...] = ()
        self._images: dict[str, tuple[ImageBlock, ...]] = {}
        """By message; kept aside because what is published ends up in the event log."""

    def add(
        self,
        text: str,
        lane: Lane = "steer",
        images: tuple[ImageAttachment, ...] = (),
        *,
        is_shown: bool = True,
    ) -> QueuedMessage:
        """Queue a message; one that is taken in the same breath need not be shown as waiting.

        What is typed after a shell line or a command is meant for afterwards, and waits for it.
        """
        blocks = tuple(_image_block(image) for image in images)
        labels = tuple(block.label for block in blocks)
        if any(item.is_line for item in self.items):
            lane = "follow_up"
        item = QueuedMessage(id=self._ids.uuid(), text=text, lane=lane, images=labels)
        self._images[item.id] = blocks
        self._arrange((*self.items, item))
        if is_shown:
            self._publish()
        return item

    def add_line(self, text: str, *, is_shown: bool = True) -> None:
        """Queue a shell line or a command, with its sign: it waits for the end of the turn."""
        self._arrange((*self.items, QueuedMessage(id=self._ids.uuid(), text=text, lane="follow_up", is_line=True)))
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

    def move(self, message_id: str, by: int) -> bool:
        """Move a message among those of its lane, to its end at most; False where it is no longer here."""
        moved = next((item for item in self.items if item.id == message_id), None)
        if moved is None:
            return False
        lane = [item for item in self.items if item.lane == moved.lane]
        place = min(max(lane.index(moved) + by, 0), len(lane) - 1)
        lane.remove(moved)
        lane.insert(place, moved)
        self._arrange((*lane, *(item for item in self.items if item.lane != moved.lane)))
        self._publish()
        return True

    def take_over(self, other: MessageQueue) -> None:
        """What waits in another queue waits here, behind what there is."""
        self._images |= other._images
        self._arrange((*self.items, *other.items))
        other.items = ()
        if self.items:
            self._publish()

    def take_steering(self) -> tuple[Taken, ...]:
        """Take all that steers the running turn."""
        return self._take(sum(item.lane == "steer" for item in self.items))

    def take_next(self) -> tuple[Taken, ...]:
        """Take what a new turn begins with: all that steers, else the first that follows, each in its own turn."""
        return self.take_steering() or self._take(1)

    def _take(self, count: int) -> tuple[Taken, ...]:
        items, self.items = self.items[:count], self.items[count:]
        taken = tuple((item, self._images.pop(item.id, ())) for item in items)
        if taken:
            self._publish()
        return taken

    def take_line(self) -> QueuedMessage | None:
        """The shell line or command that is next; None where a prompt is, or nothing."""
        if not self.items or not self.items[0].is_line:
            return None
        first, *rest = self.items
        self.items = tuple(rest)
        self._publish()
        return first

    def _arrange(self, items: tuple[QueuedMessage, ...]) -> None:
        self.items = tuple(sorted(items, key=lambda item: item.lane != "steer"))

    def _publish(self) -> None:
        self._publisher.emit(QueueChanged(items=self.items))


def say_queued(
    taken: tuple[Taken, ...], conversation: Conversation, publisher: Publisher, host: Host
) -> list[QueuedMessage]:
    """Put what was taken into the conversation as the user's messages, and give it back."""
    for item, images in taken:
        # The images first: the API reads words about them better that way.
        content = (*images, TextBlock(text=item.text))
        conversation.append(Message(id=item.id, role="user", content=content, ts=host.clock.time()))
        publisher.emit(PromptSubmitted(message_id=item.id, text=item.text, images=item.images))
    return [item for item, _ in taken]


def _image_block(image: ImageAttachment) -> ImageBlock:
    return ImageBlock(
        media_type=image.media_type, data=image.data, name=image.name, width=image.width, height=image.height
    )


def append_text(
    conversation: Conversation, host: Host, role: Role, text: str, *, message_id: str = "", is_meta: bool = False
) -> None:
    """Append a text message of the program's."""
    append_blocks(conversation, host, role, (TextBlock(text=text),), message_id=message_id, is_meta=is_meta)


def append_blocks(
    conversation: Conversation,
    host: Host,
    role: Role,
    content: tuple[Block, ...],
    *,
    message_id: str = "",
    is_meta: bool = False,
) -> None:
    """Append a message of the program's."""
    conversation.append(
        Message(
            id=message_id or host.ids.uuid(),
            role=role,
            content=content,
            ts=host.clock.time(),
            is_meta=is_meta,
        )
    )
