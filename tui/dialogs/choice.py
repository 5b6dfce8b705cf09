"""A question docked above the composer: what it is about, the answers with their keys, room for a comment."""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message

from tui.dialogs.prompt import DockPrompt
from tui.dialogs.question import Choice, Question
from tui.keymap import is_key_of
from tui.rendering.line import Line, Span, wrap
from tui.rendering.palette import Palette
from tui.widgets.composer import asks
from tui.widgets.line_widget import LineWidget


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
            lines += wrap(self._question.footer, width, first_prefix=(("  ", "text"),), rest_prefix=(("  ", "text"),))
        return lines


class ChoicePrompt(DockPrompt):
    """One question, one answer."""

    class Answered(Message):
        """The user has decided."""

        def __init__(self, prompt: ChoicePrompt, question_id: str, value: str, comment: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.question_id = question_id
            self.value = value
            self.comment = comment

    def __init__(self, palette: Palette, question: Question, now: Callable[[], float]) -> None:
        super().__init__(palette, question.title, now)
        self.question = question
        self.gives_back = all(choice.comment != "secret" for choice in question.choices)
        self._choices = _Choices(palette, question)
        self._commented: Choice | None = None

    def compose(self) -> ComposeResult:
        yield self._title
        with VerticalScroll(can_focus=False):
            yield _Body(self._palette, self.question)
        yield self._choices

    @property
    def answer_keys(self) -> Collection[str]:
        choices = self.question.choices
        return {choice.key for choice in choices} | {str(number) for number in range(1, len(choices) + 1)}

    def cancel(self) -> None:
        if self.has_line:
            self.close_line()
        else:
            self._answer(self.question.cancel)

    def take_line(self, text: str) -> None:
        if self._commented is not None and (text or self._commented.comment == "optional"):
            self._answer(self._commented.value, text)

    def take_key(self, event: events.Key) -> bool:
        choices = self.question.choices
        match event.key:
            case "up" | "down":
                step = -1 if event.key == "up" else 1
                self._choices.at = (self._choices.at + step) % len(choices)
                self._choices.update_lines()
            case "enter":
                self._choose(self._choices.at)
            case "escape":
                self.cancel()
            case "tab":
                takers = [index for index, choice in enumerate(choices) if choice.comment != "none"]
                if takers:
                    self._open_comment(self._choices.at if self._choices.at in takers else takers[0])
            case key if self.question.is_plan and is_key_of(key, "input.editor"):
                self.post_message(asks.PlanEditorRequested())
            case _:
                return self._by_character(event.character or "")
        return True

    def _by_character(self, character: str) -> bool:
        for index, choice in enumerate(self.question.choices):
            if character and (character.lower() == choice.key or character == str(index + 1)):
                self._choose(index)
                return True
        return False

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
        self.open_line(f"{choice.label}: {self.question.comment_label}", is_secret=choice.comment == "secret")

    def _answer(self, value: str, comment: str = "") -> None:
        self.post_message(self.Answered(self, self.question.id, value, comment))
