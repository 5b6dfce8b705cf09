"""Fetches one page: connects only to addresses that were looked at, follows a site's own redirects, bounds it all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from core.host.garbage import importing
from core.tools.web.address import Address, WebError, is_listed, is_local_name, is_number, is_public, is_same_site
from core.version import __version__

if TYPE_CHECKING:
    import ssl

    import httpx2

MAX_BYTES = 10_000_000
"""Of a page when it is unpacked: more is a download, not something to read."""
MAX_REDIRECTS = 5
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
"""Silence on an open connection."""
TOTAL_TIMEOUT_S = 60.0
"""For everything, redirects included: a server that sends a byte now and then must not hold a turn."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {
    "User-Agent": f"agent-tui/{__version__}",
    # Documentation sites give Markdown to those who ask.
    "Accept": "text/markdown, text/html;q=0.9, text/plain;q=0.8, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
UNREACHED = "Is the address right? No proxy is used; where only one leads out, use curl with Bash."
ALLOW_SETTING = "webFetch.allowPrivate"

Progress = Callable[[int, int], None]
"""Bytes so far, and bytes in all or 0 where that is not known."""
WantsBody = Callable[[str], bool]
"""Whether the body is worth reading, by its content type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a server answered."""

    address: Address
    """Where it came from in the end."""
    status: int
    content_type: str
    size: int
    """Bytes; of a body that was not read, as announced, or 0."""
    body: bytes | None
    """None where it was not wanted."""
    leads_to: str = ""
    """A redirect that was not followed because it leaves the site."""

    @property
    def status_line(self) -> str:
        """``404 Not Found``."""
        known = {status.value: status.phrase for status in HTTPStatus}
        return f"{self.status} {known.get(self.status, '')}".rstrip()


class WebClient:
    """Makes connections of its own, past every proxy: through one nobody could tell which machine is reached."""

    def __init__(self, allow_private: tuple[str, ...] = ()) -> None:
        self._allow_private = allow_private
        self._loaded: tuple[Any, ssl.SSLContext] | None = None

    async def fetch(self, address: Address, wants_body: WantsBody, progress: Progress) -> Page:
        """The page. Raises ``WebError`` for what keeps it from being read; an error status is an answer."""
        library, context = await self._load()
        try:
            async with (
                asyncio.timeout(TOTAL_TIMEOUT_S),
                library.AsyncClient(
                    verify=context,
                    trust_env=False,
                    headers=HEADERS,
                    timeout=library.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                ) as client,
            ):
                return await self._follow(client, address, wants_body, progress)
        except TimeoutError as error:
            raise WebError(f"{address} took longer than {TOTAL_TIMEOUT_S:.0f} s in all.") from error
        except library.ConnectTimeout as error:
            text = f"{address.authority} cannot be reached: no answer in {CONNECT_TIMEOUT_S:.0f} s."
            raise WebError(text, UNREACHED) from error
        except library.ReadTimeout as error:
            raise WebError(f"{address.authority} said nothing for {READ_TIMEOUT_S:.0f} s.") from error
        except library.ConnectError as error:
            raise WebError(f"{address.authority} cannot be reached: {_short(error)}.", UNREACHED) from error
        except library.DecodingError as error:
            raise WebError(f"The answer of {address.authority} cannot be unpacked: {_short(error)}.") from error
        except (library.HTTPError, library.InvalidURL) as error:
            raise WebError(f"{address} could not be fetched: {_short(error)}.") from error

    async def _load(self) -> tuple[Any, ssl.SSLContext]:
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(_load_library)
        return self._loaded

    async def _follow(
        self, client: httpx2.AsyncClient, address: Address, wants_body: WantsBody, progress: Progress
    ) -> Page:
        for _ in range(MAX_REDIRECTS + 1):
            async with contextlib.aclosing(await self._open(client, address)) as response:
                location = response.headers.get("location", "")
                if response.status_code not in REDIRECTS or not location:
                    return await _read(response, address, wants_body, progress)
                target = address.joined(location)
                if not is_same_site(address, target):
                    return Page(
                        address=address,
                        status=response.status_code,
                        content_type="",
                        size=0,
                        body=None,
                        leads_to=str(target),
                    )
                address = target
        raise WebError(
            f"{address.authority} redirects more than {MAX_REDIRECTS} times.", "Fetch where it leads instead."
        )

    async def _open(self, client: httpx2.AsyncClient, address: Address) -> httpx2.Response:
        """The response of the first of the host's machines that answers."""
        from httpx2 import ConnectError, ConnectTimeout

        ips = await self._resolve(address)
        for left, ip in enumerate(ips, 1 - len(ips)):
            request = client.build_request(
                "GET",
                address.at(ip),
                headers={"Host": address.authority},
                extensions={"sni_hostname": address.host},
            )
            try:
                return await client.send(request, stream=True)
            except (ConnectError, ConnectTimeout):
                if left == 0:
                    raise
        raise WebError(f"There is no host {address.host}.")

    def check(self, address: Address) -> None:
        """Raises ``WebError`` for what is refused without a look at where its name leads."""
        if is_listed(address, self._allow_private):
            return
        if is_local_name(address.host):
            raise _private(address, "is a machine of this network")
        if is_number(address.host) and not is_public(address.host):
            raise _private(address, "is a private or reserved address")

    async def _resolve(self, address: Address) -> list[str]:
        """The numbers of the host's machines, each of them looked at: what is connected to is what was checked."""
        self.check(address)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise WebError(f"There is no host {address.host} ({error.strerror}).", UNREACHED) from error
        ips = list(dict.fromkeys(str(info[4][0]) for info in found))
        bad = next((ip for ip in ips if not is_public(ip)), None)
        if bad is not None and not is_listed(address, self._allow_private):
            raise _private(address, f"leads to {bad}, a private or reserved address")
        return ips


def _private(address: Address, what: str) -> WebError:
    return WebError(
        f"{address.host} {what}: it was not fetched.",
        f'The user can allow it by adding "{address.authority}" to {ALLOW_SETTING} in the settings.',
    )


async def _read(response: httpx2.Response, address: Address, wants_body: WantsBody, progress: Progress) -> Page:
    announced = response.headers.get("content-length", "")
    total = int(announced) if announced.isdecimal() and len(announced) < len(str(MAX_BYTES)) * 2 else 0
    content_type = response.headers.get("content-type", "")
    page = Page(address=address, status=response.status_code, content_type=content_type, size=total, body=None)
    if not wants_body(content_type):
        return page
    too_large = WebError(
        f"{address} is larger than {MAX_BYTES // 1_000_000} MB.",
        "Download it with Bash (curl -o FILE) and read the parts you need.",
    )
    if total > MAX_BYTES:
        raise too_large
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise too_large
        progress(len(body), total)
    return Page(address=address, status=page.status, content_type=content_type, size=len(body), body=bytes(body))


def _load_library() -> tuple[Any, ssl.SSLContext]:
    """The HTTP library and the certificates: a tenth of a second, to be called in a thread."""
    with importing():
        import httpx2

        return httpx2, httpx2.create_ssl_context()


def _short(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
