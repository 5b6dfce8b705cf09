"""Results that are too large for the model: the whole on disk, a preview in their place."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from core.host.files import write_atomic
from core.host.tasks import uncancelled
from core.tools.base import ToolResult

PREVIEW_CHARS = 2_000
MAX_NAME = 100


def result_path(folder: Path, tool_use_id: str) -> Path:
    """Where the result of a call is kept. The id is the server's: as a file name it is not trusted."""
    return folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', tool_use_id)[:MAX_NAME]}.txt"


async def bounded(result: ToolResult, limit: int | None, path: Path) -> ToolResult:
    """The result, or where its text is longer than ``limit`` characters one with a preview in its place."""
    if limit is None or not isinstance(result.content, str) or len(result.content) <= limit:
        return result
    return await moved(result, limit, path)


async def moved(result: ToolResult, limit: int, path: Path) -> ToolResult:
    """The result with its text in a file and a preview that names it. What is in a file already stays there.

    Where the file cannot be written the beginning up to ``limit`` is kept, and it is said that the rest is lost.
    """
    content, kept = result.content, result.display.saved_to
    assert isinstance(content, str)
    size = f"{len(content):,} characters in {content.count(chr(10)) + 1:,} lines"
    if not kept:
        try:
            await uncancelled(asyncio.to_thread(write_atomic, path, content.encode("utf-8", "surrogatepass"), 0o600))
        except OSError as error:
            lost = f"[Cut: the result has {size}, and could not be saved: {error.strerror}.]"
            return replace(result, content=f"{content[:limit]}\n\n{lost}")
        kept = str(path)
    head = content[:PREVIEW_CHARS].rpartition("\n")[0] or content[:PREVIEW_CHARS]
    preview = (
        f"[The result is too large to show: {size}. The whole is in {kept}: "
        f"use Read with offset and limit, or Grep, on that file. It begins:]\n\n{head}\n\n[…]"
    )
    return replace(result, content=preview, display=replace(result.display, saved_to=kept))


def with_remark(result: ToolResult, remark: str) -> ToolResult:
    """The result with what the user said when they allowed the call."""
    if not remark:
        return result
    text = f"[The user allowed this, and says: {remark}]"
    if isinstance(result.content, str):
        return replace(result, content=f"{result.content}\n\n{text}")
    return replace(result, content=(*result.content, {"type": "text", "text": text}))
