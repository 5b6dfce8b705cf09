"""Marks on a scrollbar, where prompts and search hits are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBar, ScrollBarRender

MARK = "╺"


def show_marks(bar: ScrollBar, marks: Mapping[int, Style]) -> None:
    """Mark cells of a bar, counted from its top."""
    bar.renderer = partial(_MarkedRender, marks)  # pyright: ignore[reportAttributeAccessIssue]  as Textual documents it
    bar.refresh()


class _MarkedRender(ScrollBarRender):
    """Draws the bar as Textual does, then the marks over it."""

    def __init__(self, marks: Mapping[int, Style], **bar: Any) -> None:
        super().__init__(**bar)
        self._marks = marks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for bar in super().__rich_console__(console, options):
            if not isinstance(bar, Segments):
                yield bar
                continue
            segments = list(bar.segments)
            for cell, style in self._marks.items():
                if 0 <= cell < len(segments):
                    under = segments[cell].style or Style.null()
                    behind = under.color if under.reverse else under.bgcolor
                    segments[cell] = Segment(MARK, Style(color=style.color, bgcolor=behind, meta=under.meta))
            yield Segments(segments, new_lines=bar.new_lines)
