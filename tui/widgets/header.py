"""The top line: program, folder, branch, model, and the demo badge."""

from __future__ import annotations

import os

from tui.rendering.line import Line, Span, line_width
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.widgets.line_widget import LineWidget


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
        badge: Span = (" DEMO: scripted words, real tools ", "badge")
        right: list[Span] = [badge] if self._is_demo else []
        right.append((f" {self._model}", "muted"))
        left: list[Span] = [("agent-tui", "strong accent"), (f"  {self._folder}", "text")]
        if self._branch:
            left.append((f" ({self._branch})", "muted"))
        gap = width - line_width(left) - line_width(right)
        if gap < 1 and self._is_demo:
            right = [(" DEMO ", "badge")]
            gap = width - line_width(left) - line_width(right)
        if gap < 1:
            right, gap = right[:1] if self._is_demo else [], 1
        return [(*left, (" " * max(1, gap), "text"), *right)]


def _home_short(path: str) -> str:
    home = os.environ.get("HOME", "")
    return "~" + path[len(home) :] if home and (path == home or path.startswith(home + "/")) else path
