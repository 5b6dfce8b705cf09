"""How many tokens the conversation takes: what the API last said, and an estimate of what came after."""

from __future__ import annotations

import json

from core.protocol.messages import Message, block_to_wire
from core.protocol.usage import Usage

BYTES_PER_TOKEN = 3.6
"""A rough average over prose and code for the models of the 5 line."""


def estimate(message: Message) -> int:
    """Tokens of one message, roughly."""
    size = sum(
        len(json.dumps(block_to_wire(block), ensure_ascii=False).encode("utf-8", "replace"))
        for block in message.content
    )
    return round(size / BYTES_PER_TOKEN)


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
