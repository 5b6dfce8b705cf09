"""What the keys of a session do: stop, leave, clear, change the mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.dialogs.dock import QuestionDock
from tui.screens.commands import CommandActions

if TYPE_CHECKING:
    from tui.presenter.presenter import Presenter

TWICE_S = 1.5
"""How soon a second Ctrl+C or Ctrl+D must follow to leave."""


class SessionKeys(CommandActions):
    """The part of the main screen that speaks of the session as a whole."""

    dock: QuestionDock
    presenter: Presenter | None
    _leave_by = 0.0

    def action_interrupt(self) -> None:
        """Esc: stop the turn; with nothing running clear a hint, and twice the input."""
        from core.protocol.ops import Interrupt

        if self.escape_clears():
            return
        self.status.show_hint("")
        self.send(Interrupt())

    def action_cancel_or_quit(self) -> None:
        """Ctrl+C: copy a selection, stop, clear, and on the second press leave."""
        from core.protocol.ops import Interrupt

        if self.dock.asks_for_call:
            self.send(Interrupt())
        elif self.composer.selected_text:
            self.composer.action_copy()
        elif self.status.is_busy:
            self.send(Interrupt())
        elif self.close_search():
            pass
        elif self.composer.text:
            self.composer.discard()
        else:
            self._leave("Ctrl+C")

    def action_exit_if_empty(self) -> None:
        """Ctrl+D: delete forward, or with nothing typed leave on the second press."""
        if self.composer.text:
            self.composer.action_delete_right()
        else:
            self._leave("Ctrl+D")

    def action_cycle_mode(self) -> None:
        """The next permission mode."""
        from core.protocol.ops import SetMode

        self.send(SetMode(mode=self.presenter.next_mode if self.presenter else "acceptEdits"))

    def action_background(self) -> None:
        """Move the running command to the background."""
        from core.protocol.ops import BackgroundTools

        self.send(BackgroundTools())

    def _leave(self, key: str) -> None:
        now = self._now()
        if now <= self._leave_by:
            self.action_leave()
            return
        self._leave_by = now + TWICE_S
        hint = f"{key} once more leaves"
        self.status.show_hint(hint)
        self.set_timer(TWICE_S, lambda: self.status.clear_hint(hint))
