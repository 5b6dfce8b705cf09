"""What a request costs."""

from __future__ import annotations

from core.protocol.usage import PriceList, Usage

PER_MILLION = 1_000_000


def price(usage: Usage, prices: PriceList | None) -> float | None:
    """USD of one request; None where the prices are unknown."""
    if prices is None:
        return None
    is_long = prices.long is not None and usage.prompt_tokens > prices.long_above
    rates = prices.long if is_long and prices.long else prices.base
    return (
        usage.input_tokens * rates.input
        + usage.output_tokens * rates.output
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
        + usage.cache_read_tokens * rates.cache_read
    ) / PER_MILLION
