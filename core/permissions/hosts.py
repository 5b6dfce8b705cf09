"""Names of hosts: one spelling for each, and which of them a rule covers."""

from __future__ import annotations

import ipaddress
import re
import socket

from core.permissions.patterns import star_match

DOMAIN = "domain:"
"""How a rule begins that names a host."""
ANY_SUBDOMAIN = "*."
STAR = "0star0"
"""Stands for a star while the rest of the name is checked."""
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
        _labels(spec)
    except ValueError as error:
        raise ValueError(f"{error}: write WebFetch(domain:example.com) or WebFetch(domain:*.example.com)") from error


def domain_covers(spec: str, host: str, *, is_strict: bool = False) -> bool:
    """Whether ``domain:example.com`` (that host), ``domain:*.example.com`` (its subdomains) or ``domain:example.*``
    covers the host.

    Elsewhere than at the beginning ``*`` stands for characters of one label. ``is_strict``, for rules that deny:
    ``www.`` makes no difference.
    """
    try:
        wanted = _labels(spec)
    except ValueError:
        return False
    name = spec.removeprefix(DOMAIN)
    if name.startswith(ANY_SUBDOMAIN):
        labels = host.split(".")[-len(wanted.split(".")) :]
        return host.count(".") > wanted.count(".") and _labels_match(wanted, ".".join(labels))
    if is_strict and "*" not in wanted:
        return site(host) == site(wanted)
    return _labels_match(wanted, host)


def _labels(spec: str) -> str:
    """The host that a rule names, in its one spelling, without the ``*.`` before it. Raises ``ValueError``."""
    name = spec.removeprefix(DOMAIN).removeprefix(ANY_SUBDOMAIN)
    if "*" not in name:
        return normal_host(name)
    # A star is no character of a name; what is around it must be one.
    return normal_host(name.lower().replace("*", STAR)).replace(STAR, "*")


def _labels_match(wanted: str, host: str) -> bool:
    patterns, labels = wanted.split("."), host.split(".")
    return len(patterns) == len(labels) and all(map(star_match, patterns, labels))
