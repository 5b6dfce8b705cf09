"""The stand-in API server, driven by the real SDK: what it streams, how it fails, what it remembers."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.fakes.api_requests import (
    EPHEMERAL,
    HAIKU,
    HOUR,
    LOOP,
    OPUS,
    READ,
    Body,
    assistant,
    post,
    request,
    run_loop,
    system,
    talk,
    user,
    words,
)
from tests.fakes.api_script import (
    Fault,
    Reply,
    http,
    malformed_tool_json,
    raw_block,
    reset_after,
    reset_before,
    say,
    script_from_json,
    silent_end,
    sse_error,
    stall,
    text,
    tool_use,
    tools,
    truncated_tool_json,
)

ROOT = Path(__file__).parents[2]
LONG = "A sentence that makes the system prompt long enough to be worth its place in a cache. " * 40


async def streamed(client: AsyncAnthropic, body: Body) -> list[Any]:
    async with await client.messages.create(**body, stream=True) as stream:
        return [event async for event in stream]


async def test_a_tool_loop_with_thinking_round_trips() -> None:
    async with talk(LOOP) as (server, client):
        messages = await run_loop(client, thinking={"type": "adaptive", "display": "summarized"})
    assert server.rejections == []
    assert server.prefix_violations == []
    assert [entry.finished for entry in server.requests] == [True] * 3
    first = messages[1]["content"]
    assert [block["type"] for block in first] == ["thinking", "text", "tool_use", "tool_use"]
    assert first[0]["thinking"] == "First I read."
    assert first[2]["caller"] == {"type": "direct"}
    assert first[2]["id"] != first[3]["id"]
    assert server.remaining == 0


async def test_events_come_in_the_order_and_form_of_the_api() -> None:
    async with talk(LOOP) as (_, client):
        events = await streamed(client, request(user()))
        raw: Any = client.messages.with_streaming_response
        async with raw.create(**request(user(), stream=True)) as response:
            lines: list[str] = [line async for line in response.iter_lines()]
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert response.headers["request-id"].startswith("req_")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "event: ping" in lines
    start, final = events[0].message, events[-2]
    assert start.id.startswith("msg_")
    assert start.model == OPUS
    assert start.usage.cache_creation.ephemeral_5m_input_tokens == 0
    assert final.delta.stop_reason == "tool_use"
    assert final.usage.output_tokens_details.thinking_tokens > 0
    hidden = [event.delta.type for event in events if event.type == "content_block_delta" and event.index == 0]
    assert hidden == ["signature_delta"], "thinking is omitted by default"
    assert [event.index for event in events if event.type == "content_block_stop"] == [0, 1, 2, 3]


async def test_without_streaming_and_prewarm() -> None:
    async with talk([say("hi")]) as (server, client):
        answer = await client.messages.create(model=OPUS, max_tokens=10, messages=[{"role": "user", "content": "x"}])
        warm = await post(client, request(user([words(cache_control=EPHEMERAL)]), max_tokens=0))
    assert answer.content[0].to_dict() == {"type": "text", "text": "hi"}
    assert answer.stop_reason == "end_turn"
    assert (warm["content"], warm["stop_reason"]) == ([], "max_tokens")
    assert warm["usage"]["cache_creation_input_tokens"] > 0
    assert len(server.requests) == 2


async def test_other_endpoints() -> None:
    async with talk([]) as (server, client):
        counted = await client.messages.count_tokens(model=OPUS, messages=[{"role": "user", "content": LONG}])
        found = await client.models.retrieve(OPUS)
        ids = [model.id async for model in client.models.list(limit=3)]
        with pytest.raises(anthropic.NotFoundError) as missing:
            await client.models.retrieve("claude-nobody")
    assert abs(counted.input_tokens - len(LONG) / 3.6) < 20
    assert found.capabilities is not None
    assert found.capabilities.thinking.types.adaptive.supported
    assert not found.capabilities.thinking.types.disabled.supported
    assert (found.max_input_tokens, found.max_tokens) == (1_000_000, 128_000)
    assert len(ids) == len(set(ids)) > 10
    assert missing.value.type == "not_found_error"
    assert server.requests == []


async def test_only_the_valid_key_is_let_in() -> None:
    async with talk([say("hi")], valid_key="right") as (server, client):
        with pytest.raises(anthropic.AuthenticationError):
            await post(client, request(user()))
        with pytest.raises(anthropic.AuthenticationError):
            await client.models.retrieve(OPUS)
        await post(client.with_options(api_key="right"), request(user()))
        gateway: dict[str, Any] = {"x-api-key": "right", "Authorization": anthropic.omit}
        with pytest.raises(anthropic.InternalServerError, match="none left"):
            await post(client.with_options(default_headers=gateway), request(user()))
    assert [rejection.status for rejection in server.rejections] == [401, 401, 500]


STREAM_FAULTS: list[tuple[Fault, type[BaseException], int]] = [
    (http(529, "overloaded_error", headers={"retry-after": "1"}), anthropic.OverloadedError, 0),
    (http(429, "rate_limit_error"), anthropic.RateLimitError, 0),
    (reset_before(), anthropic.APIConnectionError, 0),
    (reset_after(3), httpx2.TransportError, 2),
    (sse_error(4, "overloaded_error"), anthropic.APIStatusError, 3),
]


@pytest.mark.parametrize(("fault", "error", "seen"), STREAM_FAULTS)
async def test_a_failing_stream(fault: Fault, error: type[BaseException], seen: int) -> None:
    events: list[Any] = []
    async with talk([Reply([text("a few words")], fault=fault), say("again")]) as (server, client):
        with pytest.raises(error) as caught:
            async with await client.messages.create(**request(user()), stream=True) as stream:
                async for event in stream:
                    events.append(event)
        again = await streamed(client, request(user()))
    assert len(events) == seen, "the ping is counted by the fault and swallowed by the SDK"
    assert again[-1].type == "message_stop"
    assert [entry.finished for entry in server.requests] == [False, True]
    assert server.rejections == []
    if isinstance(caught.value, anthropic.APIStatusError) and fault.kind == "http":
        assert caught.value.response.headers.get("retry-after") == fault.headers.get("retry-after")


async def test_a_stream_that_ends_silently() -> None:
    async with talk([Reply([text("a few words")], fault=silent_end(4))]) as (_, client):
        events = await streamed(client, request(user()))
    assert [event.type for event in events] == ["message_start", "content_block_start", "content_block_delta"]


async def test_a_stalled_stream_waits_for_the_client_to_leave() -> None:
    async with talk([Reply([text("a few words")], fault=stall(3)), say("hi")]) as (server, client):
        async with await client.messages.create(**request(user()), stream=True) as stream:
            seen = [await anext(stream), await anext(stream)]
        await post(client, request(user()))
    assert seen[-1].type == "content_block_start"
    assert server.disconnects == 1


@pytest.mark.parametrize(
    ("fault", "reason"), [(malformed_tool_json(), "tool_use"), (truncated_tool_json(), "max_tokens")]
)
async def test_spoilt_tool_input(fault: Fault, reason: str) -> None:
    sound = tool_use("Read", {"file_path": "/sound"})
    async with talk([Reply([sound, tool_use("Read", {"file_path": "/b"})], fault=fault)]) as (_, client):
        events = await streamed(client, request(user()))
    written = ["", ""]
    for event in events:
        if event.type == "content_block_delta":
            written[event.index] += event.delta.partial_json
    assert json.loads(written[0]) == {"file_path": "/sound"}
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(written[1])
    assert events[-2].delta.stop_reason == reason


async def test_a_gate_holds_the_stream_after_its_block() -> None:
    gate = asyncio.Event()
    async with talk([Reply([text("one", gate=gate), text("two")])]) as (server, client):
        async with await client.messages.create(**request(user()), stream=True) as stream:
            async for event in stream:
                if event.type == "content_block_stop" and event.index == 0:
                    assert not server.requests[0].finished
                    gate.set()
        assert server.requests[0].finished


async def test_scripts_by_function_and_their_failures() -> None:
    async def answer(body: Body) -> Reply:
        if len(body["messages"]) > 1:
            raise LookupError("no idea")
        return Reply([raw_block({"type": "novelty", "value": 1})], usage={"input_tokens": 5}, stop_reason="refusal")

    async with talk(answer) as (_, client):
        first = await post(client, request(user()))
        with pytest.raises(anthropic.InternalServerError, match="no idea"):
            await post(client, request(user(), assistant(first["content"]), user()))
    assert first["content"] == [{"type": "novelty", "value": 1}]
    assert (first["usage"]["input_tokens"], first["stop_reason"]) == (5, "refusal")


def cached(*messages: Body, **more: Any) -> Body:
    """A request as an agent sends it: the system prompt and the last message are marked."""
    body = deepcopy(request(*messages, system=[words(LONG, cache_control=EPHEMERAL)], **more))
    body["messages"][-1]["content"] = [words(body["messages"][-1]["content"], cache_control=EPHEMERAL)]
    return body


async def test_the_cache_reads_what_an_earlier_request_wrote() -> None:
    async with talk(lambda _: say("hi")) as (server, client):
        first = (await post(client, cached(user())))["usage"]
        talked = (user(), assistant("hi"), user("and now?"))
        second = (await post(client, cached(*talked)))["usage"]
        other = (await post(client, cached(*talked, model=HAIKU)))["usage"]
        effort = (await post(client, cached(*talked, output_config={"effort": "low"})))["usage"]
        server.cache.advance(301)
        late = (await post(client, cached(*talked)))["usage"]
    whole = first["cache_creation_input_tokens"]
    assert (first["cache_read_input_tokens"], first["input_tokens"]) == (0, 0)
    assert second["cache_read_input_tokens"] == whole
    assert 0 < second["cache_creation_input_tokens"] < 100
    assert other["cache_read_input_tokens"] == 0, "each model has its own"
    assert whole - 20 < effort["cache_read_input_tokens"] < whole, "effort spoils the messages only"
    assert late["cache_read_input_tokens"] == 0, "five minutes are over"


async def test_the_cache_looks_back_twenty_blocks() -> None:
    async def read_after(client: AsyncAnthropic, added: int) -> int:
        old = request(user([words("start", cache_control=EPHEMERAL)]))
        await post(client, old)
        more = [words(f"{added}/{number}") for number in range(added)]
        more[-1]["cache_control"] = HOUR
        answer = await post(client, request(user([words("start"), *more])))
        assert answer["usage"]["cache_creation"]["ephemeral_1h_input_tokens"] > 0
        return int(answer["usage"]["cache_read_input_tokens"])

    async with talk(lambda _: say("hi")) as (_, client):
        assert await read_after(client, 19) > 0
        assert await read_after(client, 20) == 0


async def test_small_prompts_are_not_cached_where_the_minimum_counts() -> None:
    async with talk(lambda _: say("hi"), enforce_minimum=True) as (_, client):
        usage = (await post(client, request(user([words(cache_control=EPHEMERAL)]))))["usage"]
    assert usage["cache_creation_input_tokens"] == 0


async def test_diagnostics_say_what_changed() -> None:
    async with talk(lambda _: say("hi")) as (_, client):
        first = await post(client, cached(user()))

        async def reason(body: Body, previous: str = first["id"]) -> Any:
            answer = await post(client, {**body, "diagnostics": {"previous_message_id": previous}})
            return answer["diagnostics"] and answer["diagnostics"]["cache_miss_reason"]["type"]

        assert await reason(cached(user(), assistant(), user("more"))) is None
        assert await reason(cached(user("other"))) == "messages_changed"
        assert await reason({**cached(user()), "system": "other"}) == "system_changed"
        assert await reason(cached(user(), tools=[])) == "tools_changed"
        assert await reason(cached(user(), model=HAIKU)) == "model_changed"
        assert await reason(cached(user()), "msg_unknown") == "previous_message_not_found"


async def test_a_conversation_that_does_not_only_grow_is_reported() -> None:
    async with talk(lambda _: say("hi")) as (server, client):
        await post(client, request(user(), assistant("a"), user("b")))
        await post(client, request(user([words(cache_control=EPHEMERAL)]), assistant("a"), user("b"), system()))
        assert server.prefix_violations == []
        await post(client, request(user(), assistant("A"), user("b"), system()))
        await post(client, request(user(), assistant("A"), user("b"), system(), tools=[]))
        await post(client, request(user("something else")))
    found = [(violation.earlier, violation.later, violation.path) for violation in server.prefix_violations]
    assert found == [(1, 2, "messages.1.content.0"), (2, 3, "tools.0")]
    assert '"a"' in server.prefix_violations[0].expected


async def test_a_script_from_json() -> None:
    fault = {"kind": "http", "status": 529, "error_type": "overloaded_error"}
    blocks: list[Body] = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "name": "Read", "input": {}, "id": "toolu_9"},
    ]
    async with talk(script_from_json([{"blocks": blocks, "chunk_size": 2}, {"fault": fault}])) as (_, client):
        answer = await post(client, request(user()))
        with pytest.raises(anthropic.OverloadedError):
            await post(client, request(user()))
    assert answer["content"][1]["id"] == "toolu_9"


async def test_the_built_in_tools_script() -> None:
    async with talk(tools) as (server, client):
        offered = [READ, {**READ, "name": "Grep"}]
        messages = await run_loop(client, tools=offered)
        schema = {"type": "object", "properties": {"title": {"type": "string"}}}
        shape = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        titled = await post(client, request(user(), **shape))
    assert [message["role"] for message in messages].count("assistant") == 3
    assert json.loads(titled["content"][-1]["text"]) == {"title": "sample"}
    assert server.rejections == []


async def test_as_a_process(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = ["-m", "tests.fakes.api_server", "--port", "0", "--script", "echo", "--log", str(log)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with AsyncAnthropic(api_key="key", base_url=url, max_retries=0) as client:
        answer = await client.messages.create(model=OPUS, max_tokens=9, messages=[{"role": "user", "content": "Hey"}])
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert answer.content[-1].to_dict() == {"type": "text", "text": "You said: Hey"}
    assert json.loads(log.read_text("utf-8"))["body"]["max_tokens"] == 9
