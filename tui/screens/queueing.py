"""What the main screen does with the queue lane: ops on, texts back to the composer, the focus to and fro."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from tui.screens.composer_keys import ComposerKeys
from tui.widgets.composer.editor import Composer
from tui.widgets.queue_lane import QueueLane

if TYPE_CHECKING:
    from core.protocol.ops import Op


class QueueScreen(ComposerKeys):
    """The part of the main screen between composer and queue lane."""

    composer: Composer
    queue_lane: QueueLane

    def send(self, op: Op) -> None:
        """Ask the engine for something."""
        raise NotImplementedError

    @on(QueueLane.Wanted)
    def _queue_wanted(self, event: QueueLane.Wanted) -> None:
        self.send(event.op)

    @on(QueueLane.TakenBack)
    def _taken_back(self, event: QueueLane.TakenBack) -> None:
        if event.text:
            self.composer.give_back(event.text)
        self.composer.focus()

    @on(Composer.TakeBack)
    def _take_back(self) -> None:
        self.queue_lane.take_all()

    @on(Composer.ChooseQueued)
    def _choose_queued(self) -> None:
        self.queue_lane.choose_last()
