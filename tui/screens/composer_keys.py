"""What the main screen does for the composer: its hints, the search in its history, clearing it with Esc or Ctrl+C."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from tui.rendering.palette import Palette
from tui.screens.requests import RequestScreen
from tui.widgets.composer import asks
from tui.widgets.composer.editor import Composer
from tui.widgets.composer.history_search import HistorySearch
from tui.widgets.status import StatusLine

REMARK_S = 6.0
AGAIN_S = 1.5
"""How soon a second Esc must follow to clear the input."""


class ComposerKeys(RequestScreen):
    """The part of the main screen that serves the composer."""

    _palette: Palette
    _now: Callable[[], float]
    composer: Composer
    status: StatusLine
    _clear_by = 0.0

    @on(asks.Hint)
    def _hint(self, event: asks.Hint) -> None:
        self.remark(event.text)

    def remark(self, text: str) -> None:
        """A short remark in the status line, which goes away by itself."""
        self.status.show_hint(text)
        if text:
            self.set_timer(REMARK_S, lambda: self.status.clear_hint(text))

    @on(asks.SearchRequested)
    def _search_history(self, event: asks.SearchRequested) -> None:
        if not event.prompts:
            self.remark("No prompt was sent here yet.")
        elif not self.query(HistorySearch):
            search = HistorySearch(self._palette, event.prompts)
            self.mount(search, before=self.composer)
            search.focus()

    @on(HistorySearch.Chosen)
    def _prompt_found(self, event: HistorySearch.Chosen) -> None:
        self.composer.replace_all(event.text)
        self.close_search()

    @on(HistorySearch.Closed)
    def _search_left(self) -> None:
        self.close_search()

    def close_search(self) -> bool:
        """Take the search away; False where there is none."""
        found = list(self.query(HistorySearch))
        for search in found:
            if search.has_focus:
                self.composer.focus()
            search.remove()
        return bool(found)

    def escape_clears(self) -> bool:
        """Esc with something typed while nothing runs: a hint, and on the second press the input is cleared."""
        if self.status.is_busy or self.composer.is_blank or not self.composer.has_focus:
            return False
        now = self._now()
        if now <= self._clear_by:
            self._clear_by = 0.0
            self.composer.discard()
            self.status.show_hint("")
        else:
            self._clear_by = now + AGAIN_S
            hint = "Esc once more clears the input; ↑ brings it back"
            self.status.show_hint(hint)
            self.set_timer(AGAIN_S, lambda: self.status.clear_hint(hint))
        return True
