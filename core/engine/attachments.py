"""Images that the user hands in with a prompt: read and checked before anything is sent."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from core.host.clipboard_image import ClipboardError, clipboard_image
from core.host.image_files import sniff_image
from core.protocol.errors import AgentError
from core.protocol.views import ImageAttachment

MAX_ENCODED = 10 * 1024 * 1024
"""Characters of base64 that the API takes for one image."""
MAX_SIDE = 8_000
"""Pixels."""


def load_image(raw: str, cwd: Path) -> ImageAttachment:
    """The image of a file. Blocks. Raises ``AgentError`` where it cannot be sent."""
    try:
        path = cwd / Path(raw).expanduser()
        # Not to be waited for: a pipe without a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise AgentError(f"{path.name} is not a file; it stays as a path.")
            data = stream.read(MAX_ENCODED)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AgentError(f"{raw} cannot be read ({reason}); it stays as a path.") from error
    return _checked(data, path.name, str(path))


def load_clipboard() -> ImageAttachment:
    """The image in the clipboard. Blocks. Raises ``AgentError``."""
    try:
        data = clipboard_image(os.environ)
    except ClipboardError as error:
        raise AgentError(str(error)) from error
    return _checked(data, "clipboard", "")


def _checked(data: bytes, name: str, path: str) -> ImageAttachment:
    image = sniff_image(data)
    if image is None:
        raise AgentError(f"{name} is no PNG, JPEG, GIF or WebP image.")
    if len(data) * 4 // 3 > MAX_ENCODED:
        raise AgentError(f"{name} is too large: an image may have {MAX_ENCODED * 3 // 4 / 1e6:.1f} MB at most.")
    if max(image.width, image.height) > MAX_SIDE:
        raise AgentError(f"{name} has {image.width}×{image.height} pixels; {MAX_SIDE:,} a side is the most.")
    encoded = base64.b64encode(data).decode("ascii")
    return ImageAttachment(
        name=name, media_type=image.media_type, data=encoded, width=image.width, height=image.height, path=path
    )
