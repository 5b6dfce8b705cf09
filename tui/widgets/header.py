"""The top line: program, folder, branch, model, and the demo badge."""

from __future__ import annotations

import os

from tui.rendering.line import ELLIPSIS, Line, Span, cell_len, graphemes, line_width
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget

MIN_FOLDER = 12
"""Columns that the folder keeps before something else gives way."""


class Header(LineWidget):
    """One line, always there."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="header")
        self._folder = _home_short(os.getcwd())  # noqa: PTH109
        self._branch = ""
        self._model = ""
        self._is_demo = False

    def show_session(self, folder: str, model: str, *, is_demo: bool) -> None:
        """What the session is about."""
        self._folder, self._model, self._is_demo = _home_short(folder), model, is_demo
        self.update_lines()

    def show_branch(self, branch: str) -> None:
        """The git branch; empty where there is none."""
        self._branch = clean_line(branch)
        self.update_lines()

    def show_model(self, model: str) -> None:
        """Another model."""
        self._model = model
        self.update_lines()

    def build(self, width: int) -> list[Line]:
        name: Span = ("agent-tui  ", "strong accent")
        folder = clean_line(self._folder)
        branch: list[Span] = [(f" ({self._branch})", "muted")] if self._branch else []
        model: list[Span] = [(f" {clean_line(self._model)}", "muted")] if self._model else []
        badge: list[Span] = [(" DEMO: scripted words, real tools ", "badge")] if self._is_demo else []
        short: list[Span] = [(" DEMO ", "badge")] if self._is_demo else []
        # What gives way on a narrow screen, in this order; that it is a demo is always told.
        right, room = badge + model, 0
        for middle, right in ((branch, badge + model), (branch, short + model), (branch, short), ([], short)):
            branch = middle
            room = width - line_width([name, *middle, *right]) - 1
            if room >= min(cell_len(folder), MIN_FOLDER):
                break
        left: list[Span] = [name, (_end_of(folder, max(1, room)), "text"), *branch]
        gap = width - line_width(left) - line_width(right)
        return [(*left, (" " * max(1, gap), "text"), *right)]


def _end_of(path: str, room: int) -> str:
    """The path, or its end where there is no room for all of it."""
    if cell_len(path) <= room:
        return path
    kept = graphemes(path)
    while kept and cell_len("".join(kept)) > room - 1:
        del kept[0]
    return ELLIPSIS + "".join(kept)


def _home_short(path: str) -> str:
    home = os.environ.get("HOME", "")
    return "~" + path[len(home) :] if home and (path == home or path.startswith(home + "/")) else path
