"""From what a call asks to the question that is shown, and from the answer to the op."""

from __future__ import annotations

from collections.abc import Callable

from core.protocol.inquiries import Asked, PlanAnswer, PlanRequest, QuestionRequest
from core.protocol.ops import AnswerPermission, AnswerPlan
from core.protocol.views import Answer, PermissionRequest
from tui.dialogs.choice import ChoicePrompt
from tui.dialogs.form import QuestionForm
from tui.dialogs.permission import permission_question, permission_title
from tui.dialogs.plan import plan_question, plan_title
from tui.dialogs.prompt import DockPrompt
from tui.dialogs.question import Question
from tui.rendering.palette import Palette

ANSWERS: dict[str, Answer] = {"once": "once", "session": "session"}
PLAN_ANSWERS: dict[str, PlanAnswer] = {"accept_edits": "accept_edits", "ask_edits": "ask_edits"}


def question_for(request: PermissionRequest | PlanRequest, cwd: str, waiting: int) -> Question:
    """The question of a call that one choice answers."""
    if isinstance(request, PlanRequest):
        return plan_question(request, cwd, waiting)
    return permission_question(request, cwd, waiting)


def op_of_choice(request: Asked, value: str, comment: str) -> AnswerPermission | AnswerPlan:
    """What a choice tells the engine; one that is not known is a no."""
    if isinstance(request, PlanRequest):
        return AnswerPlan(request_id=request.id, answer=PLAN_ANSWERS.get(value, "keep_planning"), comment=comment)
    return AnswerPermission(request_id=request.id, answer=ANSWERS.get(value, "deny"), comment=comment)


def prompt_for(request: Asked, cwd: str, waiting: int, palette: Palette, now: Callable[[], float]) -> DockPrompt:
    """What is docked for a request."""
    if isinstance(request, QuestionRequest):
        return QuestionForm(palette, request, waiting, now)
    return ChoicePrompt(palette, question_for(request, cwd, waiting), now)


def count_waiting(prompt: DockPrompt, request: Asked, waiting: int) -> None:
    """Say how many wait behind the one that is shown."""
    if isinstance(prompt, QuestionForm):
        prompt.set_waiting(waiting)
    elif isinstance(request, PlanRequest):
        prompt.set_title(plan_title(waiting))
    elif isinstance(request, PermissionRequest):
        prompt.set_title(permission_title(request, waiting))
