"""PDFs for the model: how many pages there are, and a document of some of them."""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.host.garbage import importing
from core.tools.base import ToolError

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PDF_BYTES = 32_000_000
MAX_PAGES = 20
"""That one call may ask for."""
MAX_UNASKED_PAGES = 10
"""That are sent where no pages are asked for."""
PAGES = re.compile(r"(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?")
TITLE = re.compile(r"(\d+) pages?: ")

# What reading a file of any bytes may raise beside the library's own errors.
_ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class PdfPart:
    """Some pages of a PDF, as a document of its own."""

    data: bytes
    first: int
    last: int
    total: int

    @property
    def count(self) -> int:
        """Of the pages in it."""
        return self.last - self.first + 1

    @property
    def described(self) -> str:
        """``5 pages``, or ``pages 3–5 of 40``."""
        if self.count == self.total:
            return f"{self.total} page{'' if self.total == 1 else 's'}"
        shown = f"pages {self.first}–{self.last}" if self.count > 1 else f"page {self.first}"
        return f"{shown} of {self.total}"


def title(name: str, part: PdfPart) -> str:
    """The title under which a document is sent. It says how many pages it has: the data would not tell cheaply."""
    pages = f"{part.count} page{'' if part.count == 1 else 's'}"
    return f"{pages}: {name}" + (f", {part.described}" if part.count < part.total else "")


def pages_in(document_title: object) -> int:
    """The number of pages that a title tells; 0 where it tells none."""
    match = TITLE.match(document_title) if isinstance(document_title, str) else None
    return int(match[1]) if match else 0


def document_block(encoded: str, document_title: str) -> dict[str, Any]:
    """A PDF in the API's form."""
    source = {"type": "base64", "media_type": "application/pdf", "data": encoded}
    return {"type": "document", "source": source, "title": document_title}


def take_pages(data: bytes, wanted: str | None, name: str) -> PdfPart:
    """The pages asked for, or all where there are few. Takes a while. Raises ``ToolError``."""
    with importing():
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError

    _keep_off_the_terminal()
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise ToolError(
                f"{name} is encrypted and cannot be sent.", "Make an open copy with a command (qpdf --decrypt)."
            )
        total = len(reader.pages)
        if not total:
            raise ToolError(f"{name} has no pages.")
        first, last = _chosen(wanted, total, name)
        if last - first + 1 == total:
            return PdfPart(data, first, last, total)
        return PdfPart(_extracted(reader, first, last), first, last, total)
    except (PyPdfError, *_ODD) as error:
        reason = str(error) or type(error).__name__
        raise ToolError(
            f"{name} cannot be read as a PDF: {reason}.", "Try to repair it (qpdf in.pdf out.pdf), or use pdftotext."
        ) from error


def _chosen(wanted: str | None, total: int, name: str) -> tuple[int, int]:
    """First and last page. Raises ``ToolError`` for what is not there, or too much."""
    if wanted is None:
        if total > MAX_UNASKED_PAGES:
            raise ToolError(
                f"{name} has {total} pages, too many to show unasked.",
                f'Say which with pages, for instance pages="1-{MAX_UNASKED_PAGES}"; {MAX_PAGES} at most in one call.',
            )
        return 1, total
    match = PAGES.fullmatch(wanted.strip())
    if match is None:
        raise ToolError(f"{wanted!r} names no pages.", 'Write one page or one range: "3", "1-5".')
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last or first > total:
        raise ToolError(f"There are no pages {wanted.strip()} in {name}: it has {total}.")
    last = min(last, total)
    if last - first + 1 > MAX_PAGES:
        raise ToolError(f"These are {last - first + 1} pages; {MAX_PAGES} at most in one call.", "Ask for fewer.")
    return first, last


def _extracted(reader: PdfReader, first: int, last: int) -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter()
    for number in range(first - 1, last):
        writer.add_page(reader.pages[number])
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def _keep_off_the_terminal() -> None:
    """The library warns of every oddity of a file; without a handler Python would print that into the window."""
    logger = logging.getLogger("pypdf")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
