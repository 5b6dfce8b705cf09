"""Short ways to write requests, and to send them to the stand-in server with the real SDK."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from anthropic import AsyncAnthropic

from tests.fakes.api_script import Reply, Script, redacted_thinking, text, thinking, tool_use
from tests.fakes.api_server import ApiServer

OPUS = "claude-opus-5-5"
HAIKU = "claude-haiku-5-5"
OLD = "claude-haiku-4-5"
READ: dict[str, Any] = {"name": "Read", "description": "Reads", "input_schema": {"type": "object", "properties": {}}}
EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
Body = dict[str, Any]


@contextlib.asynccontextmanager
async def talk(script: Script, **options: Any) -> AsyncGenerator[tuple[ApiServer, AsyncAnthropic]]:
    """A server with this script and a client of it that never retries."""
    async with (
        ApiServer(script, **options) as server,
        AsyncAnthropic(api_key="key", base_url=server.url, max_retries=0) as client,
    ):
        yield server, client


async def post(client: AsyncAnthropic, body: Body, path: str = "/v1/messages") -> Body:
    """Send a body as it is; the typed methods would not let most wrong ones through."""
    return await client.post(path, body=body, cast_to=dict[str, Any])


def request(*messages: Body, **more: Any) -> Body:
    """A whole request with one tool."""
    return {"model": OPUS, "max_tokens": 1000, "tools": [READ], "messages": list(messages), **more}


def user(content: Any = "hello") -> Body:
    """A user message."""
    return {"role": "user", "content": content}


def assistant(content: Any = "hello yourself") -> Body:
    """An assistant message."""
    return {"role": "assistant", "content": content}


def system(content: Any = "mode: plan") -> Body:
    """A system-role message."""
    return {"role": "system", "content": content}


def words(content: str = "hello", **more: Any) -> Body:
    """A text block."""
    return {"type": "text", "text": content, **more}


def call(id: str = "toolu_1", **more: Any) -> Body:
    """A tool call."""
    return {"type": "tool_use", "id": id, "name": "Read", "input": {}, **more}


def result(id: str = "toolu_1", content: Any = "ok", **more: Any) -> Body:
    """A tool result."""
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def deferred(name: str = "Rare", **more: Any) -> Body:
    """The definition of a tool that is loaded on demand."""
    return {"name": name, "input_schema": {"type": "object"}, "defer_loading": True, **more}


LOOP = [
    Reply([thinking("First I read."), text("Reading."), tool_use("Read", {"file_path": "/a"}), tool_use("Read")]),
    Reply([redacted_thinking(), tool_use("Read", {"file_path": "/b"})]),
    Reply([thinking("Enough."), text("Done.")]),
]


async def run_loop(client: AsyncAnthropic, **more: Any) -> list[Body]:
    """Play `LOOP` or another script to its end with the SDK's helper; every message of it, the last answer too."""
    messages = [user()]
    while True:
        async with client.messages.stream(**request(*messages, **more)) as stream:
            answer = await stream.get_final_message()
        messages.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
        if answer.stop_reason != "tool_use":
            return messages
        ids = [block.id for block in answer.content if block.type == "tool_use"]
        messages.append(user([result(id) for id in ids]))
