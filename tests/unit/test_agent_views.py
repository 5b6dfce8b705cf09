"""How an agent is called, whatever the model says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.protocol.agent_views import LABEL_CHARS, AgentInfo


@given(st.text(max_size=300))
def test_a_label_is_one_short_line(description: str) -> None:
    label = AgentInfo(id="a000001", agent_type="Explore", description=description).label
    assert label.startswith("Explore")
    assert len(label.splitlines()) == 1
    assert len(label) <= len("Explore · ") + LABEL_CHARS


@pytest.mark.parametrize(
    ("description", "label"),
    [("", "Explore"), (" \n", "Explore"), ("Find the callers", "Explore · Find the callers")],
)
def test_what_is_short_stands_as_it_is(description: str, label: str) -> None:
    assert AgentInfo(id="a000001", agent_type="Explore", description=description).label == label
