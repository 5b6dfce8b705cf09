"""The keys that shells have: words, kills, yanks."""

from __future__ import annotations

import re
from typing import Literal

from textual.document._document import Location

from tui.widgets.composer.chip_area import ChipArea
from tui.widgets.composer.kill_ring import KillRing

Flavor = Literal["default", "readline"]
BLANK_WORD_END = re.compile(r"\S+\s*$")


class ReadlineArea(ChipArea):
    """A chip area with a kill ring. Lines are those of the text, however they are wrapped."""

    ring: KillRing
    flavor: Flavor = "default"
    """``readline``: Ctrl+W takes everything back to a blank, as in a shell."""
    _last: Literal["", "kill", "yank"] = ""
    _now: Literal["", "kill", "yank"] = ""
    _yanked_at: Location = (0, 0)

    def note_key(self) -> None:
        """Every key comes here first: kills and yanks depend on what was done right before."""
        self._last, self._now = self._now, ""

    def action_row_start(self) -> None:
        """To the start of the line."""
        self.move_cursor((self.cursor_location[0], 0))

    def action_row_end(self) -> None:
        """To the end of the line."""
        self.move_cursor(self._row_end())

    def action_kill_to_end(self) -> None:
        """Kill to the end of the line, at its end the line break."""
        end = self._row_end()
        self._kill(end if end != self.cursor_location else self.get_cursor_right_location())

    def action_kill_to_start(self) -> None:
        """Kill to the start of the line, at its start the line break."""
        row, column = self.cursor_location
        self._kill((row, 0) if column else self.get_cursor_left_location())

    def action_kill_word_left(self) -> None:
        """Kill a word back."""
        self._kill(self.get_cursor_word_left_location())

    def action_kill_blank_word_left(self) -> None:
        """Ctrl+W: a word back; in the readline flavor back to a blank."""
        row, column = self.cursor_location
        if self.flavor == "readline" and column:
            found = BLANK_WORD_END.search(self.document[row][:column])
            self._kill(self._before((row, found.start() if found else 0)))
        else:
            self.action_kill_word_left()

    def action_kill_word_right(self) -> None:
        """Kill a word forward."""
        self._kill(self.get_cursor_word_right_location())

    def action_yank(self) -> None:
        """Put in what was killed last."""
        self._put_killed(self.ring.yank(), self.cursor_location)

    def action_yank_older(self) -> None:
        """Right after a yank: what was killed before that in its place."""
        if self._last == "yank":
            self._put_killed(self.ring.rotate(), self._yanked_at)

    def _row_end(self) -> Location:
        row = self.cursor_location[0]
        return row, len(self.document[row])

    def _kill(self, to: Location) -> None:
        if not self.selection.is_empty:
            start, end = sorted(self.selection)
            is_forward, joins = True, False
        else:
            start, end = sorted((self.cursor_location, to))
            is_forward, joins = start == self.cursor_location, self._last == "kill"
        self.ring.kill(self.get_text_range(start, end), is_forward=is_forward, joins=joins)
        self._now = "kill"
        if start != end:
            self.history.checkpoint()
            self.delete(start, end, maintain_selection_offset=False)

    def _put_killed(self, text: str, start: Location) -> None:
        if not text:
            return
        self.history.checkpoint()
        self.replace(text, start, self.cursor_location, maintain_selection_offset=False)
        self._yanked_at, self._now = start, "yank"
