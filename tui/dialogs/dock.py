"""The place above the composer where questions stand: one at a time, what calls ask in line behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.message import Message

from tui.rendering.palette import Palette
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.events import PermissionExplained
    from core.protocol.inquiries import Asked, PlanRequest
    from core.protocol.ops import Op
    from tui.dialogs.choice import ChoicePrompt
    from tui.dialogs.form import QuestionForm
    from tui.dialogs.permission import PermissionPrompt
    from tui.dialogs.prompt import DockPrompt
    from tui.dialogs.question import Question
    from tui.presenter.surfaces import Asker


class QuestionDock(Walled, Vertical):
    """Shows a question, and tells how it was answered."""

    class Decided(Message):
        """The user has answered what a call asked, or wants to know more of it: the engine should hear this."""

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
        self._own: list[Question] = []
        """Questions of the program's own; the first one is shown where no call's is."""
        self._shown: Asked | None = None
        self._cwd = ""
        self._waiting: list[Asked] = []
        self._askers: dict[str, Asker] = {}
        """The subagents that wait, by the ids of their requests."""

    @property
    def asks_for_call(self) -> bool:
        """Whether a call waits for the user."""
        return self._shown is not None or bool(self._waiting)

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

    def refit(self) -> None:
        """Something else stands above it now: there is more room or less."""
        if self._prompt is not None:
            self._prompt.call_after_refresh(self._prompt.on_resize)

    def set_palette(self, palette: Palette) -> None:
        """Draw what is asked from now on in other colours."""
        self._palette = palette

    def ask(self, question: Question) -> None:
        """Show a question of the program's own, or line it up behind what is shown."""
        self._own.append(question)
        if self._prompt is None:
            self._show_next()

    def put(self, request: Asked, cwd: str, asker: Asker | None = None) -> None:
        """Ask what a call wants to know, or line it up behind what is shown. ``asker``: the subagent whose it is."""
        self._cwd = cwd
        if asker is not None:
            self._askers[request.id] = asker
        self._waiting.append(request)
        if self._prompt is None:
            self._show_next()
        else:
            self._count_anew()

    def withdraw(self, request_id: str) -> None:
        """The request is closed, answered or not."""
        self._waiting = [request for request in self._waiting if request.id != request_id]
        self._askers.pop(request_id, None)
        if self._shown is not None and self._shown.id == request_id:
            # What else is closed at the same moment must not flash by.
            self._shown = None
            self.call_later(self._turn)
        else:
            self._count_anew()

    def clear(self) -> None:
        """Nobody waits for an answer any more."""
        self._own.clear()
        self._waiting.clear()
        self._askers.clear()
        self._shown = None
        self._turn()

    def explain(self, event: PermissionExplained) -> None:
        """A model has said what it thinks of a request."""
        from tui.dialogs.permission import PermissionPrompt

        prompt = self._prompt
        if isinstance(prompt, PermissionPrompt) and prompt.consent.request.id == event.request_id:
            prompt.explain(event)

    def take_keys(self) -> None:
        """Give the keys back to the question, where one is open."""
        if self._prompt is not None:
            self._prompt.take_keys()

    def scroll_body(self, direction: int) -> bool:
        """Scroll what the question is about; False where there is nothing to scroll."""
        return self._prompt is not None and self._prompt.scroll_body(direction)

    def on_choice_prompt_answered(self, event: ChoicePrompt.Answered) -> None:
        from core.protocol.inquiries import PlanRequest
        from tui.dialogs.asked import plan_op

        event.stop()
        if event.prompt is not self._prompt:
            return
        if isinstance(self._shown, PlanRequest):
            self.post_message(self.Decided(plan_op(self._shown, event.value, event.comment)))
        elif self._own and self._own[0].id == event.question_id:
            del self._own[0]
            self._turn()
            self.post_message(self.Answered(event.question_id, event.value, event.comment))

    def on_permission_prompt_told(self, event: PermissionPrompt.Told) -> None:
        from core.protocol.ops import AnswerPermission

        event.stop()
        if event.prompt is not self._prompt or self._shown is None:
            return
        answered = {op.request_id for op in event.ops if isinstance(op, AnswerPermission)}
        # Those that were answered with it are never shown, however long the engine takes to close them.
        self._waiting = [request for request in self._waiting if request.id not in answered]
        for op in event.ops:
            self.post_message(self.Decided(op))

    def on_question_form_answered(self, event: QuestionForm.Answered) -> None:
        from core.protocol.ops import AnswerQuestion

        event.stop()
        if event.prompt is self._prompt and self._shown is not None:
            op = AnswerQuestion(request_id=self._shown.id, answers=event.answers, comment=event.comment)
            self.post_message(self.Decided(op))

    def on_dock_prompt_typed(self, event: DockPrompt.Typed) -> None:
        event.stop()
        self.post_message(self.Typed(event.text))

    def _turn(self) -> None:
        """What is asked next takes the place of what is settled."""
        if self._shown is not None or self._prompt is None:
            return
        if self._own or self._waiting:
            self._show_next()
        else:
            self._prompt.remove()
            self._prompt = None
            self.screen.remove_class("-asking")
            self.post_message(self.Cleared())

    def _show_next(self) -> None:
        from tui.dialogs.asked import Asking, prompt_for
        from tui.dialogs.choice import ChoicePrompt

        settled = self._prompt
        if self._own:
            self._prompt = ChoicePrompt(self._palette, self._own[0], self._now)
        else:
            self._shown = self._waiting.pop(0)
            asking = Asking(self._shown, self._cwd, self._askers.get(self._shown.id))
            self._prompt = prompt_for(asking, self._waiting, self._palette, self._now)
        if settled is not None:
            settled.remove()
        self.mount(self._prompt)
        self.screen.add_class("-asking")
        self._prompt.focus()

    def _count_anew(self) -> None:
        """Say what waits behind what is shown."""
        from tui.dialogs.asked import queue_changed

        if self._prompt is not None and self._shown is not None:
            queue_changed(self._prompt, self._shown, self._waiting)
