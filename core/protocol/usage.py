"""Token counts of a request, as the API reports them, and what tokens cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a request or a sum of requests. ``input_tokens`` counts only what no cache held."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    thinking_tokens: int = 0
    """Part of ``output_tokens``."""
    web_searches: int = 0
    """Searches that the server made for it; they are billed each."""

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent: fresh, written to and read from the cache."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def cached_tokens(self) -> int:
        """What the cache holds of the prompt afterwards: what was read from it, and what was written."""
        return self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def fresh_tokens(self) -> int:
        """What no cache gave: sent anew, written to the cache, and put out."""
        return self.prompt_tokens - self.cache_read_tokens + self.output_tokens

    @property
    def context_tokens(self) -> int:
        """What fills the window after the response: the prompt and the output."""
        return self.prompt_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_5m_tokens=self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            cache_write_1h_tokens=self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            thinking_tokens=self.thinking_tokens + other.thinking_tokens,
            web_searches=self.web_searches + other.web_searches,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD per million tokens."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices of a model; those of a whole request whose prompt is above ``long_above`` tokens may be others."""

    base: Prices
    long: Prices | None = None
    long_above: int = 0
