"""Every way in which a request can fail, through the real SDK: what is told, what is tried again, what is not."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.llm.anthropic import AnthropicClient
from core.protocol import events as ev
from core.protocol.messages import TextBlock, ThinkingBlock
from core.protocol.ops import Interrupt, SubmitPrompt
from core.settings.schema import Settings
from tests.fakes.api_script import (
    Fault,
    Reply,
    garbled,
    http,
    page,
    raw_block,
    reset_after,
    say,
    silent_end,
    sse_error,
    stall,
    text,
    thinking,
    tool_use,
)
from tests.fakes.api_server import ApiServer
from tests.fakes.clock import FakeClock
from tests.fakes.engines import Rig, allowing, fake_host, running
from tests.fakes.wire import flat
from tests.provider.test_engine_bad_network import end, slept
from tests.provider.test_engine_over_http import connected

BAD_GATEWAY = "<html>\n<head><title>502 Bad\nGateway</title></head>\n<body>" + "<hr>nginx" * 200 + "</body></html>"

PASSING: dict[str, tuple[Fault, str, str]] = {
    "408": (http(408, "timeout_error", "Too slow"), "server", "Too slow (408 timeout_error)."),
    "409": (http(409, "conflict_error", "Busy"), "server", "Busy (409 conflict_error)."),
    "429": (http(429, "rate_limit_error", "Slow down"), "rate_limit", "Slow down (429 rate_limit_error)."),
    "500": (http(500, "api_error", "Oops"), "server", "Oops (500 api_error)."),
    "502 with a page": (page(502, BAD_GATEWAY), "server", "502 Bad Gateway (502)."),
    "502 with a page without a title": (page(502, "<p>no</p>"), "server", "Bad Gateway (502)."),
    "503 without a body": (page(503), "server", "503"),
    "503 with words": (page(503, "upstream connect error"), "server", "upstream connect error (503)."),
    "504": (http(504, "timeout_error", "Too slow"), "server", "Too slow (504 timeout_error)."),
    "529": (http(529, "overloaded_error", "Overloaded"), "overloaded", "Overloaded (529 overloaded_error)."),
    "529 with a page": (page(529, BAD_GATEWAY), "overloaded", "502 Bad Gateway (529)."),
    "200 with a page": (page(200, BAD_GATEWAY), "dropped", "The response ended before it was complete."),
    "overloaded event": (sse_error(3), "overloaded", "Overloaded (overloaded_error while streaming)."),
    "api event": (sse_error(3, "api_error", "Oops"), "server", "Oops (api_error while streaming)."),
    "rate event": (sse_error(3, "rate_limit_error", "Slow"), "rate_limit", "Slow (rate_limit_error while streaming)."),
    "an event of tomorrow": (sse_error(3, "new_error", "Hm"), "server", "Hm (new_error while streaming)."),
    "silence": (stall(3), "silent", "Nothing came from the server for too long."),
    "silence at the start": (stall(0), "silent", "Nothing came from the server for too long."),
    "an event that is no JSON": (garbled(4), "dropped", "The response was garbled"),
    "an event of another shape": (garbled(4, data='{"type":"content_block_delta","index":0}'), "dropped", "garbled"),
    "an error that is no JSON": (garbled(4, "error", "boom"), "server", "boom"),
    "asked for": (http(400, "invalid_request_error", "Hm", {"x-should-retry": "true"}), "invalid", "Hm (400"),
}
LASTING: dict[str, tuple[Fault, str, str]] = {
    "401": (http(401, "authentication_error", "No"), "error", "--continue"),
    "402": (http(402, "billing_error", "Pay"), "error", "credit"),
    "403": (http(403, "permission_error", "Not you"), "error", "another key"),
    "404": (http(404, "not_found_error", "model: x"), "error", "--model"),
    "400": (http(400, "invalid_request_error", "Odd"), "error", "Odd (400"),
    "no credit": (http(400, "invalid_request_error", "Your credit balance is too low"), "error", "console"),
    "413": (page(413, "<html><title>413 Request Entity Too Large</title>"), "context_full", "send less"),
    "too long": (
        http(400, "invalid_request_error", "prompt is too long: 2 > 1"),
        "context_full",
        "send less",
    ),
    "told not to": (http(529, "overloaded_error", "Full", {"x-should-retry": "false"}), "error", "Full (529"),
    "told to wait": (http(529, "overloaded_error", "Full", {"retry-after": "7200"}), "error", "wait 120 minutes"),
    "told to wait for days": (http(503, "api_error", "x", {"retry-after": "999999"}), "error", "more than two days"),
    "invalid event": (sse_error(3, "invalid_request_error", "Odd"), "error", "Odd (invalid_request_error"),
    "too large even so": (http(413, "request_too_large", "x", {"x-should-retry": "true"}), "context_full", "send less"),
}


@asynccontextmanager
async def impatient(
    replies: list[Reply], cwd: Path, home: Path, settings: Settings | None = None
) -> AsyncGenerator[tuple[ApiServer, Rig]]:
    """As `connected`, with a client that waits for half a second only."""
    async with ApiServer(replies) as server:
        client = AnthropicClient(base_url=server.url, api_key="key", silence_s=0.5)
        async with running(client, cwd, home, settings=settings) as rig:
            yield server, rig


@pytest.mark.parametrize("case", PASSING)
async def test_what_may_pass_is_tried_again(tmp_path: Path, isolated_machine: Path, case: str) -> None:
    fault, cause, words = PASSING[case]
    broken = Reply([thinking("A thought that is cut. " * 3), text("Words.")], fault=fault)
    async with impatient([broken, say("Whole.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        (failed,) = rig.of(ev.RequestFailed)
        assert failed.cause == cause and words in failed.reason and len(failed.reason) < 400
        assert "<" not in failed.reason and "\n" not in failed.reason
        assert (failed.attempt, failed.max_attempts, failed.retry_in_s) == (1, 8, 0.5)
        assert server.requests[0].body == server.requests[1].body
        assert server.rejections == []


@pytest.mark.parametrize("case", LASTING)
async def test_what_does_not_pass_is_told_at_once(tmp_path: Path, isolated_machine: Path, case: str) -> None:
    fault, reason, words = LASTING[case]
    async with connected([Reply([text("x")], fault=fault), say("Fine.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == reason and words in end(rig).detail
        assert len(server.requests) == 1 and slept(rig) == []
        assert not rig.of(ev.FaultOccurred)
        await rig.prompt("and now?")
        assert end(rig).reason == "completed"
        is_kept = "'hi'" in str(server.requests[1].body["messages"])
        assert is_kept == (reason != "context_full"), "one that does not fit would be in the way of all others"
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_a_name_that_cannot_be_looked_up_and_a_server_that_speaks_no_tls(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def without_network(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", without_network)

    async def no_tls(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    told: list[str] = []
    async with await asyncio.start_server(no_tls, "127.0.0.1", 0) as server:
        for address in ("http://nowhere.invalid", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
            client = AnthropicClient(base_url=address, api_key="key")
            async with running(client, tmp_path, isolated_machine / str(len(told))) as rig:
                await rig.prompt("hi")
                told.append(end(rig).detail)
                assert {failed.cause for failed in rig.of(ev.RequestFailed)} == {"connection"}
                assert len(rig.of(ev.RequestFailed)) == 8
    assert "looked up" in told[0] and "ANTHROPIC_BASE_URL" in told[0]
    assert "secure connection" in told[1] and "http?" in told[1]


async def test_a_certificate_that_is_not_accepted_is_not_tried_again(tmp_path: Path, isolated_machine: Path) -> None:
    made = tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    command += ["-keyout", str(made) + ".key", "-out", str(made)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, str(made) + ".key")
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        client = AnthropicClient(base_url=f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.prompt("hi")
            assert "certificate" in end(rig).detail and "SSL_CERT_FILE" in end(rig).detail
            assert len(rig.of(ev.RequestFailed)) == 1


async def test_a_stalled_response_is_left_at_once_by_an_interrupt(tmp_path: Path, isolated_machine: Path) -> None:
    broken = Reply([text("First words that are long enough.")], fault=stall(5), chunk_size=8)
    async with connected([broken, say("Fine.")], tmp_path, isolated_machine) as (server, rig):
        await rig.do(SubmitPrompt(text="hi"))
        await rig.event(ev.BlockDelta)
        await rig.do(Interrupt())
        await rig.settle()
        assert end(rig).reason == "interrupted"
        await rig.prompt("go on")
        assert end(rig).reason == "completed"
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_a_stall_keeps_what_is_complete(tmp_path: Path, isolated_machine: Path) -> None:
    call = tool_use("Bash", {"command": "echo x >> ran.txt"}, "toolu_1")
    broken = Reply([call, text("And more words.")], fault=stall(8), chunk_size=400)
    settings = Settings(rules=allowing("Bash"))
    async with impatient([broken, say("Done.")], tmp_path, isolated_machine, settings) as (server, rig):
        await rig.prompt("go")
        assert end(rig).reason == "completed"
        assert (tmp_path / "ran.txt").read_text() == "x\n"
        assert "toolu_1" in str(server.requests[1].body["messages"][-1])


@pytest.mark.parametrize("after", range(14))
@pytest.mark.parametrize("kind", ["reset", "silent", "garbled"])
async def test_a_break_anywhere_loses_nothing(tmp_path: Path, isolated_machine: Path, after: int, kind: str) -> None:
    """A thought, a text, and no call: behind the stop reason it is whole, in between what is complete is kept."""
    fault = {"reset": reset_after, "silent": silent_end, "garbled": garbled}[kind](after)
    whole = Reply([thinking("Hm."), text("All of it.")], fault=fault, chunk_size=400)
    async with connected([whole, say("The rest.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        texts = [event.block.text for event in rig.of(ev.BlockFinished) if isinstance(event.block, TextBlock)]
        is_text_complete, is_ended = after >= 9, after >= 10
        expected = ["All of it."] if is_text_complete else []
        assert texts == expected + ([] if is_ended else ["The rest."])
        assert len(server.requests) == (1 if is_ended else 2)
        roles = [message["role"] for message in server.requests[-1].body["messages"]]
        assert roles == (["user", "assistant", "user"] if is_text_complete and not is_ended else ["user"])
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_a_server_tool_that_was_not_answered_is_not_kept(tmp_path: Path, isolated_machine: Path) -> None:
    search = raw_block({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}})
    broken = Reply([text("Looking."), search, text("never complete, and long")], fault=reset_after(9), chunk_size=8)
    async with connected([broken, say("Fine.")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "completed"
        sent = server.requests[1].body["messages"]
        assert [block["type"] for block in sent[1]["content"]] == ["text"]
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_what_a_broken_response_took_is_in_the_account_once(tmp_path: Path, isolated_machine: Path) -> None:
    broken = Reply([text("A text that is cut off.")], fault=reset_after(5), chunk_size=8)
    async with connected([broken, say("Whole.")], tmp_path, isolated_machine) as (_server, rig):
        await rig.prompt("hi")
        total = rig.engine.session.ledger.usage
        last = rig.of(ev.RequestFinished)[0].usage
        assert total.prompt_tokens == 2 * last.prompt_tokens
        assert rig.of(ev.TurnEnded)[0].usage == total
        assert rig.of(ev.UsageUpdated)[-1].context_tokens == last.context_tokens


async def test_thinking_that_does_not_belong_to_its_history_is_left_out(tmp_path: Path, isolated_machine: Path) -> None:
    """As after an edited transcript. Once: what the model thinks from then on is kept and accepted."""
    replies = [Reply([thinking(f"T{number}."), text(f"A{number}.")]) for number in range(4)]
    async with connected(replies, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("one")
        talk = rig.engine.session.conversation
        changed = (*talk.messages[0].content[:-1], TextBlock(text="something else"))
        first = type(talk.messages[0])(id="m", role="user", content=changed)
        talk._held = replace(talk._held, messages=(first, *talk.messages[1:]))  # pyright: ignore[reportPrivateUsage]
        await rig.prompt("two")
        assert end(rig).reason == "completed"
        assert [entry.rejection is not None for entry in server.requests] == [False, True, False]
        assert any("thoughts" in notice.text for notice in rig.of(ev.Notice))
        await rig.prompt("three")
        assert len(server.rejections) == 1
        kept = [block.thinking for m in talk.messages for block in m.content if isinstance(block, ThinkingBlock)]
        assert kept == ["T1.", "T2."]


async def test_thoughts_that_were_left_out_stay_out_in_a_resumed_session(
    tmp_path: Path, isolated_machine: Path
) -> None:
    refused = http(400, "invalid_request_error", "The block is bound to a different conversation.")
    first = [Reply([thinking("T0."), text("A0.")]), Reply(fault=refused), Reply([thinking("T1."), text("A1.")])]
    async with connected(first, tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("one")
        await rig.prompt("two")
        assert (end(rig).reason, server.rejections) == ("completed", [])
        session = rig.engine.session_id
    async with ApiServer([say("Again.")]) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, tmp_path, isolated_machine, resume=session) as rig:
            await rig.prompt("three")
            assert (end(rig).reason, server.rejections) == ("completed", [])
            sent = str(server.requests[0].body["messages"])
            assert "T1." in sent and "T0." not in sent


async def test_an_edit_that_is_refused_without_any_thinking_ends_the_turn(
    tmp_path: Path, isolated_machine: Path
) -> None:
    fault = http(400, "invalid_request_error", "The block is bound to a different conversation.")
    async with connected([Reply(fault=fault), say("x")], tmp_path, isolated_machine) as (server, rig):
        await rig.prompt("hi")
        assert end(rig).reason == "error" and len(server.requests) == 1


async def test_a_profile_that_is_mended_counts_from_the_next_prompt_on(
    tmp_path: Path, isolated_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "profiles"
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(folder))
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def write(key: str) -> None:
        for part, data in (
            ("configs", {"version": "1", "authentication": {"type": "user_oauth"}}),
            ("credentials", {"version": "1", "access_token": key, "expires_at": 4_000_000_000}),
        ):
            path = folder / part / "default.json"
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(json.dumps(data))
            path.chmod(0o600)

    write("old")
    async with (
        ApiServer([say("Fine.")], valid_key="right") as server,
        running(AnthropicClient(base_url=server.url), tmp_path, isolated_machine) as rig,
    ):
        await rig.prompt("hi")
        assert end(rig).reason == "error" and "401" in end(rig).detail and "profile" in end(rig).detail
        write("right")
        await rig.prompt("again")
        assert end(rig).reason == "completed"


class WaitingClock(FakeClock):
    """A clock whose waits end only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = asyncio.Event()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.waiting.set()
            await self.over.wait()
        await super().sleep(seconds)


