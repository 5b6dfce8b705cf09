"""The JSON of a request. A message that was sent before is not encoded again, and is the same bytes."""

from __future__ import annotations

import json
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""As the SDK encodes."""


class WireMessage(dict[str, Any]):
    """A message in the API's form that is sent many times and never changed: it keeps its JSON."""

    __slots__ = ("encoded",)

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.encoded = b""


VARYING = frozenset({"messages", "diagnostics"})
"""Parameters that are others in each request."""


class RequestEncoder:
    """Keeps the JSON of what stands before the messages: tools and system prompt are the same from one to the next."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._encoded = b"{"

    def encode(self, parameters: dict[str, Any]) -> bytes:
        """The body, messages last. Raises ``ValueError`` for what JSON or UTF-8 cannot hold."""
        head = {name: value for name, value in parameters.items() if name not in VARYING}
        if head != self._head:
            self._encoded = _encode(head)[:-1]
            self._head = head
        messages = b",".join([_encode_message(message) for message in parameters["messages"]])
        asked = parameters.get("diagnostics")
        extra = b',"diagnostics":%s' % _encode(asked) if asked else b""
        return b'%s%s,"messages":[%s]}' % (self._encoded, extra, messages)


def _encode_message(message: dict[str, Any]) -> bytes:
    if not isinstance(message, WireMessage):
        return _encode(message)
    if not message.encoded:
        message.encoded = _encode(message)
    return message.encoded


def _encode(value: dict[str, Any]) -> bytes:
    return _ENCODER.encode(value).encode()
