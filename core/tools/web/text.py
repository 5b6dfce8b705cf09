"""From the bytes of a page to text that a model can read: what kind it is, how it is encoded, HTML to Markdown."""

from __future__ import annotations

import codecs
import html
import json
import re
import sys
from pathlib import Path

from core.host.process import ProcessHost
from core.tools.web.address import WebError

CONVERTER = Path(__file__).with_name("html_child.py")
CONVERT_TIMEOUT_S = 20.0
"""Ten megabytes of ordinary HTML take two."""
SNIFFED_BYTES = 4_096
TEXT_TYPES = re.compile(
    r"text/.*|application/(?:.*\+)?(?:json|xml|yaml|toml|javascript|ecmascript|sql|graphql)"
    r"|application/(?:x-)?(?:sh|yaml|toml|javascript|ndjson|jsonl|httpd-php|tex|latex|www-form-urlencoded)"
    r"|image/svg\+xml|message/.*"
)
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
HTML_START = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
DECLARED = re.compile(rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?([\w.:-]{1,40})""", re.I)
HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
TITLE = re.compile(r"<title\b[^>]{0,200}>(.{0,1000}?)</title>", re.IGNORECASE | re.DOTALL)
ENCODINGS = re.compile(
    r"utf-(?:8|16|32).*|ascii|iso8859-\d+|cp\d+|koi8-\w|gb\w+|big5\w*|euc_\w+|shift_jis\w*|iso2022_\w+|mac-\w+|hz"
)
"""Codecs of text. Python has others, and some of them take hours for a long text."""
WESTERN = frozenset({"ascii", "iso8859-1"})
"""What browsers read as Windows-1252, whatever it is called."""


def media_type(content_type: str) -> str:
    """``text/html`` of ``Text/HTML; charset=…``; empty where nothing is said."""
    return content_type.partition(";")[0].strip().lower()


def may_be_text(content_type: str) -> bool:
    """Whether the body is worth reading. Of what says nothing, or says "bytes", the beginning has to tell."""
    kind = media_type(content_type)
    return kind in ("", "application/octet-stream") or TEXT_TYPES.fullmatch(kind) is not None


def is_binary(content_type: str, body: bytes) -> bool:
    """Whether a body that claimed to be text, or nothing, is none."""
    return b"\0" in body[:SNIFFED_BYTES] and not _charset(content_type, body).startswith(("utf-16", "utf-32"))


def is_html(content_type: str, body: bytes) -> bool:
    """Whether the body is a page of HTML."""
    kind = media_type(content_type)
    if kind in HTML_TYPES:
        return True
    return kind in ("", "application/octet-stream") and HTML_START.match(body[:SNIFFED_BYTES]) is not None


def decode(content_type: str, body: bytes) -> str:
    """The text, by the encoding that the header, a byte order mark or the text itself names; else UTF-8."""
    return body.decode(_charset(content_type, body), "replace").removeprefix("\ufeff")


def _charset(content_type: str, body: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return name
    header = HEADER_CHARSET.search(content_type)
    declared = DECLARED.search(body[:SNIFFED_BYTES])
    named = (header[1] if header else "", declared[1].decode("ascii") if declared else "")
    return next((name for name in map(_known, named) if name), "utf-8")


def _known(label: str) -> str:
    """The codec of that name; empty where there is none that may be used."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    return "cp1252" if name in WESTERN else name if ENCODINGS.fullmatch(name) else ""


def title_of(page: str) -> str:
    """The title of a page of HTML, on one line."""
    match = TITLE.search(page[: 64 * SNIFFED_BYTES])
    return " ".join(html.unescape(match[1]).split()) if match else ""


async def to_markdown(page: str, base_url: str, processes: ProcessHost) -> str:
    """A page of HTML as Markdown, without what no reader sees, links made absolute. Raises ``WebError``."""
    # Isolated: neither the working folder nor PYTHONPATH may put another module in the converter's place.
    argv = (sys.executable, "-I", str(CONVERTER), base_url)
    try:
        done = await processes.run(
            argv, cwd=CONVERTER.parent, timeout=CONVERT_TIMEOUT_S, given=page.encode("utf-8", "replace")
        )
    except TimeoutError as error:
        raise _unreadable(base_url, f"took longer than {CONVERT_TIMEOUT_S:.0f} s") from error
    except OSError as error:
        raise _unreadable(base_url, f"could not be started: {error.strerror}") from error
    if done.exit_code:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"ended with {done.exit_code}"]
        raise _unreadable(base_url, f"failed: {why[0][:200]}")
    return json.loads(done.stdout)


def _unreadable(url: str, why: str) -> WebError:
    return WebError(
        f"The HTML of {url} could not be made readable: the converter {why}.", "Download it with Bash (curl)."
    )
