"""What goes over the wire, and on which connection."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic

from core.llm import anthropic
from core.llm.anthropic import SILENCE_S, AnthropicClient
from core.llm.client import MessageEnd, ModelRequest
from core.llm.encoding import RequestEncoder
from core.protocol import events as ev
from core.settings.schema import Settings
from tests.fakes.api_requests import READ, user, words
from tests.fakes.api_script import Fault, Reply, reset_after, say, stall, text, tool_use
from tests.fakes.api_server import ApiServer
from tests.provider.test_engine_over_http import connected, loop, make_files

ALL_EVENTS = 1_000

REQUEST = ModelRequest(
    model="claude-opus-5-5",
    max_tokens=2_000,
    system=[words("Größe ✓", cache_control={"type": "ephemeral"})],
    tools=[READ],
    messages=[user([words("a \u2028 b \U0001f600")])],
    thinking={"type": "adaptive", "display": "summarized"},
    output_config={"effort": "high"},
)


async def test_a_request_is_what_the_sdk_would_have_sent() -> None:
    async with ApiServer([say("one"), say("two")]) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        chunks = [chunk async for chunk in client.stream(REQUEST)]
        await client.close()
        sdk = AsyncAnthropic(base_url=server.url, api_key="key", max_retries=0, timeout=SILENCE_S)
        parameters = {
            name: getattr(REQUEST, name) for name in ("system", "tools", "messages", "thinking", "output_config")
        }
        stream = await sdk.messages.create(model=REQUEST.model, max_tokens=2_000, stream=True, **parameters)
        assert [event.type async for event in stream][-1] == "message_stop"
        await sdk.close()
    assert isinstance(chunks[-1], MessageEnd)
    assert server.rejections == []
    ours, theirs = server.requests
    assert ours.body == theirs.body
    assert ours.headers == theirs.headers


async def test_every_request_of_a_session_goes_over_one_connection(tmp_path: Path, isolated_machine: Path) -> None:
    make_files(tmp_path)
    async with connected(loop(5), tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("Read everything.")
        await rig.prompt("And again.")
        assert len(server.requests) > 5
        assert server.connections == 1


async def test_a_connection_is_kept_as_long_as_it_may_be_idle(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic, "KEEPALIVE_S", 0.0)
    async with connected([say("One."), say("Two.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("one")
        await rig.prompt("two")
        assert server.connections == 2


@pytest.mark.parametrize("fault", [stall(ALL_EVENTS), reset_after(ALL_EVENTS)])
async def test_a_complete_response_that_does_not_end_costs_its_connection_only(
    fault: Fault, tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic, "DRAIN_TIMEOUT_S", 0.01)
    (tmp_path / "a.txt").write_text("words\n")
    script = [Reply([text("I look."), tool_use("Read", {"file_path": "a.txt"})], fault=fault), say("Done.")]
    async with connected(script, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("go")
        assert rig.of(ev.TurnEnded)[-1].reason == "completed"
        assert not rig.of(ev.RequestFailed)
        assert [entry.connection for entry in server.requests] == [1, 2]


async def test_the_bytes_of_a_request_begin_with_those_of_the_one_before(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[bytes] = []
    encode = RequestEncoder.encode

    def recorded(self: RequestEncoder, parameters: dict[str, object]) -> bytes:
        bodies.append(encode(self, parameters))
        return bodies[-1]

    monkeypatch.setattr(RequestEncoder, "encode", recorded)
    make_files(tmp_path)
    settings = Settings(prompt_caching=False)
    async with connected(loop(6), tmp_path, isolated_machine, settings=settings) as (server, rig):
        await rig.prompt("Read everything.")
        assert server.rejections == []
    assert len(bodies) == 7
    for earlier, later in itertools.pairwise(bodies):
        assert later.startswith(earlier.removesuffix(b"]}"))
