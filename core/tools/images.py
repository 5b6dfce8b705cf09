"""Images for the model: checked against what the API takes, so that none is sent that spoils the conversation."""

from __future__ import annotations

import base64
from typing import Any

from core.host.image_files import ImageSize, is_whole, sniff_image
from core.protocol.errors import AgentError

MAX_ENCODED = 10 * 1024 * 1024
"""Characters of base64 that the API takes for one image."""
MAX_IMAGE_BYTES = MAX_ENCODED // 4 * 3
MAX_SIDE = 8_000
"""Pixels."""
SMALLER = "Make a smaller copy with a command (for instance `magick in.png -resize 2000x2000 out.png`)."


def checked_image(data: bytes, name: str) -> ImageSize:
    """Kind and size of an image that may be sent. Raises ``AgentError`` with what is wrong with it."""
    image = sniff_image(data)
    if image is None:
        raise AgentError(f"{name} is no PNG, JPEG, GIF or WebP image.")
    if len(data) > MAX_IMAGE_BYTES:
        raise AgentError(f"{name} is too large: an image may have {MAX_IMAGE_BYTES / 1e6:.1f} MB at most.", SMALLER)
    if max(image.width, image.height) > MAX_SIDE:
        size = f"{image.width}×{image.height}"
        raise AgentError(f"{name} has {size} pixels; {MAX_SIDE:,} a side is the most.", SMALLER)
    if not is_whole(data, image):
        raise AgentError(f"{name} is damaged or cut off: as an image it cannot be shown.")
    return image


def image_block(image: ImageSize, encoded: str) -> dict[str, Any]:
    """An image in the API's form."""
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": encoded}}


def encode(data: bytes) -> str:
    """Base64, as the API takes it."""
    return base64.b64encode(data).decode("ascii")
