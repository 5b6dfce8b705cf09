"""The input: an editor that sends on Enter, remembers what was sent, and folds what is long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.content import Content

from tui.keymap import COMPOSER_KEYS, bindings
from tui.rendering.sanitize import clean, clean_line
from tui.widgets.composer import asks
from tui.widgets.composer.chips import Chips, is_long
from tui.widgets.composer.drafts import DraftTimer
from tui.widgets.composer.dropped import image_paths
from tui.widgets.composer.history import History
from tui.widgets.composer.kill_ring import KillRing
from tui.widgets.composer.readline_area import ReadlineArea
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.views import ImageAttachment

PLACEHOLDER = "Ask, or tell it what to do"


class Composer(Walled, ReadlineArea):
    """Grows with its text up to ten lines."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 12;
        padding: 0 1;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = bindings(COMPOSER_KEYS[1:])
    ALLOW_MAXIMIZE: ClassVar[bool | None] = False

    Submitted = asks.Submitted
    Typing = asks.Typing
    TakeBack = asks.TakeBack

    def __init__(self) -> None:
        self.chips = Chips()
        self.ring = KillRing()
        self.prompts = History()
        self.has_queue = False
        """Whether messages wait that ``↑`` can take back."""
        self._ghost = ""
        self._stash: list[str] = []
        self._in_chord = False
        self._drafts = DraftTimer(self, self._tell_draft)
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=PLACEHOLDER,
        )

    # Keys

    def on_key(self, event: events.Key) -> None:
        self.note_key()
        if self._finish_chord(event.key):
            pass
        elif event.key == "enter":
            self._enter()
        elif event.key in ("tab", "right") and self._ghost and self.is_blank:
            self.replace_all(self._ghost)
        else:
            if event.is_printable and self.is_blank:
                self.post_message(self.Typing())
            return
        event.prevent_default()
        event.stop()

    def action_newline(self) -> None:
        """Start a new line."""
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    def action_older(self) -> None:
        """Up: in the text first, then to older prompts."""
        if self.cursor_location[0] > 0 or self._is_wrapped_above:
            self.action_cursor_up()
        elif self.has_queue and not self.text.strip():
            self.post_message(self.TakeBack())
        else:
            self._recall(self.prompts.older(self.text))

    def action_newer(self) -> None:
        """Down: in the text first, then to newer prompts."""
        if self.cursor_location[0] < self.document.line_count - 1 or self._is_wrapped_below:
            self.action_cursor_down()
        else:
            self._recall(self.prompts.newer())

    def action_search_history(self) -> None:
        """Ctrl+R."""
        self.post_message(asks.SearchRequested(self.prompts.newest_first()))

    def action_chord(self) -> None:
        """Ctrl+X: cuts what is selected, else waits for Ctrl+E."""
        if self.selected_text:
            self.action_cut()
        else:
            self._in_chord = True

    def action_open_editor(self) -> None:
        """Ctrl+G, Ctrl+X Ctrl+E: the text, pastes in full, goes to the user's own editor."""
        self.post_message(asks.EditorRequested(self.chips.expand(self.text)))

    def action_take_image(self) -> None:
        """Ctrl+V: an image of the clipboard."""
        self.post_message(asks.ClipboardRequested())

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

    # What comes in from outside

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.take_in(event.text)

    def take_in(self, raw: str) -> None:
        """A paste: short ones as they are, long ones as a chip; the same again right behind it unfolds it."""
        text = clean(raw.replace("\r\n", "\n").replace("\r", "\n"))
        if self.is_blank:
            self.post_message(self.Typing())
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
        index = self.text.rfind(pasted) if pasted else -1
        start = end = self.cursor_location
        if index >= 0:
            start = self.document.get_location_from_index(index)
            end = self.document.get_location_from_index(index + len(pasted))
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

    def suggest(self, text: str) -> None:
        """Show what could be said next, greyed, until something is typed; Tab or → takes it. Empty: nothing."""
        self._ghost = clean_line(text)
        self.placeholder = Content(f"{self._ghost}   (Tab)") if self._ghost else PLACEHOLDER

    # What goes out

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
            self._drafts.touch()
            if self._stash:
                self.post_message(asks.Hint("Ctrl+S brings back what you had put aside."))

    def update_suggestion(self) -> None:
        """Called by the text area after every change."""
        self._drafts.touch()
        if self._ghost and not self.is_blank:
            self.suggest("")

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document[row][:column].endswith("\\"):
            self.action_delete_left()
            self.insert("\n")
            return
        shown = self.text.strip()
        if shown:
            text = self.chips.expand(shown)
            self.prompts.add(text)
            self.put("")
            self.post_message(self.Submitted(text, self.chips.images_of(shown)))
            self._drafts.flush()

    def _finish_chord(self, key: str) -> bool:
        """Whether the key was the second one of Ctrl+X Ctrl+E."""
        was_open, self._in_chord = self._in_chord, False
        if was_open and key == "ctrl+e":
            self.action_open_editor()
            return True
        return False

    def _tell_draft(self) -> None:
        self.post_message(asks.DraftChanged(self.draft()))

    def _recall(self, text: str | None) -> None:
        if text is not None:
            self.put(text)

    @property
    def _is_wrapped_above(self) -> bool:
        return self.wrapped_document.location_to_offset(self.cursor_location).y > 0

    @property
    def _is_wrapped_below(self) -> bool:
        offset = self.wrapped_document.location_to_offset(self.cursor_location)
        return offset.y < self.wrapped_document.height - 1
