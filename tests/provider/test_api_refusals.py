"""What the stand-in API server refuses and what it lets through, asked by the real SDK."""

from __future__ import annotations

import anthropic
import pytest

from tests.fakes.api_requests import (
    EPHEMERAL,
    HAIKU,
    HOUR,
    OLD,
    OPUS,
    READ,
    Body,
    assistant,
    call,
    deferred,
    post,
    request,
    result,
    system,
    talk,
    user,
    words,
)
from tests.fakes.api_script import say

TOO_MANY = [words(f"part {number}", cache_control=EPHEMERAL) for number in range(5)]
ASKED = (user(), assistant([call()]))
BAD: dict[str, tuple[Body, str]] = {
    "unknown field": (request(user(), foo=1), "foo: Extra inputs are not permitted"),
    "unknown message field": (request({**user(), "id": "x"}), "messages.0.id: Extra inputs"),
    "unknown block field": (request(user([words(id=1)])), r"messages.0.content.0.text.id: Extra inputs"),
    "unknown tool field": (request(user(), tools=[{**READ, "x": 1}]), r"tools.0.custom.x: Extra inputs"),
    "unknown cache field": (
        request(user([words(cache_control={**EPHEMERAL, "scope": "x"})])),
        "cache_control.ephemeral.scope: Extra inputs",
    ),
    "unknown thinking field": (request(user(), thinking={"type": "adaptive", "x": 1}), "thinking.adaptive.x: Extra"),
    "unknown output field": (request(user(), output_config={"x": 1}), "output_config.x: Extra inputs"),
    "missing field": ({"model": OPUS, "messages": [user()]}, "max_tokens: Field required"),
    "sampling": (request(user(), temperature=1.0), "temperature"),
    "no messages": (request(), "at least one message"),
    "unknown role": (request({"role": "tool", "content": "x"}), "messages.0.role"),
    "first is assistant": (request(assistant(), user()), 'first message must use the "user" role'),
    "first is system": (request(system(), user()), 'first message must use the "user" role'),
    "system on an old model": (request(user(), system(), model="claude-sonnet-5"), "not supported by"),
    "system before user": (request(user(), system(), user()), "must be the last message"),
    "system after assistant": (request(user(), assistant(), system()), 'must come after a "user"'),
    "system inside a pair": (request(*ASKED, system(), user([result()])), 'must come after a "user"'),
    "system with a picture": (request(user(), system([{"type": "image", "source": {}}])), "messages.1.content.0"),
    "prefill": (request(user(), assistant()), "does not support assistant message prefill"),
    "empty text": (request(user([words("")])), "text content blocks must be non-empty"),
    "blank text": (request(user(" \n")), "must contain non-whitespace text"),
    "empty content": (request(user(), assistant([]), user()), "must have non-empty content"),
    "marked empty text": (request(user([words("", cache_control=EPHEMERAL)])), "cannot be set for empty text"),
    "call without result": (request(*ASKED, user()), "without `tool_result` blocks immediately after: toolu_1"),
    "result without call": (request(user([result()])), "unexpected `tool_use_id`"),
    "late result": (request(*ASKED, user([words(), result()])), "must come before any other content"),
    "late result, combined": (request(*ASKED, user(), user([result()])), "must come before any other content"),
    "two results": (request(*ASKED, user([result(), result()])), "must have a single result"),
    "repeated call id": (request(*ASKED, user([result()]), *ASKED[1:], user([result()])), "ids must be unique"),
    "odd result content": (request(*ASKED, user([result(content=[call()])])), "tool_result.content.0"),
    "is_error is a word": (request(*ASKED, user([result(is_error="yes")])), "is_error: Input should be a valid bool"),
    "call by the user": (request(user([call()])), "can only be in `assistant` messages"),
    "document by the model": (
        request(user(), assistant([{"type": "document", "source": {"type": "url", "url": "x"}}]), user()),
        "can only be in `user` messages",
    ),
    "tool name": (request(user(), tools=[{**READ, "name": "a b"}]), "name: String should match pattern"),
    "same tool twice": (request(user(), tools=[READ, READ]), "Tool names must be unique"),
    "schema of a list": (request(user(), tools=[{**READ, "input_schema": {"type": "array"}}]), "should be 'object'"),
    "all deferred": (request(user(), tools=[deferred()]), "At least one tool"),
    "marked deferred": (request(user(), tools=[READ, deferred(cache_control=EPHEMERAL)]), "defer_loading"),
    "deferred for a model that cannot search": (
        request(user(), model=HAIKU, tools=[READ, deferred()]),
        "defer_loading is not supported",
    ),
    "a reference for a model that cannot search": (
        request(*ASKED, user([result(content=[{"type": "tool_reference", "tool_name": "Read"}])]), model=HAIKU),
        "tool_reference blocks are not supported",
    ),
    "a reference among words": (
        request(
            *ASKED,
            user([result(content=[words(), {"type": "tool_reference", "tool_name": "Rare"}])]),
            tools=[READ, deferred()],
        ),
        "cannot be mixed",
    ),
    "a reference outside a result": (
        request(user([{"type": "tool_reference", "tool_name": "Read"}])),
        "'tool_reference' found using 'type' does not match",
    ),
    "unknown reference": (
        request(*ASKED, user([result(content=[{"type": "tool_reference", "tool_name": "Nope"}])])),
        "Tool reference 'Nope' not found",
    ),
    "forced tool": (request(user(), tool_choice={"type": "any"}), "not supported by claude-opus-5-5"),
    "unknown forced tool": (
        request(user(), model=HAIKU, tool_choice={"type": "tool", "name": "Nope"}),
        "'Nope' not found in provided tools",
    ),
    "five breakpoints": (request(user(TOO_MANY)), "A maximum of 4 blocks .* Found 5"),
    "automatic is the fifth": (request(user(TOO_MANY[:4]), cache_control=EPHEMERAL), "Found 5"),
    "automatic disagrees": (request(user([words(cache_control=HOUR)]), cache_control=EPHEMERAL), "ttl differs"),
    "long after short": (
        request(user([words(cache_control=HOUR)]), system=[words(cache_control=EPHEMERAL)]),
        "messages.0.content.0.cache_control.ttl: a ttl='1h'",
    ),
    "odd lifetime": (request(user([words(cache_control={**EPHEMERAL, "ttl": "2h"})])), "ttl: Input should be"),
    "marked thinking": (
        request(user(), assistant([{"type": "thinking", "thinking": "", "signature": "", "cache_control": EPHEMERAL}])),
        "thinking.cache_control: Extra inputs",
    ),
    "thinking off": (request(user(), thinking={"type": "disabled"}), "disabled. is not supported"),
    "budget on a new model": (
        request(user(), thinking={"type": "enabled", "budget_tokens": 1024}),
        "enabled. is not supported",
    ),
    "small budget": (request(user(), model=OLD, thinking={"type": "enabled", "budget_tokens": 5}), "1024"),
    "budget over the limit": (
        request(user(), model=OLD, thinking={"type": "enabled", "budget_tokens": 1024}),
        "must be greater than `thinking.budget_tokens`",
    ),
    "off at high effort": (
        request(user(), model=HAIKU, thinking={"type": "disabled"}, output_config={"effort": "max"}),
        "requires output_config.effort",
    ),
    "between tools, more": (
        request(user(), model="claude-sonnet-5-5", thinking={"type": "between_tools", "display": "omitted"}),
        "thinking.between_tools.display: Extra",
    ),
    "updates without beta": (request(user(), thinking={"type": "adaptive", "display": "updates"}), "display"),
    "no effort levels": (request(user(), model=OLD, output_config={"effort": "low"}), "does not support the effort"),
    "missing effort level": (
        request(user(), model="claude-opus-4-6", output_config={"effort": "xhigh"}),
        "'xhigh' is not supported",
    ),
    "too many tokens": (request(user(), max_tokens=128_001), "128001 > 128000"),
    "negative tokens": (request(user(), max_tokens=-1), "max_tokens"),
    "prewarm, streamed": (request(user([words(cache_control=EPHEMERAL)]), max_tokens=0, stream=True), "`stream`"),
    "prewarm, unmarked": (request(user(), max_tokens=0, cache_control=EPHEMERAL), "explicit `cache_control`"),
    "forged thinking": (
        request(user(), assistant([{"type": "thinking", "thinking": "", "signature": "Zm9v"}, words()]), user()),
        "Invalid `signature` in `thinking` block",
    ),
    "long user id": (request(user(), metadata={"user_id": "x" * 257}), "at most 256 characters"),
    "diagnostics": (request(user(), diagnostics={"previous_message_id": "x"}), "previous_message_id"),
    "fast": (request(user(), model=HAIKU, speed="fast"), "speed"),
    "broken picture": (
        request(user([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "?"}}])),
        "invalid base64 data",
    ),
    "too long": (request(user("x" * 30_000)), "prompt is too long: .* tokens > 5000 maximum"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request_is_refused(name: str) -> None:
    body, message = BAD[name]
    async with talk([say("hi")], window=5000) as (server, client):
        with pytest.raises(anthropic.BadRequestError, match=message) as caught:
            await post(client, body)
    assert caught.value.type == "invalid_request_error"
    assert server.requests[0].rejection is server.rejections[0]
    assert server.remaining == 1, "a refused request uses up no reply"


GOOD: dict[str, Body] = {
    "system messages in a row": request(user(), system(), system("more")),
    "system after results": request(*ASKED, user([result()]), system(), assistant(), user()),
    "results, then text": request(*ASKED, user([result(content=""), words()])),
    "results in two messages": request(
        user(), assistant([call()]), assistant([call("toolu_2")]), user([result()]), user([result("toolu_2")])
    ),
    "prefill of an old model": request(user(), assistant("So"), model=OLD),
    "a paused server tool": request(
        user(), assistant([{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}])
    ),
    "everything at once": request(
        user([words(cache_control=EPHEMERAL)]),
        system=[words(cache_control=HOUR)],
        tools=[READ, deferred()],
        cache_control=EPHEMERAL,
        thinking={"type": "adaptive", "display": "summarized"},
        output_config={"effort": "max"},
        metadata={"user_id": "x" * 256},
        diagnostics={"previous_message_id": None},
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        speed="fast",
    ),
    "a forced tool where allowed": request(user(), model=HAIKU, tool_choice={"type": "tool", "name": "Read"}),
    "a resolved reference": request(
        *ASKED,
        user([result(content=[{"type": "tool_reference", "tool_name": "Rare"}])]),
        tools=[READ, deferred()],
    ),
}


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_request_is_accepted(name: str) -> None:
    async with talk([say("hi")]) as (server, client):
        await post(client, GOOD[name])
    assert server.rejections == []


async def test_refusals_with_another_status() -> None:
    async with talk([], max_body=2000) as (server, client):
        with pytest.raises(anthropic.NotFoundError, match="model: claude-nobody"):
            await post(client, request(user(), model="claude-nobody"))
        with pytest.raises(anthropic.ContentTooLargeError) as large:
            await post(client, request(user("x" * 3000)))
        with pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
            await client.post(
                "/v1/messages",
                body=request(user()),
                cast_to=object,
                options={"headers": {"anthropic-version": anthropic.omit}},
            )
        with pytest.raises(anthropic.NotFoundError, match="Not found"):
            await client.get("/v1/nothing", cast_to=object)
    assert large.value.type == "request_too_large"
    assert [rejection.status for rejection in server.rejections] == [404, 413, 400, 404]
    assert list(server.requests[0].body) == ["model", "max_tokens", "tools", "messages"]
