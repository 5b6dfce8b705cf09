"""The account of a session: its lines add up to its total, and a price that is not known is never made up."""

from __future__ import annotations

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from core.cost.ledger import Ledger
from core.cost.pricing import price
from core.llm.catalog import catalog_date, find_model, load_catalog
from core.protocol.usage import PriceList, Prices, Usage

PRICES = PriceList(base=Prices(input=1, output=5, cache_write_5m=1.25, cache_write_1h=2, cache_read=0.1))
tokens = st.integers(0, 300_000)
usages = st.builds(
    Usage,
    input_tokens=tokens,
    output_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_5m_tokens=tokens,
    cache_write_1h_tokens=tokens,
    web_searches=st.integers(0, 3),
)
requests = st.lists(
    st.tuples(
        usages,
        st.sampled_from(["claude-haiku-5-5", "claude-opus-5-5", "unheard-of"]),
        st.sampled_from(["main", "compaction", "session_memory"]),
        st.sampled_from(["main", "explorer"]),
    ),
    max_size=12,
)


@given(requests)
def test_the_total_is_the_sum_of_the_lines(sent: list[tuple[Usage, str, str, str]]) -> None:
    ledger = Ledger()
    costs = [ledger.add(usage, name, find_model(name).prices, source, agent) for usage, name, source, agent in sent]
    lines, total = ledger.lines(), ledger.total
    assert sum((line.usage for line in lines), Usage()) == total.usage == sum((one[0] for one in sent), Usage())
    assert sum(line.requests for line in lines) == total.requests == len(sent)
    assert {(line.model, line.source, line.agent) for line in lines} == {one[1:] for one in sent}
    assert isclose(total.priced_usd, sum(cost or 0.0 for cost in costs), abs_tol=1e-9)
    assert (total.cost_usd is None) == (None in costs) == any(line.cost_usd is None for line in lines)
    assert total.cost_usd is None or isclose(total.cost_usd, sum(line.cost_usd or 0.0 for line in lines), abs_tol=1e-9)
    for parts in (ledger.by_model, ledger.by_source):
        assert sum((account.usage for account in parts.values()), Usage()) == total.usage
    assert ledger.turn.usage == total.usage
    ranks = [line.cost_usd or 0.0 for line in lines]
    assert ranks == sorted(ranks, reverse=True)


def test_reads_and_writes_of_the_cache_have_prices_of_their_own() -> None:
    million = 1_000_000
    for name, dollars in (
        ("input_tokens", 1), ("output_tokens", 5), ("cache_read_tokens", 0.1),
        ("cache_write_5m_tokens", 1.25), ("cache_write_1h_tokens", 2),
    ):  # fmt: skip
        assert price(Usage(**{name: million}), PRICES) == dollars


def test_a_long_prompt_costs_the_second_price_altogether() -> None:
    prices = find_model("claude-haiku-5-5").prices
    at, above = Usage(input_tokens=100_000), Usage(input_tokens=100_001)
    assert round(price(at, prices) or 0, 7) == 0.01
    assert round(price(above, prices) or 0, 7) == 0.0500005


def test_one_model_without_a_price_leaves_the_others_theirs() -> None:
    ledger = Ledger()
    ledger.add(Usage(input_tokens=100), "known", PRICES)
    assert ledger.add(Usage(input_tokens=100), "unheard-of", None, "session_memory") is None
    assert [(line.model, line.cost_usd) for line in ledger.lines()] == [("known", 0.0001), ("unheard-of", None)]
    assert (ledger.cost_usd, ledger.total.priced_usd) == (None, 0.0001)


def test_the_catalog_says_of_which_day_it_is() -> None:
    assert catalog_date().startswith("2026-") and load_catalog()
