"""A block cursor for the keys, and what they do with the block under it: fold, copy, open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.rendering.palette import Palette
from tui.widgets.transcript.selecting import SelectableView

if TYPE_CHECKING:
    from tui.widgets.transcript.blocks import Block


class ReadableView(SelectableView):
    """Blocks that the reader can walk through."""

    class OpenRequested(Message):
        """The reader wants to see a file."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self.cursor: int | None = None
        """The block that the keys are about."""

    def drop(self, block: Block) -> None:
        at = self.plan.place(block.id)
        super().drop(block)
        if at is not None and self.cursor is not None:
            self.cursor = None if self.cursor == at else self.cursor - (self.cursor > at)

    def activate(self, at: int) -> None:
        self.cursor = at
        self.toggle(at)

    def toggle(self, at: int) -> None:
        """Fold or unfold a block; what stands above it stays where it is."""
        if self.plan[at].block.toggle():
            self.selection = None
            self.viewport.following = False
            self.flush()

    def scroll_page(self, direction: int) -> None:
        """Scroll most of a page up (-1) or down (1)."""
        self.scroll_lines(direction * max(1, self.viewport.height - 2))

    def set_folded(self, folded: dict[str, bool]) -> dict[str, bool]:
        """Fold and unfold blocks by their ids; gives how they were."""
        before: dict[str, bool] = {}
        for entry in self.plan:
            block = entry.block
            is_other = folded.get(block.id, block.folded) != block.folded
            if block.is_foldable and is_other and (block.is_at_hand or not block.folded):
                before[block.id] = block.folded
                block.toggle()
        self.selection = None
        self.flush()
        return before

    def action_step(self, direction: int) -> None:
        """Move the block cursor and bring the block into view."""
        if not len(self.plan):
            return
        at = len(self.plan) - 1 if self.cursor is None else self.cursor + direction
        while 0 < at < len(self.plan) - 1 and not self.plan.measure(at):
            at += direction
        self._put_cursor(min(max(at, 0), len(self.plan) - 1))

    def action_fold(self) -> None:
        """Fold or unfold the block under the cursor."""
        if self.cursor is not None:
            self.toggle(self.cursor)

    def action_copy(self, what: str) -> None:
        """Copy the selection, or of the block under the cursor its ``source``, ``code`` or ``output``."""
        if self.selection is not None:
            self.copy_selection()
        elif self.cursor is not None:
            block = self.plan[self.cursor].block
            text = {"source": block.source, "code": block.code, "output": block.output}[what]
            self.post_message(self.CopyRequested(text, what if what != "source" else "block"))

    def action_open(self) -> None:
        """Open what the block under the cursor is about: the whole of a saved result, or a file."""
        path = self.plan[self.cursor].block.file if self.cursor is not None else ""
        if path:
            self.post_message(self.OpenRequested(path))

    def _put_cursor(self, at: int) -> None:
        self.cursor = at
        height = self.plan.measure(at)
        margin = self.plan[at].block.margin
        # The way down lies over the last row.
        self.viewport.reveal((at, max(0, height - 1)), margin=1)
        self.viewport.reveal((at, min(margin, max(0, height - 1))), margin=1)
        self.show_position()