@asynccontextmanager
async def waiting(replies: list[Reply], cwd: Path, home: Path) -> AsyncGenerator[tuple[ApiServer, Rig, WaitingClock]]:
    """An engine that stands in the wait before its second attempt."""
    clock = WaitingClock()
    async with ApiServer(replies) as server:
        client = AnthropicClient(base_url=server.url, api_key="key")
        async with running(client, cwd, home, host=replace(fake_host(), clock=clock)) as rig:
            await rig.do(SubmitPrompt(text="hi"))
            await asyncio.wait_for(clock.waiting.wait(), 10)
            yield server, rig, clock


async def test_an_interrupt_ends_the_wait_at_once(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply(fault=http(529, "overloaded_error")), say("Fine.")]
    async with waiting(replies, tmp_path, isolated_machine) as (server, rig, clock):
        await rig.do(Interrupt())
        await rig.settle()
        assert end(rig).reason == "interrupted" and len(server.requests) == 1
        clock.over.set()
        await rig.prompt("go on")
        assert end(rig).reason == "completed"
        assert "hi" in str(server.requests[1].body["messages"]), "the prompt was kept"
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_an_interrupt_in_the_wait_of_a_broken_response_keeps_its_call(
    tmp_path: Path, isolated_machine: Path
) -> None:
    (tmp_path / "a.txt").write_text("alpha\n")
    call = tool_use("Read", {"file_path": "a.txt"}, "toolu_1")
    replies = [Reply([call, text("And more words.")], fault=reset_after(8), chunk_size=400), say("Fine.")]
    async with waiting(replies, tmp_path, isolated_machine) as (server, rig, clock):
        await rig.event(ev.ToolFinished)
        await rig.do(Interrupt())
        await rig.settle()
        assert end(rig).reason == "interrupted"
        clock.over.set()
        await rig.prompt("go on")
        assert "alpha" in str(server.requests[1].body["messages"])
        assert (server.rejections, server.prefix_violations) == ([], [])


async def test_what_is_said_during_the_wait_goes_along(tmp_path: Path, isolated_machine: Path) -> None:
    replies = [Reply(fault=http(529, "overloaded_error")), say("Fine.")]
    async with waiting(replies, tmp_path, isolated_machine) as (server, rig, clock):
        await rig.do(SubmitPrompt(text="and briefly"))
        clock.over.set()
        await rig.settle()
        assert len(rig.of(ev.TurnEnded)) == 1 and len(server.requests) == 2
        assert [text for text in flat(server.requests[1].body["messages"]) if "and briefly" in text]
        assert server.rejections == []


async def test_a_port_where_nobody_listens(tmp_path: Path, isolated_machine: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = AnthropicClient(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", api_key="key")
        async with running(client, tmp_path, isolated_machine) as rig:
            await rig.prompt("hi")
            assert [failed.cause for failed in rig.of(ev.RequestFailed)] == ["connection"] * 8
            assert "Say: go on" not in end(rig).detail and "ANTHROPIC_BASE_URL" in end(rig).detail
