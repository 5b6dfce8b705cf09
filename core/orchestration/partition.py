"""Which calls of a response run together. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def next_batch(last_batch: int, last_is_safe: bool, is_safe: bool) -> int:
    """Number of the batch that a call joins, given the call before it (``last_batch`` -1 for the first).

    Consecutive concurrency-safe calls share a batch; an unsafe one is a batch of its own.
    """
    if last_batch >= 0 and last_is_safe and is_safe:
        return last_batch
    return last_batch + 1


def partition(safety: Iterable[bool]) -> list[int]:
    """The batch number of each call, in block order."""
    batches: list[int] = []
    last_batch, last_is_safe = -1, False
    for is_safe in safety:
        last_batch, last_is_safe = next_batch(last_batch, last_is_safe, is_safe), is_safe
        batches.append(last_batch)
    return batches
