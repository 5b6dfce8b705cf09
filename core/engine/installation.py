"""Who asks, as the API is told: this installation by a random name, and the session. Nobody in person."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from core.host.files import BinaryFileError, read_text, write_atomic

NAME_BYTES = 16
_NAME = re.compile(r"[0-9a-f]{32}")


def user_id(data: Path, session_id: str) -> str:
    """The same for all requests of a session, and at most 256 characters: the API binds thinking to it."""
    return f"installation_{_installation(data / 'installation')}_session_{session_id}"[:256]


def _installation(path: Path) -> str:
    """The name in the file, made once. With a disk that fails it is another one in each session."""
    try:
        found = read_text(path, 1_000).text.strip()
        if _NAME.fullmatch(found):
            return found
    except (OSError, BinaryFileError):
        pass
    name = secrets.token_hex(NAME_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, f"{name}\n".encode(), 0o600)
    except OSError:
        pass
    return name
