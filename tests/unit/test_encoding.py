"""The JSON of a request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.llm.encoding import RequestEncoder, WireMessage

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)
messages: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"role": words, "content": values})


@given(st.dictionaries(words.filter(lambda name: name != "messages"), values, min_size=1), st.lists(messages))
def test_it_says_what_was_put_in(parameters: dict[str, Any], talk: list[dict[str, Any]]) -> None:
    wire = [WireMessage(**message) for message in talk]
    encoder = RequestEncoder()
    for head in (parameters, parameters, {"model": "other"}, parameters):
        assert json.loads(encoder.encode({**head, "messages": wire})) == {**head, "messages": talk}


def test_a_message_is_encoded_once_and_a_copy_of_it_anew() -> None:
    message = WireMessage(role="user", content=[{"type": "text", "text": "hi"}])
    encode = RequestEncoder().encode
    first = encode({"model": "m", "messages": [message]})
    kept = message.encoded
    assert kept in first
    marked: dict[str, Any] = {**message, "content": []}
    assert b'"content":[]' in encode({"model": "m", "messages": [message, marked]})
    assert message.encoded is kept


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
def test_what_cannot_be_sent_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        RequestEncoder().encode({"model": "m", "messages": [WireMessage(role="user", content=value)]})
