"""What images and documents a conversation holds already, and what may still join them.

The history only ever grows: one attachment too many and every later request would be refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from core.host.image_files import sniff_encoded
from core.protocol.errors import AgentError
from core.protocol.messages import Message, ToolResultBlock, block_to_wire, encoded_in

MAX_CHARS = 24 * 1024 * 1024
"""Of base64 in all. A request may have 32 MB; the rest is for words."""
FEW_IMAGES = 20
"""With more than so many images in a request each may only have ``MANY_IMAGES_SIDE`` pixels a side."""
MANY_IMAGES_SIDE = 2_000


@dataclass(frozen=True, slots=True)
class Attached:
    """The attachments of a conversation in numbers."""

    chars: int = 0
    """Of base64."""
    images: int = 0
    widest: int = 0
    """Pixels of the longest side of any image."""

    def with_document(self, chars: int) -> Attached:
        """The numbers with a document more. Raises ``AgentError`` where it does not fit."""
        if self.chars + chars > MAX_CHARS:
            raise AgentError(
                f"It has {_megabytes(chars)} encoded, and the images and documents of this conversation "
                f"{_megabytes(self.chars)}: a request takes {_megabytes(MAX_CHARS)} in all.",
                "Make a smaller copy with a command, or take only what is needed of it.",
            )
        return Attached(self.chars + chars, self.images, self.widest)

    def with_image(self, chars: int, side: int) -> Attached:
        """The numbers with an image more, whose longest side has so many pixels. Raises ``AgentError``."""
        grown = self.with_document(chars)
        if self.images >= FEW_IMAGES and max(side, self.widest) > MANY_IMAGES_SIDE:
            whose = "this one has more" if side > MANY_IMAGES_SIDE else "an earlier one has more"
            raise AgentError(
                f"The conversation holds {self.images} images already; with more than {FEW_IMAGES} none may have over "
                f"{MANY_IMAGES_SIDE:,} pixels a side, and {whose}.",
                "Make a smaller copy with a command." if side > MANY_IMAGES_SIDE else "Go on in a new session.",
            )
        return Attached(grown.chars, self.images + 1, max(side, self.widest))


def attached_in(messages: Iterable[Message], before: Attached | None = None) -> Attached:
    """The numbers of a conversation, or of one of which all but these messages are counted in ``before``."""
    known = before or Attached()
    chars, images, widest = known.chars, known.images, known.widest
    for block in _blocks(messages):
        data = encoded_in(block)
        chars += len(data)
        if data and block["type"] == "image":
            images += 1
            size = sniff_encoded(data)
            widest = max(widest, size.width, size.height) if size else widest
    return Attached(chars, images, widest)


def _blocks(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """Everything the user handed in and every part of a result, in the API's form."""
    for message in messages:
        if message.role != "user":
            continue
        for block in message.content:
            if not isinstance(block, ToolResultBlock):
                yield block_to_wire(block)
            elif not isinstance(block.content, str):
                yield from block.content


def _megabytes(chars: int) -> str:
    return f"{chars / (1024 * 1024):.1f} MB"
