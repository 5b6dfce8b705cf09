"""What a request costs."""

from __future__ import annotations

from core.protocol.usage import PriceList, Usage

PER_MILLION = 1_000_000
WEB_SEARCH_USD = 0.01
"""Of one search, whatever the model (the API's price list: $10 per 1,000)."""


def price(usage: Usage, prices: PriceList | None) -> float | None:
    """USD of one request; None where the prices are unknown."""
    if prices is None:
        return None
    is_long = prices.long is not None and usage.prompt_tokens > prices.long_above
    rates = prices.long if is_long and prices.long else prices.base
    tokens = (
        usage.input_tokens * rates.input
        + usage.output_tokens * rates.output
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.cache_write_1h_tokens * rates.cache_write_1h
        + usage.cache_read_tokens * rates.cache_read
    )
    return tokens / PER_MILLION + usage.web_searches * WEB_SEARCH_USD
