"""Events, ops and messages survive JSON; what is not known or does not fit is told apart."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol import ops
from core.protocol.codec import (
    envelope_from_json,
    envelope_to_json,
    event_from_json,
    event_to_json,
    from_json,
    op_from_json,
    to_json,
)
from core.protocol.delivery import COALESCED, DELIVERY, fold_key
from core.protocol.envelope import Envelope
from core.protocol.events import Event, Notice, ToolStarted, UnknownEvent
from core.protocol.messages import Message, block_from_wire, block_to_wire
from core.protocol.ops import Op

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
)
json_objects = st.dictionaries(st.text(max_size=4), json_values, max_size=3)


def instances(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotated type, so that a new field or class is covered without being named here."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return json_values
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, types.UnionType):
        return st.one_of(*(instances(arg) for arg in args))
    if origin is tuple:
        return st.lists(instances(args[0]), max_size=2).map(tuple)
    if origin is dict:
        return json_objects
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{field.name: instances(hints[field.name]) for field in dataclasses.fields(hint)})
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(max_size=5),
        int: st.integers(),
        float: st.floats(allow_nan=False),
        bool: st.booleans(),
        type(None): st.none(),
    }
    return plain[hint]


KNOWN = [cls for cls in get_args(Event) if cls is not UnknownEvent]
OPS = list(get_args(Op))


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("cls", KNOWN, ids=lambda cls: cls.__name__)
@settings(max_examples=15)
@given(st.data())
def test_every_event_round_trips(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(instances(cls))
    assert event_from_json(through_json(event_to_json(event))) == event


@pytest.mark.parametrize("cls", OPS, ids=lambda cls: cls.__name__)
@settings(max_examples=15)
@given(st.data())
def test_every_op_round_trips(cls: type[Op], data: st.DataObject) -> None:
    op = data.draw(instances(cls))
    assert op_from_json(through_json(to_json(op))) == op


@given(instances(Message))
def test_messages_round_trip(message: Message) -> None:
    assert from_json(Message, through_json(to_json(message))) == message


@given(instances(Envelope))
def test_envelopes_round_trip(envelope: Envelope) -> None:
    if isinstance(envelope.event, UnknownEvent):
        return
    assert envelope_from_json(through_json(envelope_to_json(envelope))) == envelope


@given(json_objects, st.sampled_from(["from_the_future", "", "unknown"]))
def test_an_unknown_kind_survives_unchanged(data: dict[str, Any], kind: str) -> None:
    line = {**data, "kind": kind}
    event = event_from_json(line)
    assert isinstance(event, UnknownEvent)
    assert event_to_json(event) == line
    assert event_from_json(through_json(event_to_json(event))) == event


def test_a_field_of_a_newer_version_is_passed_over_and_a_missing_one_takes_its_default() -> None:
    line = {"kind": "notice", "level": "info", "text": "x", "colour": "red"}
    assert event_from_json(line) == Notice(level="info", text="x")


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "notice", "level": "info"},
        {"kind": "notice", "level": "info", "text": 5},
        {"kind": "tool_started", "tool_use_id": "t", "name": "Read", "input": "no object"},
        {
            "kind": "session_started",
            "tools": "abc",
            "cwd": "",
            "model": "",
            "mode": "default",
            "version": "",
            "context_window": 1,
        },
        {"kind": "queue_changed", "items": [{"id": "1"}]},
        {"kind": "queue_changed", "items": ["1"]},
        {"kind": "block_finished", "block_id": "b", "block": {"kind": "text"}},
        {"kind": "usage_updated", "context_tokens": None, "context_window": 1, "last": {}, "total": {}, "cost_usd": 1},
    ],
)
def test_what_has_the_wrong_shape_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        event_from_json(line)


@pytest.mark.parametrize("line", [{}, {"kind": "from_the_future"}, {"kind": "notice", "level": "info", "text": "x"}])
def test_an_op_is_never_guessed(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        op_from_json(line)


@pytest.mark.parametrize("line", [5, None, [], "x", {}, {"event": 5}, {"event": {"kind": []}}, {"event": {}}])
def test_what_is_no_envelope_is_refused(line: Any) -> None:
    with pytest.raises(ValueError):
        envelope_from_json(line)


def test_an_answer_that_does_not_exist_is_no_answer() -> None:
    with pytest.raises(ValueError):
        op_from_json({"kind": "answer_permission", "request_id": "r", "answer": "maybe"})
    assert op_from_json({"kind": "interrupt"}) == ops.Interrupt()


def test_the_delivery_table_names_every_event() -> None:
    assert set(DELIVERY) == set(get_args(Event))
    assert {cls for cls, delivery in DELIVERY.items() if delivery == "coalesce"} == set(COALESCED)


@pytest.mark.parametrize("cls", list(get_args(Event)), ids=lambda cls: cls.__name__)
@settings(max_examples=15)
@given(st.data())
def test_what_may_be_folded_says_what_it_is_about_and_nothing_else_does(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(instances(cls))
    assert (fold_key(event) is not None) == (cls in COALESCED)


def test_kinds_are_unique() -> None:
    for union in (Event, Op):
        kinds = [cls.__dataclass_fields__["kind"].default for cls in get_args(union)]
        assert len(kinds) == len(set(kinds))
        for cls in get_args(union):
            assert cls.__dataclass_params__.frozen and "__slots__" in vars(cls)


@st.composite
def wire_blocks(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["text", "thinking", "tool_use", "brand_new"]))
    words = draw(st.text())
    own: dict[str, dict[str, Any]] = {
        "text": {"text": words},
        "thinking": {"thinking": words, "signature": "s"},
        "tool_use": {"id": "t", "name": "Read", "input": draw(json_objects)},
        "brand_new": {},
    }
    return {**draw(json_objects), **own[kind], "type": kind}


@given(wire_blocks())
def test_blocks_of_the_api_go_back_as_they_came(data: dict[str, Any]) -> None:
    sent = {key: value for key, value in data.items() if value is not None}
    assert block_to_wire(block_from_wire(data)) == sent


def test_a_tool_started_keeps_its_input() -> None:
    event = ToolStarted(tool_use_id="t", name="Read", input={"a": [1, {"b": None}]})
    assert event_from_json(through_json(event_to_json(event))) == event
