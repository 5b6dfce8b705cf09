"""A widget that draws styled lines: the base of everything here but the conversation and the editor."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.rendering.line import Line, truncate
from tui.rendering.palette import Palette
from tui.widgets.wall import Walled


class LineWidget(Walled, Widget):
    """Draws what ``build`` gives for its width; as high as that where its height is ``auto``."""

    DEFAULT_CSS = """
    LineWidget {
        height: auto;
        width: 1fr;
    }
    """

    def __init__(self, palette: Palette, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._palette = palette
        self._built: list[Line] = []
        self._built_width = -1

    def build(self, width: int) -> list[Line]:
        """The lines; those wider than ``width`` are cut."""
        raise NotImplementedError

    def update_lines(self) -> None:
        """What is shown may have changed: draw it where it has, and lay out anew only where the height is another."""
        before = self._built
        self._rebuild(self._built_width)
        if len(self._built) != len(before) or self._built_width < 0:
            self.refresh(layout=True)
        elif self._built != before:
            self.refresh()

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        if width != self._built_width:
            self._rebuild(width)
        return len(self._built)

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if width != self._built_width:
            self._rebuild(width)
        base: Style = self.rich_style
        if y >= len(self._built):
            return Strip.blank(width, base)
        strip = Strip(self._palette.segments(truncate(self._built[y], width)))
        return strip.adjust_cell_length(width, base).apply_style(base)

    def _rebuild(self, width: int) -> None:
        self._built_width = width
        self._built = self.build(width) if width > 0 else []
