"""The composer's text as the vi machine sees it, and its mode in the border."""

from __future__ import annotations

from textual import events
from textual.document._document import Location

from tui.widgets.composer.draft_area import DraftArea
from tui.widgets.composer.vim import Vim


class AreaBuffer:
    """Offsets in place of rows and columns; a chip is taken as a whole."""

    def __init__(self, area: VimArea) -> None:
        self._area = area

    @property
    def text(self) -> str:
        return self._area.text

    @property
    def cursor(self) -> int:
        return self._offset(self._area.cursor_location)

    @cursor.setter
    def cursor(self, offset: int) -> None:
        self._area.move_cursor(self._location(offset))

    def replace(self, start: int, end: int, text: str) -> None:
        """One step for undo."""
        self._area.history.checkpoint()
        self._area.replace_whole_chips(text, self._location(start), self._location(end))

    def undo(self) -> None:
        self._area.undo()

    def redo(self) -> None:
        self._area.redo()

    def _offset(self, location: Location) -> int:
        row, column = location
        document = self._area.document
        return sum(len(document[number]) + 1 for number in range(row)) + column

    def _location(self, offset: int) -> Location:
        before = self._area.text[:offset]
        return before.count("\n"), len(before) - before.rfind("\n") - 1


class VimArea(DraftArea):
    """A draft area that can have the keys of vi."""

    _vim: Vim | None = None

    def use_vim(self, is_on: bool) -> None:
        """Switch the keys of vi on or off."""
        self._vim = Vim() if is_on else None
        self._show_mode()

    def vim_takes(self, event: events.Key) -> bool:
        """Whether the key is one of vi's; it is carried out then."""
        if self._vim is None:
            return False
        key = event.character if event.is_printable and event.character else event.key
        is_taken = self._vim.press(key, AreaBuffer(self))
        self._show_mode()
        return is_taken

    def vim_starts_over(self) -> None:
        """Insert mode, as for a new prompt."""
        if self._vim is not None:
            self._vim.start_over()
            self._show_mode()

    def _show_mode(self) -> None:
        title = self._vim.mode.upper() if self._vim is not None else None
        if title != self.border_title:
            self.border_title = title
