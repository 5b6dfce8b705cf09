"""Writes one setting into the user's file; everything else in it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from core.host.files import write_atomic
from core.protocol.errors import AgentError


def write_setting(user_file: Path, key: str, value: str) -> None:
    """Set a top-level key. Raises ``AgentError`` where the file cannot be read or written; it is then as it was."""
    try:
        text = user_file.read_text("utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"The setting is not saved: {user_file} cannot be read ({error}).") from error
    try:
        data: Any = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise AgentError(f"The setting is not saved: {user_file} is not valid JSON ({error}).") from error
    if not isinstance(data, dict):
        raise AgentError(f"The setting is not saved: {user_file} must hold a JSON object.")
    settings = cast("dict[str, Any]", data)
    settings[key] = value
    try:
        write_atomic(user_file, (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise AgentError(f"The setting is not saved: {error.strerror or error}.") from error
