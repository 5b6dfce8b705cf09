"""The place above the composer where questions stand: one at a time, what calls ask in line behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.message import Message

from tui.rendering.palette import Palette
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.inquiries import Asked, PlanRequest
    from core.protocol.ops import Op
    from tui.dialogs.choice import ChoicePrompt
    from tui.dialogs.form import QuestionForm
    from tui.dialogs.prompt import DockPrompt
    from tui.dialogs.question import Question


class QuestionDock(Walled, Vertical):
    """Shows a question, and tells how it was answered."""

    class Decided(Message):
        """The user has answered what a call asked; this is what the engine should hear."""

        def __init__(self, op: Op) -> None:
            super().__init__()
            self.op = op

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
        self._prompt: DockPrompt | None = None
        self._shown: Asked | None = None
        self._cwd = ""
        self._waiting: list[Asked] = []

    @property
    def asks_for_call(self) -> bool:
        """Whether a call waits for the user."""
        return self._shown is not None

    @property
    def plan(self) -> PlanRequest | None:
        """The plan that is asked about, where one is."""
        from core.protocol.inquiries import PlanRequest

        return self._shown if isinstance(self._shown, PlanRequest) else None

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

        self._open(ChoicePrompt(self._palette, question, self._now))

    def put(self, request: Asked, cwd: str) -> None:
        """Ask what a call wants to know, or line it up behind what is shown."""
        self._cwd = cwd
        self._waiting.append(request)
        if self._shown is None:
            self._show_next()
        else:
            self._count_anew()

    def withdraw(self, request_id: str) -> None:
        """The request is closed, answered or not."""
        self._waiting = [request for request in self._waiting if request.id != request_id]
        if self._shown is not None and self._shown.id == request_id:
            self._close()
            self._shown = None
            self._show_next()
        else:
            self._count_anew()

    def take_keys(self) -> None:
        """Give the keys back to the question, where one is open."""
        if self._prompt is not None:
            self._prompt.take_keys()

    def scroll_body(self, direction: int) -> bool:
        """Scroll what the question is about; False where there is nothing to scroll."""
        return self._prompt is not None and self._prompt.scroll_body(direction)

    def on_choice_prompt_answered(self, event: ChoicePrompt.Answered) -> None:
        from tui.dialogs.asked import op_of_choice

        event.stop()
        if event.prompt is not self._prompt:
            return
        if self._shown is not None and self._shown.id == event.question_id:
            self.post_message(self.Decided(op_of_choice(self._shown, event.value, event.comment)))
        else:
            self._close()
            self.post_message(self.Answered(event.question_id, event.value, event.comment))

    def on_question_form_answered(self, event: QuestionForm.Answered) -> None:
        from core.protocol.ops import AnswerQuestion

        event.stop()
        if event.prompt is self._prompt and self._shown is not None:
            op = AnswerQuestion(request_id=self._shown.id, answers=event.answers, comment=event.comment)
            self.post_message(self.Decided(op))

    def on_dock_prompt_typed(self, event: DockPrompt.Typed) -> None:
        event.stop()
        self.post_message(self.Typed(event.text))

    def _open(self, prompt: DockPrompt) -> None:
        self._prompt = prompt
        self.mount(prompt)
        self.screen.add_class("-asking")
        prompt.focus()

    def _show_next(self) -> None:
        from tui.dialogs.asked import prompt_for

        if self._waiting:
            self._shown = self._waiting.pop(0)
            self._open(prompt_for(self._shown, self._cwd, len(self._waiting), self._palette, self._now))

    def _count_anew(self) -> None:
        """Say how many wait behind what is shown."""
        from tui.dialogs.asked import count_waiting

        if self._prompt is not None and self._shown is not None:
            count_waiting(self._prompt, self._shown, len(self._waiting))

    def _close(self) -> None:
        if self._prompt is not None:
            self._prompt.remove()
            self.screen.remove_class("-asking")
            self._prompt = None
            self.post_message(self.Cleared())
