"""What a call asks, as lines: what is printed of it, and what a typed line answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from core.protocol.inquiries import Asked, PlanRequest, QuestionRequest
from core.protocol.ops import AnswerPermission, AnswerPlan, AnswerQuestion, ExplainPermission
from tui.dialogs.answering import Answering
from tui.dialogs.asked import plan_op
from tui.dialogs.plan import plan_question
from tui.plain.paper import Paper
from tui.plain.questions import Given, print_keys, print_question, read_answer
from tui.presenter.surfaces import Asker

Decided = tuple[AnswerPermission | AnswerQuestion | AnswerPlan | ExplainPermission, ...]
"""What the engine should hear; empty where the line was no answer."""
DECLINE = "-"


class Inquiry(ABC):
    """One thing that is asked."""

    def __init__(self, request: Asked) -> None:
        self.request = request
        self.id = request.id

    @abstractmethod
    def show(self, paper: Paper, behind: Sequence[Asked]) -> None:
        """Print it; the others wait behind it."""

    @abstractmethod
    def take(self, line: str, paper: Paper) -> Decided:
        """What a line answers; where that is not complete, what is missing is printed."""

    @abstractmethod
    def decline(self) -> Decided:
        """What is answered where nobody can."""


class PlanInquiry(Inquiry):
    """A plan: one of a few answers."""

    def __init__(self, request: PlanRequest, cwd: str) -> None:
        super().__init__(request)
        self._request = request
        self._question = plan_question(request, cwd, 0)

    def show(self, paper: Paper, behind: Sequence[Asked]) -> None:
        paper.line("\n" + self._request.plan.strip("\n"))
        print_question(paper, self._question)

    def take(self, line: str, paper: Paper) -> Decided:
        given = read_answer(self._question, line)
        if isinstance(given, Given):
            return (plan_op(self._request, given.value, given.comment),)
        print_keys(paper, self._question)
        return ()

    def decline(self) -> Decided:
        return (plan_op(self._request, "", ""),)


class FormInquiry(Inquiry):
    """A tool's questions, one after the other."""

    def __init__(self, request: QuestionRequest, asker: Asker | None = None) -> None:
        super().__init__(request)
        self._answering = Answering(request.questions)
        self._asker = asker

    def show(self, paper: Paper, behind: Sequence[Asked]) -> None:
        state = self._answering
        count = len(state.questions)
        number = f" ({state.step + 1} of {count})" if count > 1 else ""
        whose = f"{self._asker.label}: " if self._asker is not None else ""
        paper.line(f"\n? {whose}{state.question.question}{number}")
        if self._asker is not None:
            paper.lines(list(self._asker.said), "    ")
        for place, option in enumerate(state.question.options, 1):
            paper.line(f"  {place} = {option.label}" + (f" ({option.description})" if option.description else ""))
        self._show_keys(paper)

    def take(self, line: str, paper: Paper) -> Decided:
        state, line = self._answering, line.strip()
        if line == DECLINE or line.startswith(f"{DECLINE} "):
            return (AnswerQuestion(request_id=self.id, comment=line[1:].strip()),)
        places = self._places(line)
        if not line or (places is not None and not places):
            self._show_keys(paper)
            return ()
        if places is None:
            state.say(line)
        for place in places or ():
            state.mark(place)
        if state.is_complete:
            return (AnswerQuestion(request_id=self.id, answers=state.answers),)
        state.go(state.step + 1)
        self.show(paper, ())
        return ()

    def decline(self) -> Decided:
        return (AnswerQuestion(request_id=self.id),)

    def _places(self, line: str) -> list[int] | None:
        """The options whose numbers the line holds, none where one of them is wrong; None for other words."""
        parts = line.replace(",", " ").split()
        if not all(part.isascii() and part.isdigit() for part in parts):
            return None
        places = sorted({int(part) - 1 for part in parts})
        is_fit = all(0 <= place < self._answering.other for place in places)
        return places if is_fit and (len(places) == 1 or self._answering.question.multi_select) else []

    def _show_keys(self, paper: Paper) -> None:
        what = "one or more numbers (1 3)" if self._answering.question.multi_select else "a number"
        paper.line(
            f"Type {what}, or your own words, and Enter; {DECLINE} declines, words after it are told to the model."
        )
