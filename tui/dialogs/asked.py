"""From what a call asks to the question that is shown, and from the answer to the op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.protocol.inquiries import Asked, PlanAnswer, PlanRequest, QuestionRequest
from core.protocol.ops import AnswerPlan
from core.protocol.views import PermissionRequest
from tui.dialogs.choice import ChoicePrompt
from tui.dialogs.consent import Consent
from tui.dialogs.form import QuestionForm
from tui.dialogs.permission import PermissionPrompt
from tui.dialogs.plan import plan_question, plan_title
from tui.dialogs.prompt import DockPrompt
from tui.presenter.surfaces import Asker
from tui.rendering.palette import Palette

PLAN_ANSWERS: dict[str, PlanAnswer] = {"accept_edits": "accept_edits", "ask_edits": "ask_edits"}


def plan_op(request: PlanRequest, value: str, comment: str) -> AnswerPlan:
    """What a choice tells the engine; one that is not known is a no."""
    return AnswerPlan(request_id=request.id, answer=PLAN_ANSWERS.get(value, "keep_planning"), comment=comment)


@dataclass(frozen=True, slots=True)
class Asking:
    """A request of the session in a folder, and the subagent whose it is, where it is one's."""

    request: Asked
    cwd: str
    asker: Asker | None = None


def prompt_for(asking: Asking, behind: Sequence[Asked], palette: Palette, now: Callable[[], float]) -> DockPrompt:
    """What is docked for a request, with what waits behind it."""
    request, cwd = asking.request, asking.cwd
    match request:
        case QuestionRequest():
            form = QuestionForm(palette, request, asking.asker, now)
            form.set_waiting(len(behind))
            return form
        case PlanRequest():
            return ChoicePrompt(palette, plan_question(request, cwd, len(behind)), now)
        case _:
            consent = Consent(request, cwd, asking.asker)
            consent.waiting, consent.alike = len(behind), alike(request, behind)
            return PermissionPrompt(palette, consent, now)


def alike(request: PermissionRequest, behind: Sequence[Asked]) -> tuple[PermissionRequest, ...]:
    """What waits and may be answered together with a request."""
    return tuple(
        other
        for other in behind
        if isinstance(other, PermissionRequest) and other.likeness and other.likeness == request.likeness
    )


def queue_changed(prompt: DockPrompt, request: Asked, behind: Sequence[Asked]) -> None:
    """Say what waits behind the one that is shown."""
    if isinstance(prompt, QuestionForm):
        prompt.set_waiting(len(behind))
    elif isinstance(prompt, PermissionPrompt) and isinstance(request, PermissionRequest):
        prompt.set_queue(alike(request, behind), len(behind))
    elif isinstance(request, PlanRequest):
        prompt.set_title(plan_title(len(behind)))
