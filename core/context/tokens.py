"""How many tokens the conversation takes: what the API last said, and an estimate of what came after."""

from __future__ import annotations

import json
from math import ceil
from typing import Any

from core.host.image_files import sniff_encoded
from core.protocol.messages import Block, ImageBlock, Message, ToolResultBlock, block_to_wire, encoded_in
from core.protocol.views import SystemPrompt
from core.tools.pdf_files import pages_in

BYTES_PER_TOKEN = 3.6
"""A rough average over prose and code for the models of the 5 line."""
PATCH = 28
"""Pixels a side."""
MAX_IMAGE_TOKENS = 4_784
UNKNOWN_IMAGE_TOKENS = 1_600
PAGE_TOKENS = 4_500
"""Of a PDF: up to 3,000 for its text, and as much as an image for how it looks."""
UNKNOWN_PAGES = 10


def estimate(message: Message) -> int:
    """Tokens of one message, roughly."""
    return sum(estimate_block(block) for block in message.content)


def estimate_block(block: Block) -> int:
    """Tokens of one block, roughly."""
    if isinstance(block, ImageBlock):
        return _of_image(block.width, block.height)
    if isinstance(block, ToolResultBlock) and not isinstance(block.content, str):
        return sum(_of_wire(part) for part in block.content)
    return _of_wire(block_to_wire(block))


def _of_wire(block: dict[str, Any]) -> int:
    """Of a block in the API's form. What is in base64 is not counted by its length."""
    data = encoded_in(block)
    if data and block["type"] == "image":
        size = sniff_encoded(data)
        return _of_image(size.width, size.height) if size else UNKNOWN_IMAGE_TOKENS
    if data:
        return (pages_in(block.get("title")) or UNKNOWN_PAGES) * PAGE_TOKENS
    return round(len(json.dumps(block, ensure_ascii=False).encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def _of_image(width: int, height: int) -> int:
    """One token for each patch; what has more is made smaller by the API."""
    if not (width and height):
        return UNKNOWN_IMAGE_TOKENS
    return min(ceil(width / PATCH) * ceil(height / PATCH), MAX_IMAGE_TOKENS)


def overhead(system: SystemPrompt, schemas: list[dict[str, Any]]) -> int:
    """Tokens of what stands before the messages, roughly: tools that have to be searched for are not read."""
    loaded = [schema for schema in schemas if not schema.get("defer_loading")]
    text = json.dumps([system.static, system.session, loaded], ensure_ascii=False)
    return round(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def count_tokens(messages: tuple[Message, ...], known: int, before: int) -> int:
    """Tokens in the window: what the API counted for the newest response, and an estimate of what was added since.

    All blocks of one response, calls that ran in parallel too, are one message here and share its one usage. Where
    nothing was counted yet, or not since the history changed (``known`` is 0), all of it is estimated, with ``before``
    for what stands before the messages.
    """
    if not known:
        return before + sum(estimate(message) for message in messages)
    total = known
    for message in reversed(messages):
        if message.role == "assistant":
            break
        total += estimate(message)
    return total
