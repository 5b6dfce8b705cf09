"""What a request costs."""

from __future__ import annotations

from core.llm.catalog import ModelInfo
from core.protocol.usage import Usage

PER_MILLION = 1_000_000


def price(usage: Usage, model: ModelInfo) -> float | None:
    """USD of one request; None where the model's prices are unknown."""
    rates = model.prices
    if rates is None:
        return None
    if model.long_prices and usage.prompt_tokens > model.long_above:
        rates = model.long_prices
    return (
        usage.input_tokens * rates.input
        + usage.output_tokens * rates.output
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
        + usage.cache_read_tokens * rates.cache_read
    ) / PER_MILLION
