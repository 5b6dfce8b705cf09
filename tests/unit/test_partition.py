"""Batches: consecutive safe calls share one, an unsafe call is alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.orchestration.partition import next_batch, partition

SAFETY = st.lists(st.booleans(), max_size=30)


def test_the_example_of_the_rule() -> None:
    assert partition([True, True, True, False, True]) == [0, 0, 0, 1, 2]


def test_nothing_gives_nothing() -> None:
    assert partition([]) == []


@given(SAFETY)
def test_batches_are_runs_of_safe_calls_or_one_unsafe_call(safety: list[bool]) -> None:
    batches = partition(safety)
    assert len(batches) == len(safety)
    for number in set(batches):
        members = [safe for safe, batch in zip(safety, batches, strict=True) if batch == number]
        assert all(members) or members == [False]
    for index in range(1, len(safety)):
        joined = batches[index] == batches[index - 1]
        assert joined == (safety[index] and safety[index - 1]), "as large as they may be, never larger"


@given(SAFETY)
def test_batches_count_up_from_zero_without_gaps(safety: list[bool]) -> None:
    batches = partition(safety)
    assert sorted(set(batches)) == list(range(len(set(batches))))
    assert batches == sorted(batches)


@given(SAFETY, st.booleans())
def test_a_later_call_never_changes_an_earlier_batch(safety: list[bool], last: bool) -> None:
    assert partition([*safety, last])[:-1] == partition(safety)


def test_the_first_call_opens_the_first_batch() -> None:
    assert next_batch(-1, False, True) == 0
    assert next_batch(-1, True, False) == 0
