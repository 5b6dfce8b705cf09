"""Images that the user hands in with a prompt: read and checked before anything is sent."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from core.host.clipboard_image import ClipboardError, clipboard_image
from core.protocol.errors import AgentError
from core.protocol.views import ImageAttachment
from core.tools.images import MAX_IMAGE_BYTES, checked_image, encode


def load_image(raw: str, cwd: Path) -> ImageAttachment:
    """The image of a file. Blocks. Raises ``AgentError`` where it cannot be sent."""
    try:
        path = cwd / Path(raw).expanduser()
        # Not to be waited for: a pipe without a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            info = os.fstat(stream.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise AgentError(f"{path.name} is not a file; it stays as a path.")
            data = stream.read(MAX_IMAGE_BYTES + 1)
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
    image = checked_image(data, name)
    return ImageAttachment(
        name=name, media_type=image.media_type, data=encode(data), width=image.width, height=image.height, path=path
    )
