"""What a text search found, as text for the model and as a line for the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.protocol.views import ToolDisplay
from core.tools.base import ToolResult
from core.tools.search.found import Line, NewestFiles, counted, printable

MAX_LINE_CHARS = 500

Mode = Literal["files_with_matches", "content", "count"]


def rendered(
    found: NewestFiles, lines: Sequence[Line], *, mode: Mode, prefix: str, numbers: bool, context: bool, limit: int
) -> ToolResult:
    """The result of a search. ``prefix`` stands before each name; ``lines`` are more than ``limit`` where there are
    more."""
    total = f"{counted(found.matches, 'match', 'matches')} in {counted(found.files, 'file')}"
    details = {"files": found.files, "matches": found.matches}
    if mode == "files_with_matches":
        total = counted(found.files, "file")
        del details["matches"]
    if mode == "content":
        shown, is_cut = _content(lines[:limit], prefix, numbers, context), len(lines) > limit
        note = f"[Cut at {counted(limit, 'line')}: there are {total}. Narrow the search or raise head_limit.]"
    else:
        newest = found.newest()
        shown = [f"{prefix}{file.name}" + (f":{file.matches}" if mode == "count" else "") for file in newest]
        is_cut = found.files > len(newest)
        note = (
            f"[Cut: the {len(newest):,} last modified of {total}, {counted(found.files - len(newest), 'more file')} "
            "not shown. Narrow the search or raise head_limit.]"
        )
    if is_cut:
        shown += ["", note]
    return ToolResult(
        content=printable("\n".join(shown)) or "No matches found",
        display=ToolDisplay(summary=total, details={**details, "is_cut": is_cut}),
    )


def _content(lines: Sequence[Line], prefix: str, numbers: bool, context: bool) -> list[str]:
    """One text per line, and with ``context`` dashes where lines are left out between two."""
    shown: list[str] = []
    last: Line | None = None
    for line in lines:
        if context and last is not None and (line.name, line.number) != (last.name, last.number + 1):
            shown.append("--")
        mark = ":" if line.is_match else "-"
        number = f"{line.number}{mark}" if numbers else ""
        shown.append(f"{prefix}{line.name}{mark}{number}{_bounded(line.text)}")
        last = line
    return shown


def _bounded(text: str) -> str:
    text = text.removesuffix("\r")
    return text if len(text) <= MAX_LINE_CHARS else f"{text[:MAX_LINE_CHARS]} [… cut at {MAX_LINE_CHARS} characters]"
