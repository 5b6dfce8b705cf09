"""Outgoing requests under the strict server's rules, without a server: verdict, flat form, pairing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from core.llm.client import ModelRequest
from core.protocol.messages import Message
from core.query.normalize import Accepted, normalize
from tests.fakes.api_call import API_VERSION, DEFAULT_SECRET, Rejection, RuleState
from tests.fakes.api_canon import Json, items_of
from tests.fakes.api_models import MODELS
from tests.fakes.api_rules import validate
from tests.fakes.api_signing import Prefix, Signer

HEADERS = {"authorization": "Bearer key", "anthropic-version": API_VERSION}
NEW, OLD, SMALL = "claude-opus-5-5", "claude-sonnet-5", "claude-haiku-5-5"
"""A model that takes system messages inside the conversation, one that does not, and one that searches no tools."""
READ: Json = {"name": "Read", "input_schema": {"type": "object"}}
RARE: Json = {"name": "Rare", "input_schema": {"type": "object"}}
"""Deferred where the model can search."""
BRAND_NEW = "brand_new"
"""A block type that no reference lists."""


def sign(words: str, model: str = NEW) -> str:
    """A genuine signature for thinking that is not bound to its place."""
    return Signer(DEFAULT_SECRET).sign(MODELS[model].family, Prefix(), words)


def thought(words: str = "Hm.") -> Json:
    """A thinking block that the rules take for genuine."""
    return {"type": "thinking", "thinking": words, "signature": sign(words)}


def body_of(request: ModelRequest) -> Json:
    """The JSON that the client would send."""
    optional = {
        "system": request.system,
        "tools": request.tools,
        "thinking": request.thinking,
        "output_config": request.output_config,
    }
    return {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": request.messages,
        "stream": True,
        **{name: value for name, value in optional.items() if value},
    }


def verdict(body: Json) -> Rejection | None:
    """What the API says to a body whose thinking need not stand where it was written."""
    json.dumps(body, ensure_ascii=False).encode()  # as the SDK does it: a lone surrogate would raise
    state = RuleState(check_binding=False, issued_kinds={BRAND_NEW})
    return validate(body, HEADERS, state)


def judge(messages: Iterable[Message], model: str = NEW) -> Rejection | None:
    """What the API says to a conversation, normalised."""
    spec = MODELS[model]
    references = {RARE["name"]} if spec.searches_tools else set[str]()
    wire = normalize(messages, Accepted(spec.system_messages, frozenset(references)))
    tools = [READ, {**RARE, "defer_loading": True} if spec.searches_tools else RARE]
    return verdict({"model": model, "max_tokens": 100, "messages": wire, "tools": tools, "stream": True})


def flat(messages: Sequence[Json]) -> list[str]:
    """The canonical form of normalised messages, in which a conversation only ever grows."""
    return [item.text for item in items_of({"messages": list(messages)})]


def assert_all_valid(requests: Iterable[ModelRequest]) -> None:
    """Each request is accepted."""
    for number, request in enumerate(requests):
        assert (number, verdict(body_of(request))) == (number, None)


def assert_growing(requests: Sequence[ModelRequest]) -> None:
    """Each request begins with the one before it."""
    for earlier, later in itertools.pairwise(requests):
        assert (later.system, later.tools) == (earlier.system, earlier.tools)
        before, now = flat(earlier.messages), flat(later.messages)
        assert now[: len(before)] == before


def results_in(request: ModelRequest) -> dict[str, Json]:
    """The tool results of a request by call."""
    found: dict[str, Any] = {}
    for message in request.messages:
        for block in message["content"]:
            if block["type"] == "tool_result":
                assert block["tool_use_id"] not in found
                found[block["tool_use_id"]] = block
    return found


def texts_in(request: ModelRequest, role: str = "user") -> list[str]:
    """All texts of one role, in order."""
    return [
        block["text"]
        for message in request.messages
        if message["role"] == role
        for block in message["content"]
        if block["type"] == "text"
    ]
