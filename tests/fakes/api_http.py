"""Just enough HTTP/1.1 for the stand-in server: requests in, whole or chunked responses out, disconnects noticed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

PIECE = 64 * 1024


class ClientGoneError(Exception):
    """The client closed the connection while something was still to be sent."""


class BadRequestError(Exception):
    """The bytes are not an HTTP request this server can read."""


@dataclass(frozen=True)
class HttpRequest:
    """One request; `body` is None when it was larger than allowed."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes | None
    first_byte: float
    """When it began to arrive, on the monotonic clock."""

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to use the connection again."""
        return self.headers.get("connection", "").lower() != "close"


class Connection:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._pending = b""
        self._pending_since = 0.0
        self.last_byte = 0.0
        """When the end of the newest response was about to be sent, on the monotonic clock."""

    async def read_request(self, max_body: int) -> HttpRequest | None:
        """The next request, or None when the client is done."""
        try:
            if not self._pending:
                self._pending, self._pending_since = await self._reader.readexactly(1), time.monotonic()
            head = self._pending + await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise BadRequestError("request headers are too large") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self._pending = b""
        first, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise BadRequestError("malformed request line")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            await self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        target = urlsplit(words[1])
        try:
            body = await self._read_body(headers, max_body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except ValueError as error:
            raise BadRequestError("malformed body length") from error
        query = dict(parse_qsl(target.query))
        return HttpRequest(words[0], unquote(target.path), query, headers, body, self._pending_since)

    async def _read_body(self, headers: dict[str, str], max_body: int) -> bytes | None:
        pieces: list[bytes] = []
        size = 0
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        left = 0 if chunked else int(headers.get("content-length", "0") or "0")
        while True:
            if chunked and not left:
                left = int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16)
                if not left:
                    await self._reader.readuntil(b"\r\n")
                    break
            if not left:
                break
            piece = await self._reader.readexactly(min(left, PIECE))
            left -= len(piece)
            size += len(piece)
            if size <= max_body:
                pieces.append(piece)
            if chunked and not left:
                await self._reader.readexactly(2)
        return b"".join(pieces) if size <= max_body else None

    async def _send(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ClientGoneError
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError as error:
            raise ClientGoneError from error

    async def _send_head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", *(f"{name}: {value}" for name, value in headers.items())]
        await self._send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send_json(self, status: int, data: Any, headers: dict[str, str], *, cut: bool = False) -> None:
        """A whole response; `cut` promises it all and sends half."""
        body = json.dumps(data, ensure_ascii=False).encode()
        sized = {**headers, "content-type": "application/json", "content-length": str(len(body))}
        await self._send_head(status, sized)
        self.last_byte = time.monotonic()
        await self._send(body[: len(body) // 2] if cut else body)

    async def send_page(self, status: int, body: str, headers: dict[str, str]) -> None:
        """A whole response that is no JSON, as a proxy sends it."""
        data = body.encode()
        await self._send_head(status, {"content-type": "text/html", "content-length": str(len(data)), **headers})
        await self._send(data)

    async def start_stream(self, headers: dict[str, str]) -> None:
        """The head of an event stream."""
        await self._send_head(
            200,
            {
                **headers,
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-cache",
                "transfer-encoding": "chunked",
            },
        )

    async def send_event(self, name: str, data: Any) -> None:
        """One event, in a chunk of its own."""
        await self.send_raw_event(name, json.dumps(data, ensure_ascii=False))

    async def send_raw_event(self, name: str, data: str) -> None:
        """One event whose data may be anything."""
        event = f"event: {name}\ndata: {data}\n\n".encode()
        await self._send(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        await asyncio.sleep(0)
        if self._reader.at_eof():
            raise ClientGoneError

    async def end_stream(self) -> None:
        """The proper end of a chunked body."""
        self.last_byte = time.monotonic()
        await self._send(b"0\r\n\r\n")

    async def unless_gone(self, waiting: Awaitable[Any]) -> None:
        """Wait for something, or raise `ClientGoneError` as soon as the client closes the connection."""
        wait = asyncio.ensure_future(waiting)
        watch = asyncio.ensure_future(self._reader.read(1))
        try:
            await asyncio.wait({wait, watch}, return_when=asyncio.FIRST_COMPLETED)
            if watch.done() and not self._take(watch):
                raise ClientGoneError
            await wait
        finally:
            for task in (wait, watch):
                task.cancel()
            await asyncio.gather(wait, watch, return_exceptions=True)

    def _take(self, watch: asyncio.Future[bytes]) -> bool:
        """Keep an early byte of the next request; False at the end of the connection."""
        byte = b"" if watch.exception() else watch.result()
        self._pending, self._pending_since = self._pending + byte, time.monotonic()
        return bool(byte)

    def reset(self) -> None:
        """Drop the connection so that the client sees a reset."""
        sock: socket.socket | None = self._writer.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close and wait until that is done."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _phrase(status: int) -> str:
    known = {member.value: member.phrase for member in HTTPStatus}
    return known.get(status, "Overloaded" if status == 529 else "Status")
