"""Rules about images and documents: what they hold, how large they are, how many there may be."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from core.host.image_files import is_whole, sniff_image
from tests.fakes.api_call import Call, Rejection, Rule, invalid
from tests.fakes.api_canon import Json, is_object, nested_blocks

MAX_IMAGE_CHARS = 10 * 1024 * 1024
MAX_SIDE = 8000
MANY_IMAGES, MANY_IMAGES_SIDE = 20, 2000
LARGE_WINDOW = 1_000_000
MAX_IMAGES = {True: 600, False: 100}
MAX_PAGES = {True: 600, False: 100}
"""By whether the model's window is large."""


def _attachments(call: Call) -> Iterator[tuple[str, Json, str]]:
    """Every block with base64 data: its path, itself, its data."""
    for item in call.items:
        for block in (item.block, *nested_blocks(item.block)):
            source: Any = block.get("source")
            if is_object(source) and source.get("type") == "base64":
                yield f"{item.path}.{block.get('type')}.source.base64", block, source["data"]


def attachments_are_sound(call: Call) -> Rejection | None:
    """Base64 decodes to what the block says it is, and none is too large."""
    for path, block, data in _attachments(call):
        complaint = _complaint(str(block.get("type")), block["source"]["media_type"], data)
        if complaint:
            return invalid(f"{path}: {complaint}")
    return None


def few_enough_attachments(call: Call) -> Rejection | None:
    """A request with many images takes only smaller ones, and there is a limit to images and to pages."""
    is_large = call.model.window >= LARGE_WINDOW
    images = [(path, data) for path, block, data in _attachments(call) if block.get("type") == "image"]
    pages = sum(_pages(data) or 0 for _path, block, data in _attachments(call) if block.get("type") == "document")
    if len(images) > MAX_IMAGES[is_large]:
        return invalid(f"messages: too many images: {len(images)} > {MAX_IMAGES[is_large]}")
    if pages > MAX_PAGES[is_large]:
        return invalid(f"messages: A maximum of {MAX_PAGES[is_large]} PDF pages may be provided. Found {pages}.")
    for path, data in images if len(images) > MANY_IMAGES else []:
        if _side(data) > MANY_IMAGES_SIDE:
            return invalid(
                f"{path}.data: At least one of the image dimensions exceed max allowed size for many-image requests: "
                f"{MANY_IMAGES_SIDE} pixels"
            )
    return None


@lru_cache(maxsize=64)
def _complaint(kind: str, media_type: str, encoded: str) -> str | None:
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        return "invalid base64 data"
    if not data:
        return f"{kind} cannot be empty"
    if kind == "document":
        return None if media_type != "application/pdf" or _pages(encoded) else "The PDF specified was not valid."
    if len(encoded) > MAX_IMAGE_CHARS:
        return f"image exceeds 10 MB maximum: {len(encoded)} bytes > {MAX_IMAGE_CHARS} bytes"
    image = sniff_image(data)
    if image is None or not is_whole(data, image):
        return "Could not process image"
    if image.media_type != media_type:
        return f"Image does not match the provided media type {media_type}"
    if max(image.width, image.height) > MAX_SIDE:
        return f"At least one of the image dimensions exceed max allowed size: {MAX_SIDE} pixels"
    return None


def _side(encoded: str) -> int:
    image = sniff_image(base64.b64decode(encoded))
    return max(image.width, image.height) if image else 0


@lru_cache(maxsize=64)
def _pages(encoded: str) -> int | None:
    """Pages of a PDF; None for what is none, or one with a password."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(base64.b64decode(encoded)))
        return None if reader.is_encrypted else len(reader.pages)
    except (PyPdfError, ValueError, LookupError):
        return None


ATTACHMENT_RULES: tuple[Rule, ...] = (attachments_are_sound, few_enough_attachments)
