"""What every prompt above the composer has: a title, a body that scrolls, a line of text, a guard for keys."""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual import events
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from tui.rendering.line import Line, Span, truncate
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget
from tui.widgets.wall import Walled

GRACE_S = 0.4
"""Keys typed in the first moments were meant for the composer and go there; a key that answers nothing says that
somebody is typing, and the moment begins anew."""

TYPED_GRACE_S = 1.5
"""The same for characters once text was typed past it: who pauses for a word has not read what is asked."""


class DockPrompt(Walled, Vertical, can_focus=True):
    """Takes the keys while it is there; the composer keeps its draft."""

    DEFAULT_CSS = """
    DockPrompt {
        height: auto;
        padding: 0 1;
    }
    DockPrompt > VerticalScroll {
        height: auto;
        max-height: 33vh;
        scrollbar-size-vertical: 1;
    }
    DockPrompt > Input {
        height: 1;
        border: none;
        padding: 0 1;
    }
    """
    gives_back = True
    """Whether stray keys may be shown in the draft."""

    class Typed(Message):
        """The user types on in what was the composer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, palette: Palette, title: Line, now: Callable[[], float]) -> None:
        super().__init__()
        self._palette = palette
        self._now = now
        self._quiet_since = now()
        self._was_typing = False
        self._held = ""
        self._has_given = False
        """Whether what was typed here is in the draft."""
        self._title = PromptTitle(palette, title)
        self._input: Input | None = None

    # What a prompt is about

    @property
    def answer_keys(self) -> Collection[str]:
        """Characters that answer something."""
        raise NotImplementedError

    def take_key(self, event: events.Key) -> bool:
        """Do what a key says; False for one that says nothing here."""
        raise NotImplementedError

    def take_line(self, text: str) -> None:
        """Take the line of text that was asked for."""
        raise NotImplementedError

    def cancel(self) -> None:
        """What Esc does."""
        raise NotImplementedError

    # What all have

    def on_mount(self) -> None:
        self.tell_rest()

    def on_resize(self) -> None:
        self.tell_rest()

    def tell_rest(self) -> None:
        """Once it is laid out say what of it is not in view: nobody should approve what they have not seen."""
        self.call_after_refresh(self._tell_rest)

    def _tell_rest(self) -> None:
        for body in self.query(VerticalScroll):  # none once it has been answered
            self._title.show_rest(round(body.max_scroll_y))

    def set_title(self, title: Line) -> None:
        """Another title."""
        self._title.show(title)

    def scroll_body(self, direction: int) -> bool:
        """Scroll what it is about by most of a page; False where all of it is in view."""
        body = self.query_one(VerticalScroll)
        kept = 2 if body.size.height > 4 else 1
        body.scroll_relative(y=direction * max(1, body.size.height - kept), animate=False)
        return body.max_scroll_y > 0

    def take_keys(self) -> None:
        """Have the keys again, the line of text where it is open."""
        (self._input or self).focus()

    def on_key(self, event: events.Key) -> None:
        if self._input is not None:
            if event.key == "escape":
                event.stop()
                self.close_line()
            return
        if event.key in ("pageup", "pagedown"):
            return
        event.stop()
        event.prevent_default()
        grace = TYPED_GRACE_S if self._has_given and event.is_printable else GRACE_S
        if self._now() - self._quiet_since < grace:
            if self._was_typing or self._has_given:
                self._quiet_since = self._now()
            self._give_back(event.character if event.is_printable else None)
            return
        if event.key == "enter" and self._has_given:
            # However long ago: meant to send what was typed, not to say yes to what is marked. An arrow says otherwise.
            return
        self._was_typing = False
        if self.take_key(event):
            self._has_given = False
        else:
            self._quiet_since = self._now()
            self._was_typing = True
            self._give_back(event.character if event.is_printable else None)

    def on_click(self, event: events.Click) -> None:
        self.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.take_line(event.value.strip())

    def be_quiet(self) -> None:
        """Ignore keys for a moment: they were meant for what was asked before."""
        self._quiet_since = self._now()

    def open_line(self, placeholder: str, text: str = "", *, is_secret: bool = False) -> None:
        """Ask for a line of text."""
        self._input = Input(text, placeholder=placeholder, password=is_secret)
        self._input.cursor_blink = False
        self.mount(self._input)
        self._input.focus()

    def close_line(self) -> None:
        """Ask for no text any more."""
        if self._input is not None:
            self._input.remove()
            self._input = None
            self.focus()

    @property
    def has_line(self) -> bool:
        """Whether a line of text is asked for."""
        return self._input is not None

    def _give_back(self, character: str | None) -> None:
        """A character of a burst belongs to the draft; not where it may be of a secret, which must never be shown.

        One key of an answer, pressed too early, is no burst: it is held until more comes, and else dropped.
        """
        if not character or not self.gives_back:
            return
        self._held += character
        if not (len(set(self._held)) == 1 and character.lower() in self.answer_keys):
            self.post_message(self.Typed(self._held))
            self._held = ""
            self._has_given = True


class PromptTitle(LineWidget):
    """The first line, with how much of the body is not in view."""

    def __init__(self, palette: Palette, title: Line) -> None:
        super().__init__(palette)
        self._title = title
        self._rest = 0

    def show(self, title: Line) -> None:
        """Another title."""
        self._title = title
        self.update_lines()

    def show_rest(self, lines: int) -> None:
        """So many lines of the body are not in view."""
        if lines != self._rest:
            self._rest = lines
            self.update_lines()

    def build(self, width: int) -> list[Line]:
        if not self._rest:
            return [self._title]
        rest: Span = (f"  {self._rest} more line{'' if self._rest == 1 else 's'}: PgDn", "caution")
        return [(*truncate(self._title, width - len(rest[0])), rest)]
