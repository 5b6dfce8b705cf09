"""Replayed thinking in the stand-in API server: which changes of a conversation spoil it, and which do not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.fakes.api_requests import (
    EPHEMERAL,
    HAIKU,
    LOOP,
    READ,
    Body,
    assistant,
    deferred,
    post,
    request,
    result,
    run_loop,
    talk,
    user,
    words,
)
from tests.fakes.api_script import Reply, say, text, thinking, tool_use


async def grown(client: AsyncAnthropic, **more: Any) -> Body:
    """A request that replays a finished tool loop and asks something more."""
    return request(*await run_loop(client, **more), user("and now?"), **more)


def edit_system(body: Body) -> None:
    body["system"] = "It is tomorrow."


def edit_tools(body: Body) -> None:
    body["tools"].append({**READ, "name": "Late"})


def edit_first_message(body: Body) -> None:
    body["messages"][0]["content"] = "goodbye"


def shorten_a_result(body: Body) -> None:
    body["messages"][2]["content"][0]["content"] = "(cleared)"


def drop_middle_thinking(body: Body) -> None:
    del body["messages"][3]["content"][0]


def change_a_sibling(body: Body) -> None:
    body["messages"][1]["content"][1]["text"] = "Writing."
    del body["messages"][1]["content"][0]


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (edit_system, "messages.1.content.0"),
        (edit_tools, "messages.1.content.0"),
        (edit_first_message, "messages.1.content.0"),
        (shorten_a_result, "messages.3.content.0"),
        (drop_middle_thinking, "messages.5.content.0"),
        (change_a_sibling, "messages.3.content.0"),
    ],
)
async def test_thinking_is_bound_to_what_came_before(edit: Callable[[Body], None], path: str) -> None:
    async with talk([*LOOP, say("hi")]) as (_, client):
        body = await grown(client)
        edit(body)
        with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation") as caught:
            await post(client, body)
        with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
            counted = {key: value for key, value in body.items() if key != "max_tokens"}
            await post(client, counted, "/v1/messages/count_tokens")
    assert str(caught.value.api_message).startswith(path)


async def test_changed_or_trailing_thinking_is_refused() -> None:
    async with talk(LOOP) as (_, client):
        body = await grown(client)
        changed = deepcopy(body)
        changed["messages"][-2]["content"][0]["thinking"] = "Something else."
        with pytest.raises(anthropic.BadRequestError, match="latest assistant message cannot be modified"):
            await post(client, changed)
        del body["messages"][-2]["content"][1]
        with pytest.raises(anthropic.BadRequestError, match="final block in an assistant message cannot be"):
            await post(client, body)


def strip_all_thinking(body: Body) -> None:
    for message in body["messages"]:
        if message["role"] == "assistant":
            message["content"] = [block for block in message["content"] if "thinking" not in block["type"]]


def drop_first_thinking(body: Body) -> None:
    del body["messages"][1]["content"][0]


def split_messages(body: Body) -> None:
    split = [{**message, "content": [block]} for message in body["messages"][1:-1] for block in message["content"]]
    body["messages"] = [user([words(cache_control=EPHEMERAL)]), *split, body["messages"][-1]]


def add_unused_deferred_tool(body: Body) -> None:
    body["tools"].append(deferred())


def change_parameters(body: Body) -> None:
    body.update(max_tokens=7, output_config={"effort": "low"}, metadata={"user_id": "me"})


def switch_model(body: Body) -> None:
    body["model"] = HAIKU
    body["system"] = "other"


def drop_blocks(body: Body) -> None:
    edit_system(body)
    body["thinking"] = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}


@pytest.mark.parametrize(
    "edit",
    [
        strip_all_thinking,
        drop_first_thinking,
        split_messages,
        add_unused_deferred_tool,
        change_parameters,
        switch_model,
        drop_blocks,
    ],
)
async def test_allowed_changes_keep_thinking_valid(edit: Callable[[Body], None]) -> None:
    headers = {"anthropic-beta": "thinking-binding-controls-2026-08-01"}
    async with talk([*LOOP, say("hi")]) as (server, client):
        body = await grown(client)
        edit(body)
        await post(client.with_options(default_headers=headers), body)
    assert server.rejections == []


async def test_a_deferred_tool_counts_from_its_reference_on() -> None:
    replies = [Reply([thinking("Search."), tool_use("Read", id="toolu_1")]), Reply([thinking("Found."), text("ok")])]
    async with talk([*replies, say("end")]) as (_, client):
        tools_sent: list[Body] = [READ, deferred(description="rare")]
        first = await post(client, request(user(), tools=tools_sent))
        found = user([result(content=[{"type": "tool_reference", "tool_name": "Rare"}])])
        talked = [user(), assistant(first["content"]), found]
        second = await post(client, request(*talked, tools=tools_sent))
        body = request(*talked, assistant(second["content"]), user("go on"), tools=[READ, deferred(description="new")])
        with pytest.raises(anthropic.BadRequestError, match=r"messages\.3\.content\.0: .* bound to a different"):
            await post(client, body)
