"""Addresses: which machines are never reached without leave, how hosts are spelt, what a rule covers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.permissions.access import Access
from core.permissions.decide import decide
from core.permissions.hosts import normal_host
from core.permissions.policy import Policy
from core.permissions.proposals import propose
from core.permissions.rules import parse_rule
from core.protocol.views import PermissionMode
from core.tools.web.address import WebError, is_listed, is_local_name, is_public, is_same_site, parse_address

PRIVATE = (
    "127.0.0.1 127.8.9.1 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 "
    "192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 "
    ":: ::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12:3456::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 "
    "::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 2002:7f00:1::1 "
    "2002:c0a8:101::1 2001:0:7f00:1::1 nonsense"
).split()
PUBLIC = "1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8".split()


@pytest.mark.parametrize("ip", PRIVATE)
def test_addresses_that_are_not_of_the_open_internet(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_addresses_of_the_open_internet(ip: str) -> None:
    assert is_public(ip)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_a_longer_one_is_judged_as_itself(ip: object) -> None:
    plain = is_public(str(ip))
    assert is_public(f"::ffff:{ip}") == plain
    assert is_public(f"64:ff9b::{ip}") == plain


@pytest.mark.parametrize(
    "spelling",
    "127.0.0.1 127.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.0.0.1. 0x7f.0.0x0.01".split(),
)
def test_every_spelling_of_an_ipv4_address_is_the_same_host(spelling: str) -> None:
    assert normal_host(spelling) == "127.0.0.1"
    assert parse_address(f"http://{spelling}/").host == "127.0.0.1"


def test_hosts_have_one_spelling() -> None:
    assert normal_host("WWW.Example.COM.") == "www.example.com"
    assert normal_host("[::1]".strip("[]")) == normal_host("0:0:0:0:0:0:0:1") == "::1"
    assert normal_host("straße.de") == "xn--strae-oqa.de"
    assert parse_address("http://[::FFFF:7F00:1]:80/x#part") == parse_address("http://[::ffff:127.0.0.1]/x")
    assert str(parse_address("https://Example.com:443")) == "https://example.com/"
    assert str(parse_address("http://example.com:8080/a?b=c#d")) == "http://example.com:8080/a?b=c"


@pytest.mark.parametrize("host", ["", ".", "a..b", "a b", "exa%6dple.com", "a" * 64 + ".com", "256.1.1.1", "1.2.3.4.5"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError, match=r"host|address"):
        normal_host(host)


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost", "localhost.localdomain", "printer.local", "nas.lan", "db.internal"]
)
def test_names_that_are_local_whatever_they_resolve_to(host: str) -> None:
    assert is_local_name(host)
    assert is_local_name(parse_address(f"http://{host.upper()}./").host)


def test_a_name_that_only_begins_like_a_local_one_is_not() -> None:
    assert not any(map(is_local_name, ("localhost.example.com", "notlocalhost", "internal.example.org")))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.com/", "http"),
        ("file:///etc/passwd", "http"),
        ("javascript:alert(1)", "http"),
        ("example.com", "http"),
        ("http:///path", "http"),
        ("https://", "http"),
        ("https://user:secret@example.com/", "user name"),
        ("https://example.com\\@evil.example/", "backslash"),
        ("https://exa mple.com/", "blank"),
        ("https://example.com/a\nHost: evil", "control"),
        ("https://example.com:99999/", "URL"),
        ("https://[::1/", "URL"),
        ("https://[fe80::1%25eth0]/", "URL"),
        ("https://example.com/" + "a" * 9_000, "characters"),
    ],
)
def test_what_is_not_fetched_at_all(url: str, says: str) -> None:
    with pytest.raises(WebError, match=says):
        parse_address(url)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("http://example.com/", "https://example.com/", True),
        ("http://example.com/", "https://www.example.com/x", True),
        ("https://www.example.com/", "https://example.com/", True),
        ("https://example.com/", "http://example.com/", False),
        ("https://example.com/", "https://example.com:8443/", False),
        ("http://localhost:3000/", "http://localhost:4000/", False),
        ("https://example.com/", "https://docs.example.com/", False),
        ("https://example.com/", "https://example.com.evil.org/", False),
        ("https://www.com/", "https://com/", False),
    ],
)
def test_redirects_that_stay_on_a_site(old: str, new: str, same: bool) -> None:
    assert is_same_site(parse_address(old), parse_address(new)) is same


@pytest.mark.parametrize(
    ("entry", "url", "listed"),
    [
        ("localhost:3000", "http://localhost:3000/", True),
        ("localhost:3000", "http://localhost:3001/", False),
        ("localhost", "http://LOCALHOST.:3001/", True),
        ("10.0.0.7", "http://10.0.0.7/", True),
        ("[::1]:80", "http://[::1]/", True),
        ("*.internal", "https://wiki.internal/", True),
        ("*.internal", "https://internal/", False),
        ("localhost", "http://evil.localhost/", False),
        ("", "http://localhost/", False),
        ("http://localhost", "http://localhost/", False),
        ("localhost:nonsense", "http://localhost/", False),
    ],
)
def test_the_list_of_private_hosts(entry: str, url: str, listed: bool) -> None:
    assert is_listed(parse_address(url), (entry,)) is listed


def policy(*allow: str, deny: tuple[str, ...] = (), mode: PermissionMode = "default") -> Policy:
    here = Path("/work/here")
    rules = [parse_rule(text, "allow") for text in allow] + [parse_rule(text, "deny") for text in deny]
    return Policy(mode=mode, cwd=here, roots=(here,), rules=tuple(rules))


def fetch(host: str) -> Access:
    return Access(hosts=(host,), sends=f"it fetches a page from {host}", is_read_only=True)


@pytest.mark.parametrize(
    ("rule", "host", "allowed"),
    [
        ("WebFetch", "example.com", True),
        ("WebFetch(*)", "example.com", True),
        ("WebFetch(domain:example.com)", "example.com", True),
        ("WebFetch(domain:Example.COM.)", "example.com", True),
        ("WebFetch(domain:example.*)", "example.org", True),
        ("WebFetch(domain:example.*)", "example.evil.com", False),
        ("WebFetch(domain:example.com)", "docs.example.com", False),
        ("WebFetch(domain:example.com)", "example.com.evil.org", False),
        ("WebFetch(domain:*.example.com)", "a.docs.example.com", True),
        ("WebFetch(*.example.com)", "docs.example.com", True),
        ("WebFetch(domain:*.example.com)", "example.com", False),
        ("WebFetch(domain:*.example.com)", "notexample.com", False),
        ("Read(//**)", "example.com", False),
        ("Edit", "example.com", False),
        ("Bash(curl:*)", "example.com", False),
    ],
)
def test_rules_that_name_hosts(rule: str, host: str, allowed: bool) -> None:
    assert decide("WebFetch", fetch(host), policy(rule)).behavior == ("allow" if allowed else "ask")
    denied = decide("WebFetch", fetch(host), policy("WebFetch", deny=(rule,))).behavior
    assert denied == ("deny" if allowed else "allow")


def test_the_name_with_www_is_another_host_to_what_allows_and_the_same_to_what_denies() -> None:
    rule = "WebFetch(domain:example.com)"
    assert decide("WebFetch", fetch("www.example.com"), policy(rule)).behavior == "ask"
    assert decide("WebFetch", fetch("www.example.com"), policy("WebFetch", deny=(rule,))).behavior == "deny"


@pytest.mark.parametrize("text", ["WebFetch(https://example.com/*)", "WebFetch(domain:)", "WebFetch(domain:a b)"])
def test_a_rule_that_names_no_host_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"domain:example\.com"):
        parse_rule(text, source="test")


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "plan"])
def test_the_network_is_asked_about_in_every_mode_but_one(mode: PermissionMode) -> None:
    search = Access(sends="the query goes out", is_read_only=True)
    for tool, access in (("WebFetch", fetch("example.com")), ("WebSearch", search)):
        assert decide(tool, access, policy(mode=mode)).behavior == "ask"
        found = propose(tool, access, policy(mode=mode))
        assert decide(tool, access, policy(*found.scopes[found.at].rules, mode=mode)).behavior == "allow"
    found = propose("WebFetch", fetch("example.com"), policy())
    assert [scope.rules for scope in found.scopes] == [("WebFetch(domain:example.com)",)]
    assert [scope.rules for scope in propose("WebSearch", search, policy()).scopes] == [("WebSearch",)]
    assert decide("WebFetch", fetch("other.org"), policy("WebFetch(domain:example.com)", mode=mode)).behavior == "ask"
    assert decide("WebFetch", fetch("example.com"), policy(mode="bypassPermissions")).behavior == "allow"
