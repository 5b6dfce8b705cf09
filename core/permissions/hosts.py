"""Names of hosts: one spelling for each, and which of them a rule covers."""

from __future__ import annotations

import ipaddress
import re
import socket

DOMAIN = "domain:"
"""How a rule begins that names a host."""
ANY_SUBDOMAIN = "*."
MAX_HOST_CHARS = 253
"""A name in the DNS is not longer."""
LABELS = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*")


def normal_host(text: str) -> str:
    """The host in its one spelling: lower case, without a last dot, in ASCII, an address in its usual form.

    Raises ``ValueError`` for what is no host.
    """
    host = text.lower()
    if ":" in host:
        if "%" in host:
            raise ValueError(f"{text!r} names a network interface")
        return str(ipaddress.IPv6Address(host))
    if not host.isascii():
        # Only here: its tables are large.
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"{text!r} is no host name: {error}") from error
    host = host.removesuffix(".")
    if len(host) > MAX_HOST_CHARS or not LABELS.fullmatch(host):
        raise ValueError(f"{text!r} is no host name")
    if NUMERIC.fullmatch(host):
        # 2130706433, 0x7f.1 and 0177.0.0.1 all mean 127.0.0.1 to the system.
        try:
            return str(ipaddress.IPv4Address(socket.inet_aton(host)))
        except OSError as error:
            raise ValueError(f"{text!r} is no address") from error
    return host


def site(host: str) -> str:
    """The host without ``www.``, which is the same site to people and to rules."""
    rest = host.removeprefix("www.")
    return rest if "." in rest else host


def check_domain(spec: str) -> None:
    """Raises ``ValueError`` where a rule's text names no host: such a rule would never match."""
    try:
        normal_host(spec.removeprefix(DOMAIN).removeprefix(ANY_SUBDOMAIN))
    except ValueError as error:
        raise ValueError(f"{error}: write WebFetch(domain:example.com) or WebFetch(domain:*.example.com)") from error


def domain_covers(spec: str, host: str) -> bool:
    """Whether ``domain:example.com`` (that site) or ``domain:*.example.com`` (its subdomains) covers the host."""
    name = spec.removeprefix(DOMAIN)
    try:
        wanted = normal_host(name.removeprefix(ANY_SUBDOMAIN))
    except ValueError:
        return False
    if name.startswith(ANY_SUBDOMAIN):
        return host.endswith("." + wanted)
    return site(host) == site(wanted)
