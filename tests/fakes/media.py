"""Real small files of the kinds that Read shows as what they are."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from typing import Any

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H///"
    "/6/+b9//j/wAALCAAGAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AL//Z"
)
GIF = base64.b64decode("R0lGODdhCAAGAIEAAMgeHgAAAAAAAAAAACwAAAAACAAGAAAIDgABCBxIsKDBgwgTDgwIADs=")
WEBP = base64.b64decode("UklGRjIAAABXRUJQVlA4ICYAAABwAQCdASoIAAYAB0CWJaACdAFAAAD+5AFjCaSdH8zfhR8nUAAAAA==")
WEBP_LOSSLESS = base64.b64decode("UklGRiIAAABXRUJQVlA4TBYAAAAvB0ABAAdQjyLXo/8BgCD8b5uI6H8I")


def png(width: int = 8, height: int = 6, padding: int = 0) -> bytes:
    """A grey image that decoders take; ``padding`` bytes of a chunk that they skip make it large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    parts = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    if padding:
        parts.insert(1, (b"prVt", bytes(padding)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf(pages: int, password: str = "", padding: int = 0) -> bytes:
    """A document whose pages are 101, 102, … points wide; ``padding`` bytes of an attachment make it large."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for number in range(1, pages + 1):
        writer.add_blank_page(100 + number, 200)
    if padding:
        writer.add_attachment("padding.bin", bytes(padding))
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def page_widths(data: bytes) -> list[int]:
    """The widths of a document's pages: which they are."""
    from pypdf import PdfReader

    return [round(page.mediabox.width) for page in PdfReader(io.BytesIO(data)).pages]


def code_cell(source: str, *outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A cell with code that was run."""
    return {
        "cell_type": "code",
        "execution_count": 1,
        **more,
        "metadata": {},
        "outputs": list(outputs),
        "source": source.splitlines(keepends=True),
    }


def markdown_cell(source: str, **more: Any) -> dict[str, Any]:
    """A cell with prose."""
    return {"cell_type": "markdown", **more, "metadata": {}, "source": source.splitlines(keepends=True)}


def notebook(*cells: dict[str, Any], minor: int = 5, indent: int | str | None = 1) -> str:
    """A notebook as its own program writes it."""
    data = {
        "cells": list(cells),
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": minor,
    }
    return json.dumps(data, indent=indent, ensure_ascii=False) + "\n"
