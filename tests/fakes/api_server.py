"""A strict local stand-in for the Messages API.

In a test: `async with ApiServer([Reply([text("hi")])]) as server:` and point the SDK at `server.url`. By hand or for
end-to-end tests: `python -m tests.fakes.api_server --port 0 --script echo` prints its URL and serves until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import inspect
import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.api_cache import Diagnoses, PrefixLog, PrefixViolation, PromptCache
from tests.fakes.api_call import DEFAULT_SECRET, Call, Rejection, RuleState, invalid
from tests.fakes.api_canon import Json, is_object
from tests.fakes.api_http import BadRequestError, ClientGoneError, Connection, HttpRequest
from tests.fakes.api_models import CATALOGUE, MODELS, model_info
from tests.fakes.api_rules import authenticated, check
from tests.fakes.api_script import Answerer, Reply, Script, load
from tests.fakes.api_signing import Signer, digest
from tests.fakes.api_sse import (
    Beat,
    Emit,
    End,
    Envelope,
    Hold,
    Pause,
    Raw,
    Step,
    Wire,
    Wiring,
    complete_message,
    prewarm_reply,
    stream_plan,
)

MAX_BODY = 32 * 1024 * 1024
READ_LIMIT = 1024 * 1024
FAULT_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "timeout_error": 504}


@dataclass
class Recorded:
    """One request as it arrived, and what became of it."""

    method: str
    path: str
    body: Json
    headers: dict[str, str]
    arrived: float
    first_byte: float = 0.0
    """When it began to arrive, on the monotonic clock that all processes share; ``arrived`` is its end."""
    last_byte: float = 0.0
    """When the end of the response was about to be sent."""
    connection: int = 0
    """Which of the connections it came on, from 1."""
    rejection: Rejection | None = None
    reply: Reply | None = None
    finished: bool = False
    """The response was sent to its end."""


class _RefusedError(Exception):
    """Carries a rejection to the place that answers."""

    def __init__(self, rejection: Rejection, *, scripted: bool = False) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection
        self.scripted = scripted


class ApiServer:
    """The server; an async context manager."""

    def __init__(
        self,
        script: Script,
        *,
        valid_key: str | None = None,
        window: int | None = None,
        check_binding: bool = True,
        enforce_minimum: bool = False,
        max_body: int = MAX_BODY,
        secret: bytes = DEFAULT_SECRET,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
        is_brief: bool = False,
    ) -> None:
        self.state = RuleState(Signer(secret), valid_key, window, check_binding)
        self.cache = PromptCache(enforce_minimum)
        self.log: list[Recorded] = []
        self.disconnects = 0
        self.connections = 0
        self.url = ""
        self._answerer: Answerer | None = script if callable(script) else None
        self._replies: list[Reply] = [] if callable(script) else script
        self._served = 0
        self._max_body = max_body
        self._address = (host, port)
        self._log_file = log
        self._is_brief = is_brief
        self._prefixes = PrefixLog()
        self._diagnoses = Diagnoses()
        self._numbers = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    @property
    def requests(self) -> list[Recorded]:
        """Requests for a message, rejected ones included; `log` has those to other endpoints too."""
        return [entry for entry in self.log if entry.path == "/v1/messages"]

    @property
    def rejections(self) -> list[Rejection]:
        """Every rejection, in order; scripted HTTP errors are not among them."""
        return [entry.rejection for entry in self.log if entry.rejection]

    @property
    def prefix_violations(self) -> list[PrefixViolation]:
        """Where a conversation changed instead of growing; numbers index `requests`."""
        return self._prefixes.violations

    @property
    def remaining(self) -> int:
        """Replies of a list script that were not served yet."""
        return 0 if self._answerer else len(self._replies) - self._served

    async def __aenter__(self) -> Self:
        host, port = self._address
        self._server = await asyncio.start_server(self._client, host, port, limit=READ_LIMIT)
        self.url = f"http://{host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        connection = Connection(reader, writer)
        try:
            alive = True
            while alive and (request := await connection.read_request(self._max_body)):
                alive = await self._answer(connection, number, request)
        except BadRequestError as error:
            with contextlib.suppress(ClientGoneError):
                rejection = invalid(str(error))
                await connection.send_json(400, rejection.body("req_unreadable"), {"connection": "close"})
        except asyncio.CancelledError:
            pass
        finally:
            await connection.close()
            self._tasks.discard(task)

    def _next_id(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}_{digest(str(id(self)), str(self._numbers), str(time.monotonic_ns()))[:24]}"

    async def _answer(self, connection: Connection, number: int, request: HttpRequest) -> bool:
        """Serve one request; whether the connection can be used again."""
        entry = Recorded(
            request.method,
            request.path,
            {},
            request.headers,
            arrived=time.monotonic(),
            first_byte=request.first_byte,
            connection=number,
        )
        self.log.append(entry)
        headers = {"request-id": self._next_id("req"), "anthropic-organization-id": "org_stand_in"}
        try:
            alive = await self._route(connection, request, entry, headers)
        except _RefusedError as refused:
            entry.rejection = None if refused.scripted else refused.rejection
            body = refused.rejection.body(headers["request-id"])
            with contextlib.suppress(ClientGoneError):
                await connection.send_json(refused.rejection.status, body, headers)
            alive = True
        except ClientGoneError:
            self.disconnects += 1
            alive = False
        entry.last_byte = connection.last_byte
        self._write_log(entry)
        return alive and request.keeps_alive

    def _write_log(self, entry: Recorded) -> None:
        if self._log_file is None:
            return
        rejection = dataclasses.asdict(entry.rejection) if entry.rejection else None
        times = {
            name: getattr(entry, name) for name in ("first_byte", "arrived", "last_byte", "connection", "finished")
        }
        is_prewarm = entry.body.get("max_tokens") == 0
        line = {"method": entry.method, "path": entry.path, "rejection": rejection, "prewarm": is_prewarm, **times}
        with self._log_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line if self._is_brief else {**line, "body": entry.body}) + "\n")

    async def _route(
        self, connection: Connection, request: HttpRequest, entry: Recorded, headers: dict[str, str]
    ) -> bool:
        target = (request.method, request.path.rstrip("/"))
        if target in {("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens")}:
            entry.body = _parse(request.body)
            call = Call(entry.body, request.headers, self.state, request.path.endswith("count_tokens"))
            verdict = check(call)
            if verdict:
                raise _RefusedError(verdict)
            if not call.counting:
                return await self._message(connection, call, entry, headers)
            answer: Json = {"input_tokens": call.tokens}
        else:
            answer = self._models(request)
        await connection.send_json(200, answer, headers)
        entry.finished = True
        return True

    def _models(self, request: HttpRequest) -> Json:
        verdict = authenticated(Call({}, request.headers, self.state))
        if verdict:
            raise _RefusedError(verdict)
        root, _, name = request.path.rstrip("/").partition("/v1/models")
        if root or not request.path.startswith("/v1/models") or request.method != "GET":
            raise _RefusedError(Rejection(404, "not_found_error", f"Not found: {request.method} {request.path}"))
        if name:
            if name[1:] not in MODELS:
                raise _RefusedError(Rejection(404, "not_found_error", f"model: {name[1:]}"))
            return model_info(MODELS[name[1:]])
        ids = [spec.id for spec in CATALOGUE]
        after = request.query.get("after_id", "")
        start = ids.index(after) + 1 if after in ids else 0
        limit = int(request.query.get("limit", "20"))
        page = [model_info(spec) for spec in CATALOGUE[start : start + limit]]
        first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
        return {"data": page, "has_more": start + limit < len(ids), "first_id": first, "last_id": last}

    async def _next_reply(self, call: Call) -> Reply:
        if call.body["max_tokens"] == 0:
            return prewarm_reply(Reply())
        self._served += 1
        if self._answerer is None:
            if self._served > len(self._replies):
                message = f"the script has {len(self._replies)} replies, request {self._served} finds none left"
                raise _RefusedError(Rejection(500, "api_error", message))
            return self._replies[self._served - 1]
        try:
            answer = self._answerer(call.body)
            return await answer if inspect.isawaitable(answer) else answer
        except Exception as error:
            raise _RefusedError(Rejection(500, "api_error", f"the script raised {error!r}")) from error

    async def _message(self, connection: Connection, call: Call, entry: Recorded, headers: dict[str, str]) -> bool:
        self._prefixes.add(len(self.requests) - 1, call)
        reply = entry.reply = await self._next_reply(call)
        headers.update(reply.headers)
        if reply.gate:
            await connection.unless_gone(reply.gate.wait())
        if reply.delay:
            await connection.unless_gone(asyncio.sleep(reply.delay))
        _scripted_error(reply, headers)
        if reply.fault and reply.fault.kind == "page":
            await connection.send_page(reply.fault.status, reply.fault.message, headers | reply.fault.headers)
            return True
        if reply.fault and reply.fault.kind == "reset_before":
            connection.reset()
            return False
        envelope, wires = self._prepare(call, reply)
        if call.body.get("stream"):
            return await self._stream(connection, stream_plan(envelope, reply, wires), entry, headers)
        whole = complete_message(envelope, reply, wires)
        return await _send_whole(connection, whole, reply, entry, headers)

    def _prepare(self, call: Call, reply: Reply) -> tuple[Envelope, list[Wire]]:
        message_id = self._next_id("msg")
        plan = self.cache.plan(call)
        wires = Wiring(call, reply, message_id).blocks()
        envelope = Envelope(message_id, call.model.id, plan.usage(), self._diagnoses.compare(call))
        self.cache.commit(plan)
        self._diagnoses.remember(message_id, call)
        return envelope, wires

    async def _stream(
        self, connection: Connection, plan: Iterator[Step], entry: Recorded, headers: dict[str, str]
    ) -> bool:
        await connection.start_stream(headers)
        beat = time.monotonic()
        for step in plan:
            match step:
                case Emit():
                    await connection.send_event(step.name, step.data)
                case Raw():
                    await connection.send_raw_event(step.name, step.data)
                case Pause():
                    await connection.unless_gone(asyncio.sleep(step.seconds))
                case Beat():
                    beat += step.seconds
                    if (early := beat - time.monotonic()) > 0:
                        await connection.unless_gone(asyncio.sleep(early))
                case Hold():
                    await connection.unless_gone(step.gate.wait())
                case End():
                    return await _end(connection, step)
        await connection.end_stream()
        entry.finished = True
        return True


async def _end(connection: Connection, end: End) -> bool:
    if end.how == "stall":
        await connection.unless_gone(asyncio.Event().wait())
    elif end.how == "reset":
        connection.reset()
    else:
        await connection.end_stream()
    return end.how == "close"


def _scripted_error(reply: Reply, headers: dict[str, str]) -> None:
    fault = reply.fault
    if fault and fault.kind == "http":
        headers.update(fault.headers)
        raise _RefusedError(Rejection(fault.status, fault.error_type, fault.message), scripted=True)


async def _send_whole(
    connection: Connection, message: Json, reply: Reply, entry: Recorded, headers: dict[str, str]
) -> bool:
    """Answer without streaming; faults of streams become what comes nearest."""
    fault = reply.fault
    if fault and fault.kind == "sse_error":
        status = FAULT_STATUS.get(fault.error_type, 500)
        raise _RefusedError(Rejection(status, fault.error_type, fault.message), scripted=True)
    if fault and fault.kind == "stall":
        return await _end(connection, End("stall"))
    if fault and fault.kind == "reset_after":
        return await _end(connection, End("reset"))
    cut = bool(fault and fault.kind == "silent_end")
    await connection.send_json(200, message, headers, cut=cut)
    entry.finished = not cut
    return not cut


def _parse(raw: bytes | None) -> Json:
    if raw is None:
        raise _RefusedError(Rejection(413, "request_too_large", "Request exceeds the maximum size"))
    try:
        body: Any = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()
    except ValueError as error:
        raise _RefusedError(invalid(f"The request body is not valid JSON: {error}")) from error
    if not is_object(body):
        raise _RefusedError(invalid("Input should be a valid dictionary or object to extract fields from"))
    return body


async def serve(server: ApiServer) -> None:
    """Print the URL and serve until the process is told to end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        print(server.url, flush=True)
        await stop.wait()
    for rejection in server.rejections:
        print(f"rejected: {rejection.status} {rejection.message}", file=sys.stderr)


def main() -> None:
    """The process mode."""
    parser = argparse.ArgumentParser(description="A local stand-in for the Anthropic Messages API.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--script", default="echo", help="echo, tools, or a JSON file with replies")
    parser.add_argument("--valid-key", help="refuse every other key")
    parser.add_argument("--window", type=int, help="context window in tokens, for every model")
    parser.add_argument("--log", type=Path, help="append one JSON line per request to this file")
    parser.add_argument("--brief", action="store_true", help="leave the bodies out of it: a long one takes a while")
    chosen = parser.parse_args()
    server = ApiServer(
        load(chosen.script),
        valid_key=chosen.valid_key,
        window=chosen.window,
        port=chosen.port,
        log=chosen.log,
        is_brief=chosen.brief,
    )
    asyncio.run(serve(server))


if __name__ == "__main__":
    main()
