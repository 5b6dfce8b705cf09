"""An editor in which a chip is one thing: the cursor steps over it, and it is deleted as a whole."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.document._document import Location, Selection

from tui.widgets.composer.chips import Chips
from tui.widgets.composer.ordered_area import OrderedArea


class ChipArea(OrderedArea):
    """A text area that knows chips."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"composer--chip"}

    chips: Chips

    @property
    def is_blank(self) -> bool:
        """Whether there is no text at all; does not look through it."""
        return self.document.line_count == 1 and not self.document[0]

    def validate_selection(self, selection: Selection) -> Selection:
        """Nothing begins or ends inside a chip."""
        return Selection(
            self._outside(selection.start, self.selection.start), self._outside(selection.end, self.selection.end)
        )

    def get_line(self, line_index: int) -> Text:
        """A line with its chips in their own colours."""
        line = super().get_line(line_index)
        for start, end in self.chips.spans(line.plain):
            line.stylize(self.get_component_rich_style("composer--chip"), start, end)
        return line

    def get_cursor_left_location(self) -> Location:
        return self._before(super().get_cursor_left_location())

    def get_cursor_right_location(self) -> Location:
        return self._behind(super().get_cursor_right_location())

    def get_cursor_word_left_location(self) -> Location:
        return self._before(super().get_cursor_word_left_location())

    def get_cursor_word_right_location(self) -> Location:
        return self._behind(super().get_cursor_word_right_location())

    def _recompute_cursor_offset(self) -> None:
        # Undo measures once before it puts the cursor back, which may stand on a line that is no more.
        self._cursor_offset = self.wrapped_document.location_to_offset(self.clamp_visitable(self.cursor_location))

    def chip_before_cursor(self) -> str:
        """The chip that ends where the cursor stands; empty where there is none."""
        row, column = self.cursor_location
        line = self.document[row]
        return next((line[start:end] for start, end in self.chips.spans(line) if end == column), "")

    def replace_whole_chips(self, text: str, start: Location, end: Location) -> None:
        """Replace a range; a chip that it would cut goes as a whole."""
        if start != end:
            start, end = self._before(start), self._behind(end)
        self.replace(text, start, end, maintain_selection_offset=False)

    def _outside(self, location: Location, came_from: Location) -> Location:
        """The edge that lies in the direction of a movement, for a place inside a chip."""
        return self._behind(location) if came_from < location else self._before(location)

    def _before(self, location: Location) -> Location:
        chip = self.chips.around(self.document[location[0]], location[1])
        return (location[0], chip[0]) if chip else location

    def _behind(self, location: Location) -> Location:
        chip = self.chips.around(self.document[location[0]], location[1])
        return (location[0], chip[1]) if chip else location
