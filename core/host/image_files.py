"""What an image file says of itself: kind, size, whether all of it is there. Decodes nothing."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass

SNIFFED_CHARS = 100_000
"""Of base64: a JPEG may have that much before it says its size."""


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Kind and size in pixels; 0 where the file does not say."""

    media_type: str
    width: int = 0
    height: int = 0


def sniff_image(data: bytes) -> ImageSize | None:
    """Kind and size of a PNG, JPEG, GIF or WebP image; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageSize("image/png", *_unpack(">II", data, 16))
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return ImageSize("image/gif", *_unpack("<HH", data, 6))
    if data.startswith(b"\xff\xd8\xff"):
        return ImageSize("image/jpeg", *_jpeg_size(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageSize("image/webp", *_webp_size(data))
    return None


def sniff_encoded(data: str) -> ImageSize | None:
    """The same for an image in base64, of which only the beginning is decoded."""
    try:
        return sniff_image(base64.b64decode(data[:SNIFFED_CHARS]))
    except (binascii.Error, ValueError):
        return None


def is_whole(data: bytes, image: ImageSize) -> bool:
    """Whether the file goes on to its end and gives a size: one that was cut off is refused by whoever decodes it."""
    if not (image.width and image.height):
        return False
    match image.media_type:
        case "image/png":
            return _png_is_whole(data)
        case "image/jpeg":
            start = data.rfind(b"\xff\xda")
            return start > 0 and b"\xff\xd9" in data[start:]
        case "image/gif":
            return b"\0;" in data[-1024:]
        case _:
            return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _png_is_whole(data: bytes) -> bool:
    """Each chunk is there with its checksum, up to the last."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end + 4
    return False


def _unpack(form: str, data: bytes, at: int) -> tuple[int, int]:
    try:
        first, second = struct.unpack_from(form, data, at)
    except struct.error:
        return 0, 0
    return first, second


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """From the frame header, which stands behind any number of other segments."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _unpack(">HH", data, at + 5)
            return width, height
        if marker == 0xFF:
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X" if len(data) >= 30:
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L" if len(data) >= 25:
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = _unpack("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return 0, 0
