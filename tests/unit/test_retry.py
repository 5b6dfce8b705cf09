"""How long a failed request waits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.llm.errors import ModelError
from core.llm.retry import MAX_ATTEMPTS, MAX_DELAY_S, MAX_RETRY_AFTER_S, retry_delay

chances = st.floats(0, 1, exclude_max=True)
asked = st.one_of(st.none(), st.floats(min_value=0))


@given(asked, st.integers(1, 20), chances)
def test_a_wait_is_never_nothing_and_never_endless(after: float | None, failed: int, chance: float) -> None:
    delay = retry_delay(ModelError("overloaded", "x", retry_after_s=after), failed, chance)
    if failed >= MAX_ATTEMPTS or (after or 0) > MAX_RETRY_AFTER_S:
        assert delay is None
    elif not after:
        assert delay is not None and 0.3 < delay <= MAX_DELAY_S
    else:
        assert delay == after


@given(st.integers(1, MAX_ATTEMPTS - 2), chances, chances)
def test_each_wait_is_longer_whatever_chance_says(failed: int, one: float, other: float) -> None:
    error = ModelError("server", "x")
    first, second = retry_delay(error, failed, one), retry_delay(error, failed + 1, other)
    assert first is not None and second is not None and first < second


def test_what_does_not_pass_does_not_wait() -> None:
    assert retry_delay(ModelError("auth", "x", retry_after_s=1), 1, 0.0) is None
