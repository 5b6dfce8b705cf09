"""An editor that takes in pastes and images: short texts as they are, what is long as a chip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.document._document import Location

from tui.rendering.sanitize import clean
from tui.widgets.composer import asks
from tui.widgets.composer.chips import is_long
from tui.widgets.composer.dropped import image_paths
from tui.widgets.composer.readline_area import ReadlineArea

if TYPE_CHECKING:
    from core.protocol.views import ImageAttachment


class PasteArea(ReadlineArea):
    """What comes in other than by typing."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.take_in(event.text)

    def take_in(self, raw: str) -> None:
        """A paste: short ones as they are, long ones as a chip; the same again right behind it unfolds it."""
        text = clean(raw.replace("\r\n", "\n").replace("\r", "\n"))
        if self.is_blank:
            self.post_message(asks.Typing())
        self.history.checkpoint()
        chip, (row, column) = self.chip_before_cursor(), self.cursor_location
        if chip and self.selection.is_empty and self.chips.pastes.get(chip) == text:
            self.replace(text, (row, column - len(chip)), (row, column), maintain_selection_offset=False)
        elif is_long(text):
            self.replace(self.chips.fold(text), *self.selection, maintain_selection_offset=False)
        else:
            self.replace(text, *self.selection, maintain_selection_offset=False)
            paths = image_paths(text)
            if paths:
                self.post_message(asks.ImagesDropped(paths, text))

    def attach(self, images: Sequence[ImageAttachment], pasted: str = "") -> None:
        """Put in images, in place of the paths that were pasted where these still stand there."""
        labels = " ".join(self.chips.attach(image) for image in images) + " "
        text = self.text
        index = text.rfind(pasted) if pasted else -1
        start = end = self.cursor_location
        if index >= 0:
            start, end = _location(text[:index]), _location(text[: index + len(pasted)])
        self.replace(labels, start, end, maintain_selection_offset=end != self.cursor_location)

    def put(self, text: str) -> None:
        """Replace what is in the editor; the cursor goes to the end, and there is nothing to undo."""
        self.text = text
        self.move_cursor(self.document.end)

    def replace_all(self, text: str) -> None:
        """Replace what is in the editor, so that undo brings it back; a paste that is still whole is folded again."""
        for label, paste in self.chips.pastes_of(self.text).items():
            text = text.replace(paste, label, 1)
        self.history.checkpoint()
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)


def _location(before: str) -> Location:
    """Where a text ends."""
    return before.count("\n"), len(before) - before.rfind("\n") - 1
