"""How much of what a conversation sent came from the cache, and how much could have at best."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from core.protocol.usage import Usage
from tests.fakes.api_cache import common_length
from tests.fakes.api_canon import Json, count_tokens, items_of


def read_share(usages: Iterable[Usage]) -> float:
    """Percent of the input that was read from the cache, after the first request."""
    later = list(usages)[1:]
    return 100 * sum(usage.cache_read_tokens for usage in later) / sum(usage.prompt_tokens for usage in later)


def ideal_share(bodies: Sequence[Json]) -> float:
    """Percent of the input that each request has in common with the one before it: all but the new tokens."""
    sent = [items_of(body) for body in bodies]
    known = sum(count_tokens(now[: common_length(before, now)]) for before, now in itertools.pairwise(sent))
    return 100 * known / sum(count_tokens(items) for items in sent[1:])
