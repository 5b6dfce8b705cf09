"""Which addresses may become links that a terminal opens, and how a style name carries one.

Everything that could deceive stays plain text: other schemes, a user before the host, characters that do not print,
hosts in other alphabets unless written in their ASCII form, addresses without end.
"""

import re
from urllib.parse import urlsplit

HREF = "href="
"""Begins the word of a style string that holds an address."""

_MAX_LENGTH = 2_000
_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?|\[[0-9a-f:.]+\]")
_MAIL = re.compile(r"mailto:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_BARE = re.compile(r"\bhttps?://[^\s<>\"'`|\\^{}]+")
_TRAILING = ".,;:!?*_~"


def is_safe(address: str) -> bool:
    """Whether an address may be handed to the terminal."""
    if len(address) > _MAX_LENGTH or not _PRINTABLE.fullmatch(address):
        return False
    if address.lower().startswith("mailto:"):
        return bool(_MAIL.fullmatch(address))
    try:
        parts = urlsplit(address)
        _ = parts.port  # Raises where it is no number.
    except ValueError:
        return False
    host = parts.netloc.lower().rpartition(":")[0] if parts.port is not None else parts.netloc.lower()
    return parts.scheme in ("http", "https") and "\\" not in address and bool(_HOST.fullmatch(host.removesuffix(":")))


def link_style(address: str) -> str:
    """The style words of a link; without the address if that is not safe."""
    return f"link {HREF}{address}" if is_safe(address) else "link"


def target(word: str) -> str:
    """The address that a style word holds, checked once more; empty if it holds none."""
    address = word.removeprefix(HREF)
    return address if address != word and is_safe(address) else ""


def bare_links(text: str) -> list[tuple[int, int]]:
    """Where whole addresses stand in a text; punctuation behind one does not belong to it."""
    if "://" not in text:
        return []
    found: list[tuple[int, int]] = []
    for match in _BARE.finditer(text):
        address = match[0].rstrip(_TRAILING)
        for closing, opening in (")(", "]["):
            while address.endswith(closing) and address.count(closing) > address.count(opening):
                address = address[:-1].rstrip(_TRAILING)
        if is_safe(address):
            found.append((match.start(), match.start() + len(address)))
    return found
