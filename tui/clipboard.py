"""Copying text: to the machine's clipboard, else to the terminal's, else to a file; always said which."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui.bridge import Bridge
from tui.rendering.sanitize import clean_copy

MAX_TERMINAL_CHARS = 74_000
"""Longer texts are dropped by terminals without a word: encoded it is xterm's limit of 100,000 bytes."""


async def copy(bridge: Bridge, text: str, what: str, to_terminal: Callable[[str], None]) -> str:
    """Copy, and give a remark for the user. ``what`` names the text; ``to_terminal`` sends it by OSC 52."""
    text = clean_copy(text)
    if not text:
        return f"There is no {what} to copy here."
    tool = await asyncio.to_thread(bridge.copy, text)
    if tool:
        return f"Copied {what} ({tool})."
    if bridge.has_terminal_clipboard and len(text.encode("utf-8", "replace")) <= MAX_TERMINAL_CHARS:
        to_terminal(text)
        return f"Copied {what} (through the terminal)."
    try:
        path = await asyncio.to_thread(bridge.save_copy, text)
    except OSError as error:
        return f"Nothing takes a copy here: no clipboard tool, and the file failed ({error.strerror})."
    return f"Copied {what} to {path}: this terminal has no clipboard."
