"""Events, ops and messages to JSON and back, driven by their annotations.

Unknown event kinds become ``UnknownEvent``; unknown fields are ignored, missing ones take their
defaults, so that logs of older and newer versions stay readable. A missing required field or a value
of the wrong shape raises ``ValueError``.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, Union, cast, get_args, get_origin

from core.protocol.envelope import Envelope
from core.protocol.events import Event, UnknownEvent
from core.protocol.ops import Op

EVENT_LOG_VERSION = 1
"""Version in the header line of an event log."""

Decoder = Callable[[Any], Any]


def to_json(value: Any) -> Any:
    """Dataclasses, tuples and dicts as JSON values (shapes: objects, arrays, scalars)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def from_json(cls: Any, data: Any) -> Any:
    """The value of type ``cls`` that ``data`` describes. Raises ``ValueError`` where it does not fit."""
    try:
        return _decoder(cls)(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {getattr(cls, '__name__', cls)}: {error}") from error


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object; an unknown one comes out as it was read."""
    if isinstance(event, UnknownEvent):
        return {**event.data, "kind": event.original_kind}
    return to_json(event)


def event_from_json(data: Mapping[str, Any]) -> Event:
    """The event; ``UnknownEvent`` for a kind that this version does not know."""
    cls = _kinds(Event).get(data.get("kind", ""))
    if cls is None:
        rest = {key: value for key, value in data.items() if key != "kind"}
        return UnknownEvent(original_kind=str(data.get("kind", "")), data=rest)
    return from_json(cls, data)


def op_from_json(data: Mapping[str, Any]) -> Op:
    """The op. Raises ``ValueError`` for a kind that is not known: an op is never guessed."""
    cls = _kinds(Op).get(data.get("kind", ""))
    if cls is None:
        raise ValueError(f"unknown op {data.get('kind')!r}")
    op = from_json(cls, data)
    for name, hint in typing.get_type_hints(cls).items():
        if get_origin(hint) is Literal and getattr(op, name) not in get_args(hint):
            raise ValueError(f"{name} of {cls.__name__} cannot be {getattr(op, name)!r}")
    return op


def envelope_to_json(envelope: Envelope) -> dict[str, Any]:
    """One line of an event log."""
    line = {
        field.name: getattr(envelope, field.name) for field in dataclasses.fields(envelope) if field.name != "event"
    }
    line["event"] = event_to_json(envelope.event)
    return line


def envelope_from_json(data: Mapping[str, Any]) -> Envelope:
    """The envelope of one line. Raises ``ValueError`` where the line is not one."""
    try:
        event = event_from_json(data["event"])
        known = {f.name for f in dataclasses.fields(Envelope)} - {"event"}
        return Envelope(event=event, **{key: data[key] for key in known & data.keys()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an envelope: {error}") from error


@lru_cache(maxsize=8)
def _kinds(union: Any) -> dict[str, Any]:
    """Class by the value of its ``kind``."""
    return {cls.__dataclass_fields__["kind"].default: cls for cls in get_args(union) if cls is not UnknownEvent}


@lru_cache(maxsize=512)
def _decoder(cls: Any) -> Decoder:
    origin = get_origin(cls)
    if cls is Any or origin is Literal:
        return _same
    if origin is dict:
        return _scalar(dict)
    if cls in (str, int, float, bool, type(None)):
        return _scalar(cls)
    if origin is tuple:
        return _array(_decoder(get_args(cls)[0]))
    if origin in (Union, types.UnionType):
        return _union(get_args(cls))
    return _dataclass(cls)


def _same(data: Any) -> Any:
    return data


def _scalar(cls: type) -> Decoder:
    accepted = (int, float) if cls is float else cls

    def decode(data: Any) -> Any:
        if not isinstance(data, accepted):
            raise ValueError(f"{data!r} is not of type {cls.__name__}")
        return data

    return decode


def _array(item: Decoder) -> Decoder:
    def decode(data: Any) -> Any:
        if not isinstance(data, list | tuple):
            raise ValueError(f"{data!r} is not a list")
        return tuple(item(value) for value in cast("list[Any]", data))

    return decode


def _union(members: tuple[Any, ...]) -> Decoder:
    by_kind = {
        member.__dataclass_fields__["kind"].default: _decoder(member)
        for member in members
        if dataclasses.is_dataclass(member) and "kind" in getattr(member, "__dataclass_fields__", {})
    }
    others = [_decoder(member) for member in members if not dataclasses.is_dataclass(member)]
    plain = [_decoder(m) for m in members if dataclasses.is_dataclass(m) and "kind" not in m.__dataclass_fields__]

    def decode(data: Any) -> Any:
        if isinstance(data, dict):
            found = by_kind.get(str(cast("dict[str, Any]", data).get("kind", "")))
            if found is not None:
                return found(data)
        for candidate in [*others, *plain]:
            try:
                return candidate(data)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        raise ValueError(f"{data!r} fits none of the alternatives")

    return decode


def _dataclass(cls: Any) -> Decoder:
    hints = typing.get_type_hints(cls)
    decoders = {f.name: _decoder(hints[f.name]) for f in dataclasses.fields(cls)}

    def decode(data: Any) -> Any:
        return cls(**{name: decoders[name](value) for name, value in data.items() if name in decoders})

    return decode
