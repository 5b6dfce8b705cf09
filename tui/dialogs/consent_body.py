"""What is asked about, in a body that scrolls and remembers how much of it was in view."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tui.dialogs.consent import Consent
from tui.dialogs.consent_lines import body_lines, explanation_lines, scope_lines
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget


class _Rows(LineWidget):
    """What is asked about, then rules that find no room elsewhere, then the explanation."""

    def __init__(self, palette: Palette, consent: Consent, resized: Callable[[], None]) -> None:
        super().__init__(palette)
        self._consent = consent
        self._resized = resized
        self.has_rules = False
        self.asked: list[Line] = []

    def build(self, width: int) -> list[Line]:
        self.asked = body_lines(self._consent, width)
        if self.has_rules:
            self.asked += scope_lines(self._consent, width)
        return [*self.asked, *(explanation_lines(self._consent, width) if self._consent.is_explaining else [])]

    def on_resize(self) -> None:
        """A scrollbar has come or gone, say."""
        self.call_after_refresh(self._resized)

    def settle(self) -> list[Line]:
        """What is asked about as it is really drawn: while it is laid out other widths are tried."""
        width = self.content_size.width
        if width and width != self._built_width:
            self._rebuild(width)
        return self.asked


class ConsentBody(VerticalScroll, can_focus=False):
    """``seen`` is called when all of it was in view, and when that holds no longer."""

    def __init__(self, palette: Palette, consent: Consent, seen: Callable[[], None]) -> None:
        super().__init__()
        self._told = seen
        self._looked_at: list[Line] = []
        self._seen = 0
        """So many of its first rows were in view."""
        self.is_seen = False
        """Whether all that would be consented to was in view, from the first row to the last."""
        self._rows = _Rows(palette, consent, self.look)

    def compose(self) -> ComposeResult:
        yield self._rows

    def on_mount(self) -> None:
        self.watch(self, "scroll_y", self.look, init=False)

    def place_rules(self, *, has_rules: bool) -> None:
        """Whether what would be saved stands in it too."""
        if has_rules != self._rows.has_rules:
            self._rows.has_rules = has_rules
            self.redraw()

    def redraw(self) -> None:
        """Something of the request has changed."""
        self._rows.update_lines()
        self._compare()

    def look(self) -> None:
        """Take in which rows are in view, now that all is laid out: they count where none before them was left out."""
        self._compare()
        first = round(self.scroll_y)
        if first <= self._seen < first + self.size.height:
            self._seen = first + self.size.height
            self._take_in()

    def _compare(self) -> None:
        """What has changed has to be seen anew."""
        asked = self._rows.settle()
        pairs = enumerate(zip(asked, self._looked_at, strict=False))
        self._seen = min(self._seen, next((at for at, (now, was) in pairs if now != was), len(self._looked_at)))
        self._looked_at = asked
        self._take_in()

    def _take_in(self) -> None:
        is_seen = self._seen >= len(self._looked_at) > 0
        if is_seen != self.is_seen:
            self.is_seen = is_seen
            self._told()

    def show_explanation(self) -> None:
        """Scroll no further than is needed to see it, and never past its beginning."""
        first, last = len(self._rows.asked), self._rows.size.height
        y = min(first, max(last - self.size.height, 0))
        if self.scroll_y < y:
            self.scroll_to(y=y, animate=False, immediate=True)
