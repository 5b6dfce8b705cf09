"""How many tokens the conversation takes: what the API last said, and an estimate of what came after."""

from __future__ import annotations

import json
from math import ceil

from core.protocol.messages import Block, ImageBlock, Message, block_to_wire
from core.protocol.usage import Usage

BYTES_PER_TOKEN = 3.6
"""A rough average over prose and code for the models of the 5 line."""
PATCH = 28
"""Pixels a side."""
MAX_IMAGE_TOKENS = 4_784
UNKNOWN_IMAGE_TOKENS = 1_600


def estimate(message: Message) -> int:
    """Tokens of one message, roughly."""
    return sum(_of_block(block) for block in message.content)


def _of_block(block: Block) -> int:
    if isinstance(block, ImageBlock):
        return _of_image(block)
    size = len(json.dumps(block_to_wire(block), ensure_ascii=False).encode("utf-8", "replace"))
    return round(size / BYTES_PER_TOKEN)


def _of_image(image: ImageBlock) -> int:
    """One token for each patch; what has more is made smaller by the API."""
    if not (image.width and image.height):
        return UNKNOWN_IMAGE_TOKENS
    return min(ceil(image.width / PATCH) * ceil(image.height / PATCH), MAX_IMAGE_TOKENS)


def count_tokens(messages: tuple[Message, ...], last_usage: Usage) -> int:
    """Tokens in the window: the usage of the newest response, and an estimate of what was added since."""
    if not last_usage.context_tokens:
        return sum(estimate(message) for message in messages)
    total = last_usage.context_tokens
    for message in reversed(messages):
        if message.role == "assistant":
            break
        total += estimate(message)
    return total
