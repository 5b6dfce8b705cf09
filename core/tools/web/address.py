"""Addresses on the web: what may be asked for at all, and which machines nobody outside should reach through us."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from core.permissions.hosts import ANY_SUBDOMAIN, normal_host, site
from core.protocol.errors import AgentError

PORTS = {"http": 80, "https": 443}
MAX_URL_CHARS = 8_000
"""About what servers take; a longer one carries data out rather than naming a page."""
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")
LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa", "lan")
"""Names, and endings of names, that only a machine's own network knows."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Gateways turn these into the IPv4 address in the last 32 bits (RFC 6052)."""
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out."""
COMPATIBLE = ipaddress.IPv6Network("::/96")

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class WebError(AgentError):
    """A page that cannot be had; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address. ``host`` is in its one spelling, ``target`` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port, the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def at(self, ip: str) -> str:
        """The same with the machine's number in place of its name."""
        host = f"[{ip}]" if ":" in ip else ip
        return f"{self.scheme}://{host}:{self.port}{self.target}"

    def joined(self, reference: str) -> Address:
        """Where a reference on this page leads. Raises ``WebError``."""
        return parse_address(urljoin(str(self), reference))


def parse_address(text: str) -> Address:
    """Raises ``WebError`` for what is no address of a page. The fragment is dropped: servers never see it."""
    parts, host = _split(text.strip())
    if "@" in parts.netloc:
        raise WebError("A URL with a user name or password is not fetched.", "Leave out what stands before the @.")
    query = f"?{parts.query}" if parts.query else ""
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    return Address(parts.scheme, host, port, (parts.path or "/") + query)


def host_of(text: str) -> str:
    """The host that a URL leads to, in its one spelling. Raises ``WebError`` for what is no URL of a page."""
    return _split(text.strip())[1]


def _split(text: str) -> tuple[SplitResult, str]:
    if len(text) > MAX_URL_CHARS:
        raise WebError(f"The URL has {len(text):,} characters; {MAX_URL_CHARS:,} is the most.")
    if UNPRINTABLE.search(text):
        raise WebError(
            f"{text!r} is no URL: it holds a blank, a backslash or a control character.", "Percent-encode it."
        )
    try:
        parts = urlsplit(text)
        # Its port is looked at only when it is asked for.
        if parts.scheme not in PORTS or not parts.netloc or parts.port == -1:
            raise WebError(f"{text!r} is no URL of a page.", "It must begin with https:// or http://.")
        return parts, normal_host(parts.hostname or "")
    except ValueError as error:
        raise WebError(f"{text!r} is no URL: {error}.") from error


def is_same_site(old: Address, new: Address) -> bool:
    """Whether a redirect stays where it was asked for: the host, with or without ``www.``, at worst from http to
    https. A way back to http, or another port, is another place."""
    if site(old.host) != site(new.host):
        return False
    is_upgrade = (old.scheme, old.port) == ("http", 80) and (new.scheme, new.port) == ("https", 443)
    return is_upgrade or (old.scheme, old.port) == (new.scheme, new.port)


def is_local_name(host: str) -> bool:
    """Whether the name alone says that it is a machine of this one's own network."""
    return any(host == name or host.endswith(f".{name}") for name in LOCAL_NAMES)


def is_number(host: str) -> bool:
    """Whether the host is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(ip: str) -> bool:
    """Whether the address is one of the open internet, in every reading of it."""
    try:
        return all(_is_public(reading) for reading in _readings(ipaddress.ip_address(ip.partition("%")[0])))
    except ValueError:
        return False


def _is_public(ip: IP) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and ip not in GLOBAL_UNICAST:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local)


def _readings(ip: IP) -> list[IP]:
    """The address, or the IPv4 addresses that are wrapped in it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip in NAT64 or (ip in COMPATIBLE and int(ip) > 1):
        return [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    wrapped = [ip.sixtofour, *(ip.teredo or ())]
    return [ip, *(inner for inner in wrapped if inner is not None)]


def is_listed(address: Address, entries: Iterable[str]) -> bool:
    """Whether the user's list of private hosts holds the address: ``localhost:3000``, ``10.0.0.7``, ``*.internal``."""
    return any(_covers(entry, address) for entry in entries)


def _covers(entry: str, address: Address) -> bool:
    try:
        parts = urlsplit(f"//{entry.strip().removeprefix(ANY_SUBDOMAIN)}")
        host, port = normal_host(parts.hostname or ""), parts.port
    except ValueError:
        return False
    if port not in (None, address.port):
        return False
    return address.host.endswith(f".{host}") if entry.startswith(ANY_SUBDOMAIN) else address.host == host
