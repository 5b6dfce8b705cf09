"""Results that are too large for the model: the whole on disk, a preview in their place."""

from __future__ import annotations

from pathlib import Path

from core.host.files import write_atomic

PREVIEW_CHARS = 2_000


def bounded(content: str, limit: int | None, path: Path) -> str:
    """``content``, or where it is longer than ``limit`` characters a preview that names the file with the whole.

    Where the file cannot be written the beginning up to the limit is kept, and it is said that the rest is lost.
    """
    if limit is None or len(content) <= limit:
        return content
    lines = content.count("\n") + 1
    size = f"{len(content):,} characters in {lines:,} lines"
    try:
        write_atomic(path, content.encode("utf-8", "surrogatepass"), 0o600)
    except OSError as error:
        return f"{content[:limit]}\n\n[Cut: the result has {size}, and could not be saved: {error.strerror}.]"
    head = content[:PREVIEW_CHARS].rpartition("\n")[0] or content[:PREVIEW_CHARS]
    return (
        f"[The result is too large to show: {size}. The whole is in {path}: "
        f"use Read with offset and limit, or Grep, on that file. It begins:]\n\n{head}\n\n[…]"
    )
