"""The input: an editor that sends on Enter, remembers what was sent, and folds what is long."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.content import Content
from textual.strip import Strip

from tui.keymap import COMPOSER_KEYS, bindings
from tui.rendering.sanitize import clean_line
from tui.widgets.composer import asks
from tui.widgets.composer.completion import Completer
from tui.widgets.composer.vim_area import VimArea
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.views import Lane

PLACEHOLDER = "Ask, or tell it what to do"


class Composer(Walled, VimArea):
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
    HelpWanted = asks.HelpWanted
    ChooseQueued = asks.ChooseQueued

    def __init__(self) -> None:
        self.prepare()
        self.has_queue = False
        """Whether messages wait that ``↑`` can take back."""
        self.is_busy = False
        """Whether a turn runs, so that a prompt can be sent after it."""
        self._ghost = ""
        self._in_chord = False
        super().__init__(
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=PLACEHOLDER,
        )
        self.completer = Completer(self)
        # Blinking would write to the terminal for ever, also when nothing happens.
        self.cursor_blink = False

    # Keys

    def render_line(self, y: int) -> Strip:
        # Textual cannot wrap the placeholder where there is no column for it.
        return super().render_line(y) if self.content_size.width > 0 else Strip([])

    def on_key(self, event: events.Key) -> None:
        self.note_key()
        if self.completer.take_key(event):
            return
        if self._finish_chord(event.key) or self.vim_takes(event):
            pass
        elif event.key == "enter":
            self._enter()
        elif event.character == "?" and self.is_blank:
            self.post_message(self.HelpWanted())
        elif event.key in ("tab", "right") and self._ghost and self.is_blank:
            self.replace_all(self._ghost)
        else:
            if event.is_printable and self.is_blank:
                self.post_message(self.Typing())
            return
        event.prevent_default()
        event.stop()

    def on_text_area_changed(self) -> None:
        self.completer.text_changed()

    def on_text_area_selection_changed(self) -> None:
        self.completer.cursor_moved()

    def on_blur(self) -> None:
        self.completer.close()

    def action_newline(self) -> None:
        """Start a new line."""
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    def action_follow_up(self) -> None:
        """Send after the running turn; with nothing to send or to wait for, on to the next widget."""
        if self.is_busy and self.text.strip():
            self._send("follow_up")
        else:
            self.screen.focus_next()

    def action_choose_queued(self) -> None:
        """To the queued messages, where there are any."""
        if self.has_queue:
            self.post_message(self.ChooseQueued())

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
        """Ctrl+X: cuts what is selected, else waits for Ctrl+E or Ctrl+K."""
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

    def suggest(self, text: str) -> None:
        """Show what could be said next, greyed, until something is typed; Tab or → takes it. Empty: nothing."""
        self._ghost = clean_line(text)
        self.placeholder = Content(f"{self._ghost}   (Tab)") if self._ghost else PLACEHOLDER

    # What goes out

    def update_suggestion(self) -> None:
        """Called by the text area after every change."""
        self._drafts.touch()
        if self._ghost and not self.is_blank:
            self.suggest("")

    def give_back(self, text: str) -> None:
        """Add a text at the end, below a draft where there is one."""
        self.put(f"{self.text}\n{text}" if self.text.strip() else text)

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document[row][:column].endswith("\\"):
            self.action_delete_left()
            self.insert("\n")
            return
        self._send("steer")

    def _send(self, lane: Lane) -> None:
        shown = self.text.strip()
        if shown:
            text = self.chips.expand(shown)
            self.prompts.add(text)
            self.put("")
            self.vim_starts_over()
            self.post_message(self.Submitted(text, lane, self.chips.images_of(shown)))
            self._drafts.flush()

    def _finish_chord(self, key: str) -> bool:
        """Whether the key was the second one of Ctrl+X Ctrl+E or Ctrl+X Ctrl+K."""
        was_open, self._in_chord = self._in_chord, False
        if was_open and key == "ctrl+e":
            self.action_open_editor()
        elif was_open and key == "ctrl+k":
            self.post_message(asks.StopAgentsRequested())
        else:
            return False
        return True

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
