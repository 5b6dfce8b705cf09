"""An editor whose text is not lost: drafts over a crash, drafts put aside, cleared ones in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tui.widgets.composer import asks
from tui.widgets.composer.chips import Chips
from tui.widgets.composer.drafts import DraftTimer
from tui.widgets.composer.history import History
from tui.widgets.composer.kill_ring import KillRing
from tui.widgets.composer.paste_area import PasteArea


class DraftArea(PasteArea):
    """Keeps what is typed."""

    prompts: History
    _stash: list[str]
    _drafts: DraftTimer

    def prepare(self) -> None:
        """Make the parts; before the text area itself, which looks at its text while it is made."""
        self.chips = Chips()
        self.ring = KillRing()
        self.prompts = History()
        self._stash = []
        self._drafts = DraftTimer(self, self._tell_draft)

    def action_stash(self) -> None:
        """Ctrl+S: put the draft aside, or with nothing typed take it back."""
        if self.text.strip():
            self._stash.append(self.text)
            self.put("")
            self.post_message(asks.Hint("Put aside. Ctrl+S with nothing typed brings it back."))
        elif self._stash:
            self.put(self._stash.pop())
            self.post_message(asks.Hint(f"{len(self._stash)} more put aside." if self._stash else ""))
        else:
            self.post_message(asks.Hint("Nothing is put aside."))

    def discard(self) -> None:
        """Clear the editor; ``↑`` brings it back."""
        text = self.chips.expand(self.text.strip())
        if text:
            self.prompts.add(text)
            self.post_message(asks.Discarded(text))
        self.put("")
        self._drafts.flush()

    def draft(self) -> dict[str, Any]:
        """What is to be kept over a crash, as JSON; empty where nothing is typed and nothing put aside."""
        text, stash = (self.chips.without_images(self.text), [self.chips.without_images(item) for item in self._stash])
        if not text.strip() and not stash:
            return {}
        return {"text": text, "stash": stash, "pastes": self.chips.pastes_of(text, *stash)}

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Take up the draft of an earlier run, unless something is typed already."""
        pastes, stash = draft.get("pastes"), draft.get("stash")
        if isinstance(pastes, dict):
            self.chips.restore(cast("dict[str, str]", pastes))
        if isinstance(stash, list):
            self._stash = [*cast("list[str]", stash), *self._stash]
        text = draft.get("text")
        if isinstance(text, str) and text.strip() and self.is_blank:
            self.put(text)
            self.post_message(asks.Hint("What you had typed when it ended is back."))
        else:
            if not self.is_blank:
                self._drafts.touch()
            if self._stash:
                self.post_message(asks.Hint("Ctrl+S brings back what you had put aside."))

    def _tell_draft(self) -> None:
        self.post_message(asks.DraftChanged(self.draft()))
