"""The user's own messages, word for word, as a summary carries them on."""

from __future__ import annotations

from core.protocol.messages import Message

MAX_MESSAGE_CHARS = 8_000
"""Of a longer one, a paste most likely, the beginning and the end are carried on and the whole is in the file."""
MAX_CHARS = 60_000
SHARE = 0.15
"""Of the window that all of them may take."""
CHARS_PER_TOKEN = 3.6


def quoted(said: tuple[Message, ...], window: int, path: str) -> str:
    """The messages as numbered quotes. Where there is no room for all of them the oldest are only in the file."""
    room = min(MAX_CHARS, round(window * SHARE * CHARS_PER_TOKEN))
    quotes: list[str] = []
    for number in range(len(said), 0, -1):
        text = _whole_or_cut(said[number - 1].text, min(MAX_MESSAGE_CHARS, room // 2), path)
        quote = f'<message number="{number}">\n{text}\n</message>'
        if len(quote) > room:
            quotes.append(f"[Messages 1 to {number} are in {path}: Read it if what they said may matter.]")
            break
        room -= len(quote)
        quotes.append(quote)
    return "\n".join(reversed(quotes))


def as_file(said: tuple[Message, ...]) -> str:
    """All of them, whole."""
    return "\n\n".join(f"# Message {number}\n\n{message.text}" for number, message in enumerate(said, 1)) + "\n"


def _whole_or_cut(text: str, most: int, path: str) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    left_out = f"[… {len(text) - 2 * half:,} characters left out here; the whole is in {path} …]"
    return f"{text[:half]}\n{left_out}\n{text[-half:]}"
