"""A web site on this machine: answers by path, and what was asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """What the site says to a path. ``hangs``: after the body nothing more comes, and the connection stays open."""

    body: bytes | str = b""
    content_type: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hangs: bool = False

    def encoded(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        length = len(body) + (1 if self.hangs else 0)
        headers = {"Content-Type": self.content_type, "Content-Length": str(length), "Connection": "close"}
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in (headers | dict(self.headers)).items() if value]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": to})


@dataclass
class Website:
    """The running site."""

    port: int
    answers: dict[str, Answer]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    """Target and headers (lower case) of each request."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client went away from an answer that hangs."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    @property
    def authority(self) -> str:
        return f"localhost:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.authority}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            target = head[0].split(" ")[1]
            fields = (line.partition(":") for line in head[1:] if line)
            self.asked.append((target, {name.lower(): value.strip() for name, _, value in fields}))
            answer = self.answers.get(target, Answer("Nothing here.", "text/plain", 404))
            writer.write(answer.encoded())
            await writer.drain()
            self.arrived.set()
            if answer.hangs:
                await reader.read()
                self.left.set()
        writer.close()


@asynccontextmanager
async def website(tls: ssl.SSLContext | None = None, **answers: Answer | str) -> AsyncGenerator[Website, None]:
    """A site with a page for each name; with ``tls`` it speaks https."""
    site = Website(0, {})
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    for name, answer in answers.items():
        site.answers[f"/{name}"] = answer if isinstance(answer, Answer) else Answer(answer)
    try:
        yield site
    finally:
        server.close()
        await server.wait_closed()
        for writer in site.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
