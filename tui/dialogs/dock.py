"""The place above the composer where questions stand: one at a time, permission requests in line behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.message import Message

from tui.rendering.palette import Palette
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.views import Answer, PermissionRequest
    from tui.dialogs.choice import ChoicePrompt, Question

ANSWERS: dict[str, Answer] = {"once": "once", "session": "session", "deny": "deny"}


class QuestionDock(Walled, Vertical):
    """Shows a question, and tells how it was answered."""

    class PermissionAnswered(Message):
        """The user has decided about a call."""

        def __init__(self, request_id: str, answer: Answer, comment: str) -> None:
            super().__init__()
            self.request_id = request_id
            self.answer: Answer = answer
            self.comment = comment

    class Answered(Message):
        """One of the program's own questions was answered."""

        def __init__(self, question_id: str, value: str, comment: str) -> None:
            super().__init__()
            self.question_id = question_id
            self.value = value
            self.comment = comment

    class Typed(Message):
        """Text that was not meant as an answer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Cleared(Message):
        """Nothing is asked any more."""

    def __init__(self, palette: Palette, now: Callable[[], float]) -> None:
        super().__init__(id="question")
        self._palette = palette
        self._now = now
        self._prompt: ChoicePrompt | None = None
        self._shown: PermissionRequest | None = None
        self._waiting: list[tuple[PermissionRequest, str]] = []

    @property
    def asks_permission(self) -> bool:
        """Whether a call waits for the user."""
        return self._shown is not None

    @property
    def is_open(self) -> bool:
        """Whether anything is asked; the next question may be there before it has the focus."""
        return self._prompt is not None

    @property
    def has_keys(self) -> bool:
        """Whether a question has the focus."""
        return self._prompt is not None and self._prompt.has_focus

    def set_palette(self, palette: Palette) -> None:
        """Draw what is asked from now on in other colours."""
        self._palette = palette

    def ask(self, question: Question) -> None:
        """Show a question of the program's own."""
        from tui.dialogs.choice import ChoicePrompt

        self._prompt = ChoicePrompt(self._palette, question, self._now)
        self.mount(self._prompt)
        self.screen.add_class("-asking")
        self._prompt.focus()

    def ask_permission(self, request: PermissionRequest, cwd: str) -> None:
        """Ask about a call, or line it up behind the one that is shown."""
        self._waiting.append((request, cwd))
        if self._shown is None:
            self._show_next()
        else:
            self._retitle()

    def withdraw(self, request_id: str) -> None:
        """The request is closed, answered or not."""
        self._waiting = [(request, cwd) for request, cwd in self._waiting if request.id != request_id]
        if self._shown is not None and self._shown.id == request_id:
            self._close()
            self._shown = None
            self._show_next()
        else:
            self._retitle()

    def take_keys(self) -> None:
        """Give the keys back to the question, where one is open."""
        if self._prompt is not None:
            self._prompt.take_keys()

    def scroll_body(self, direction: int) -> None:
        """Scroll what the question is about."""
        if self._prompt is not None:
            self._prompt.scroll_body(direction)

    def on_choice_prompt_answered(self, event: ChoicePrompt.Answered) -> None:
        event.stop()
        if event.prompt is not self._prompt:
            return
        if self._shown is not None and self._shown.id == event.question_id:
            answer = ANSWERS.get(event.value, "deny")
            self.post_message(self.PermissionAnswered(event.question_id, answer, event.comment))
        else:
            self._close()
            self.post_message(self.Answered(event.question_id, event.value, event.comment))

    def on_choice_prompt_typed(self, event: ChoicePrompt.Typed) -> None:
        event.stop()
        self.post_message(self.Typed(event.text))

    def _show_next(self) -> None:
        from tui.dialogs.permission import permission_question

        if self._waiting:
            self._shown, cwd = self._waiting.pop(0)
            self.ask(permission_question(self._shown, cwd, len(self._waiting)))

    def _retitle(self) -> None:
        from tui.dialogs.permission import permission_title

        if self._prompt is not None and self._shown is not None:
            self._prompt.set_title(permission_title(self._shown, len(self._waiting)))

    def _close(self) -> None:
        if self._prompt is not None:
            self._prompt.remove()
            self.screen.remove_class("-asking")
            self._prompt = None
            self.post_message(self.Cleared())
