"""Inline Markdown to spans: emphasis, code, links, images.

Takes the text of one paragraph, heading or cell and returns cleaned spans; it wraps nothing and knows no blocks.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from tui.rendering.line import ELLIPSIS, Line, Span, plain
from tui.rendering.links import bare_links, link_style
from tui.rendering.parser import parse_inline
from tui.rendering.sanitize import clean

if TYPE_CHECKING:
    from markdown_it.token import Token

# Longer texts are not remembered: the one that is being written would fill the memory with its past.
_CACHED_LENGTH = 1000

# A longer text is cut in pieces that are parsed apart: what a delta of a long paragraph costs has a bound, and so has
# what unpaired marks cost. Marks do not reach from one piece into another.
_PIECE = 2_000
_BORDER = re.compile(r"(?<![\s\\])[ \n](?!\s)")

# An image may be written into the text as its data.
_IMAGE_SOURCE = 120

_OPENED = {"strong_open": "strong", "em_open": "emphasis", "s_open": "strike", "link_open": "link"}
_CLOSED = {"strong_close": "strong", "em_close": "emphasis", "s_close": "strike", "link_close": "link"}


def inline_spans(content: str, base: str) -> Line:
    """The spans of an inline text, styled over `base`; a hard break is a newline."""
    if len(content) <= _CACHED_LENGTH:
        return _cached_spans(content, base)
    if len(content) <= _PIECE:
        return _spans(content, base)
    spans: list[Span] = []
    start = 0
    while len(content) - start > _PIECE:
        end = _piece_end(content[start : start + _PIECE])
        spans += _piece_spans(content[start : start + end], base)
        start += end
        if content[start].isspace():
            spans.append((" ", base))
            start += 1
    return (*spans, *_spans(content[start:], base))


def _piece_end(window: str) -> int:
    """Where the first piece of a text ends: between two words, outside of marks if there is such a place."""
    borders = [match.start() for match in _BORDER.finditer(window, len(window) // 2)]
    for border in reversed(borders):
        head = window[:border]
        pairs = head.count("**")
        if not (pairs % 2 or head.count("*") % 2 or head.count("`") % 2 or head.count("[") > head.count("]")):
            return border
    return borders[-1] if borders else len(window)


@lru_cache(maxsize=256)
def _piece_spans(content: str, base: str) -> Line:
    return _spans(content, base)


@lru_cache(maxsize=2048)
def _cached_spans(content: str, base: str) -> Line:
    return _spans(content, base)


def _spans(content: str, base: str) -> Line:
    spans: list[Span] = []
    active: list[str] = []
    links: list[tuple[str, int]] = []  # The address of an open link, and the number of spans before its text.
    style = base
    for token in parse_inline(content):
        kind = token.type
        if kind == "text":
            _add_text(spans, _one_line(token.content), style, is_linked=bool(links))
        elif kind == "code_inline":
            _add(spans, _one_line(token.content), f"{style} code")
        elif kind == "softbreak":
            _add(spans, " ", style)
        elif kind == "hardbreak":
            _add(spans, "\n", style)
        elif kind == "image":
            _add(spans, _image(token), f"{style} image")
        elif kind in _OPENED:
            address = str(token.attrs.get("href", ""))
            active.append(link_style(address) if kind == "link_open" else _OPENED[kind])
            style = " ".join([base, *active])
            if kind == "link_open":
                # Where the text is a host in another alphabet, its ASCII form tells what it is.
                is_plain = token.markup == "autolink" and "xn--" not in address
                links.append(("" if is_plain else address, len(spans)))
        elif kind in _CLOSED:
            if kind == "link_close" and links:
                _add_address(spans, *links.pop(), base)
            closed = [at for at, word in enumerate(active) if word.split()[0] == _CLOSED[kind]]
            if closed:
                del active[closed[-1]]
            style = " ".join([base, *active])
        else:
            _add(spans, _one_line(token.content), style)
    return tuple(spans)


def _add(spans: list[Span], text: str, style: str) -> None:
    if not text:
        return
    if spans and spans[-1][1] == style:
        spans[-1] = (spans[-1][0] + text, style)
    else:
        spans.append((text, style))


def _add_text(spans: list[Span], text: str, style: str, *, is_linked: bool) -> None:
    """Add a text; addresses in it lead where they say."""
    start = 0
    for first, end in () if is_linked else bare_links(text):
        _add(spans, text[start:first], style)
        _add(spans, text[first:end], f"{style} {link_style(text[first:end])}")
        start = end
    _add(spans, text[start:], style)


def _add_address(spans: list[Span], address: str, start: int, base: str) -> None:
    """Write the address behind a link unless its text says the same."""
    address = _one_line(address)
    shown = plain(spans[start:]).strip()
    if address and shown not in (address, address.removeprefix("mailto:")):
        href = link_style(address).removeprefix("link")
        _add(spans, f" ({address})", f"{base} link.address{href}")


def _image(token: "Token") -> str:
    """An image by its name and its address; images are not drawn."""
    name = _one_line("".join(child.content for child in token.children or ()) or token.content)
    source = _one_line(str(token.attrs.get("src", "")))
    if len(source) > _IMAGE_SOURCE:
        source = source[:_IMAGE_SOURCE] + ELLIPSIS
    return f"[image: {' · '.join(part for part in (name, source) if part)}]"


def _one_line(text: str) -> str:
    """Clean a text; an entity may have smuggled a line break in."""
    return clean(text.replace("\r", " ")).replace("\n", " ")
