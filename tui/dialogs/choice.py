"""A question docked above the composer: what it is about, the answers with their keys, room for a comment."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input

from tui.dialogs.question import Choice, Question
from tui.rendering.line import Line, Span, truncate, wrap
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget
from tui.widgets.wall import Walled

GRACE_S = 0.4
"""Keys typed in the first moments were meant for the composer and go there; a key that answers nothing says that
somebody is typing, and the moment begins anew."""


class _Body(LineWidget):
    def __init__(self, palette: Palette, question: Question) -> None:
        super().__init__(palette)
        self._question = question

    def build(self, width: int) -> list[Line]:
        return self._question.body(width)


class _Choices(LineWidget):
    def __init__(self, palette: Palette, question: Question) -> None:
        super().__init__(palette)
        self._question = question
        self.at = 0

    def build(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for index, choice in enumerate(self._question.choices):
            mark: Span = ("❯ ", "accent") if index == self.at else ("  ", "text")
            spans: list[Span] = [(f"{choice.key} ", "key"), (choice.label, "strong" if index == self.at else "text")]
            if choice.detail:
                spans.append((f"  {choice.detail}", "muted"))
            lines += wrap(spans, width, first_prefix=(mark,), rest_prefix=(("    ", "text"),))
        if self._question.footer:
            lines += wrap(self._question.footer, width, first_prefix=(("  ", "text"),))
        return lines


class ChoicePrompt(Walled, Vertical, can_focus=True):
    """Takes the keys while it is there; the composer keeps its draft."""

    DEFAULT_CSS = """
    ChoicePrompt {
        height: auto;
        padding: 0 1;
    }
    ChoicePrompt > VerticalScroll {
        height: auto;
        max-height: 33vh;
        scrollbar-size-vertical: 1;
    }
    ChoicePrompt > Input {
        height: 1;
        border: none;
        padding: 0 1;
    }
    """

    class Answered(Message):
        """The user has decided."""

        def __init__(self, prompt: ChoicePrompt, question_id: str, value: str, comment: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.question_id = question_id
            self.value = value
            self.comment = comment

    class Typed(Message):
        """The user types on in what was the composer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, palette: Palette, question: Question, now: Callable[[], float]) -> None:
        super().__init__()
        self.question = question
        self._palette = palette
        self._now = now
        self._quiet_since = now()
        self._was_typing = False
        self._held = ""
        self._choices = _Choices(palette, question)
        self._title = _Title(palette, question.title)
        self._input: Input | None = None
        self._commented: Choice | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        with VerticalScroll(can_focus=False):
            yield _Body(self._palette, self.question)
        yield self._choices

    def on_mount(self) -> None:
        self.call_after_refresh(self._tell_rest)

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell_rest)

    def _tell_rest(self) -> None:
        """Say that not everything is in view: nobody should approve what they have not seen."""
        for body in self.query(VerticalScroll):  # none once it has been answered
            self._title.show_rest(round(body.max_scroll_y))

    def set_title(self, title: Line) -> None:
        """Another title: the count of what waits has changed."""
        self._title.show(title)

    def scroll_body(self, direction: int) -> None:
        """Scroll what it is about by most of a page."""
        body = self.query_one(VerticalScroll)
        body.scroll_relative(y=direction * max(1, body.size.height - 2), animate=False)

    def on_key(self, event: events.Key) -> None:
        if self._input is not None:
            if event.key == "escape":
                event.stop()
                self._close_comment()
            return
        if event.key in ("pageup", "pagedown"):
            return
        event.stop()
        event.prevent_default()
        if self._now() - self._quiet_since < GRACE_S:
            if self._was_typing:
                self._quiet_since = self._now()
            self._give_back(event.character if event.is_printable else None)
            return
        self._was_typing = False
        self._take(event)

    def take_keys(self) -> None:
        """Have the keys again, the comment line where it is open."""
        (self._input or self).focus()

    def cancel(self) -> None:
        """Answer as Esc does."""
        if self._input is not None:
            self._close_comment()
        else:
            self._answer(self.question.cancel)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if self._commented is not None and (text or self._commented.comment == "optional"):
            self._answer(self._commented.value, text)

    def on_click(self, event: events.Click) -> None:
        self.focus()

    def _take(self, event: events.Key) -> None:
        choices = self.question.choices
        match event.key:
            case "up" | "down":
                step = -1 if event.key == "up" else 1
                self._choices.at = (self._choices.at + step) % len(choices)
                self._choices.update_lines()
            case "enter":
                self._choose(self._choices.at)
            case "escape":
                self._answer(self.question.cancel)
            case "tab":
                takers = [index for index, choice in enumerate(choices) if choice.comment != "none"]
                if takers:
                    self._open_comment(self._choices.at if self._choices.at in takers else takers[0])
            case _:
                self._by_character(event.character or "")

    def _by_character(self, character: str) -> None:
        for index, choice in enumerate(self.question.choices):
            if character and (character.lower() == choice.key or character == str(index + 1)):
                self._choose(index)
                return
        self._quiet_since = self._now()
        self._was_typing = True
        self._give_back(character if character.isprintable() else None)

    def _give_back(self, character: str | None) -> None:
        """A character of a burst belongs to the draft; not where it may be of a secret, which must never be shown.

        One key of an answer, pressed too early, is no burst: it is held until more comes, and else dropped.
        """
        choices = self.question.choices
        if not character or any(choice.comment == "secret" for choice in choices):
            return
        self._held += character
        keys = {choice.key for choice in choices} | {str(number) for number in range(1, len(choices) + 1)}
        if not (len(set(self._held)) == 1 and character.lower() in keys):
            self.post_message(self.Typed(self._held))
            self._held = ""

    def _choose(self, index: int) -> None:
        choice = self.question.choices[index]
        if choice.comment in ("required", "secret"):
            self._open_comment(index)
        else:
            self._answer(choice.value)

    def _open_comment(self, index: int) -> None:
        """A line of text for the answer."""
        choice = self.question.choices[index]
        self._commented = choice
        self._choices.at = index
        self._choices.update_lines()
        self._input = Input(
            placeholder=f"{choice.label}: {self.question.comment_label}", password=choice.comment == "secret"
        )
        self._input.cursor_blink = False
        self.mount(self._input)
        self._input.focus()

    def _close_comment(self) -> None:
        if self._input is not None:
            self._input.remove()
            self._input = None
            self.focus()

    def _answer(self, value: str, comment: str = "") -> None:
        self.post_message(self.Answered(self, self.question.id, value, comment))


class _Title(LineWidget):
    def __init__(self, palette: Palette, title: Line) -> None:
        super().__init__(palette)
        self._title = title
        self._rest = 0

    def show(self, title: Line) -> None:
        self._title = title
        self.update_lines()

    def show_rest(self, lines: int) -> None:
        if lines != self._rest:
            self._rest = lines
            self.update_lines()

    def build(self, width: int) -> list[Line]:
        if not self._rest:
            return [self._title]
        rest: Span = (f"  {self._rest} more line{'' if self._rest == 1 else 's'}: PgDn", "caution")
        return [(*truncate(self._title, width - len(rest[0])), rest)]
