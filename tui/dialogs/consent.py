"""One permission request as the user decides about it: pure state, for the window as for lines of text."""

from __future__ import annotations

from core.protocol.events import PermissionExplained
from core.protocol.ops import AnswerPermission
from core.protocol.views import Answer, PermissionRequest, RuleScope
from tui.dialogs.question import Choice
from tui.presenter.surfaces import Asker
from tui.rendering.action_views import on_one_line
from tui.rendering.tool_views import short_path

SAVING = ("session", "always")
"""Answers that save rules: all that they cover must have been shown."""

NO_AND_STOP = ("No, and stop", "Tab: no, but say why and go on")


class Consent:
    """A request, what waits behind it, and which scope of rules an answer would save."""

    def __init__(self, request: PermissionRequest, cwd: str, asker: Asker | None = None) -> None:
        self.request = request
        self.cwd = cwd
        unknown = Asker(label=request.agent_label or request.agent) if request.agent else None
        self.asker = asker or unknown
        """The subagent whose call it is; None for the main one."""
        self.alike: tuple[PermissionRequest, ...] = ()
        """Others of the same kind that wait: one key may answer them all."""
        self.waiting = 0
        """Further requests of any kind."""
        self.at = 0
        """The answer under the cursor."""
        self.scope = min(max(request.scope, 0), max(len(request.scopes) - 1, 0))
        self.is_explaining = False
        self.explanation: PermissionExplained | None = None

    @property
    def offered(self) -> RuleScope | None:
        """The rules that would be saved now; None where nothing may be."""
        return self.request.scopes[self.scope] if self.request.scopes else None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The answers, in their order."""
        choices = [Choice("once", "y", "Yes, this once", comment="optional")]
        if self.request.scopes:
            choices.append(Choice("session", "s", "Yes, for this session", comment="optional"))
            if self.request.saves_to:
                path = on_one_line(short_path(self.request.saves_to, self.cwd))
                choices.append(Choice("always", "a", "Yes, always", f"saved in {path}", "optional"))
        # A subagent goes on at a no, the main agent stops.
        no = ("No, it goes on without", "Tab: say why") if self.request.agent else NO_AND_STOP
        return (*choices, Choice("deny", "n", *no, "optional"))

    def move(self, by: int) -> None:
        """Move the cursor, from the last answer to the first."""
        self.at = (self.at + by) % len(self.choices)

    def choose_scope(self, by: int) -> bool:
        """A wider scope, or a narrower one; False where there is none."""
        scope = min(max(self.scope + by, 0), max(len(self.request.scopes) - 1, 0))
        has_changed = scope != self.scope
        self.scope = scope
        return has_changed

    def answer(self, value: str, comment: str = "") -> AnswerPermission:
        """What an answer tells the engine; one that is not known is a no."""
        answers: dict[str, Answer] = {"once": "once", "session": "session", "always": "always"}
        answer = answers.get(value, "deny")
        scope = self.scope if answer in SAVING else 0
        return AnswerPermission(request_id=self.request.id, answer=answer, comment=comment, scope=scope)

    def answer_all(self, *, is_yes: bool) -> tuple[AnswerPermission, ...]:
        """The same for this request and all that are alike; nothing is saved."""
        answer: Answer = "once" if is_yes else "deny"
        ids = (self.request.id, *(request.id for request in self.alike))
        return tuple(AnswerPermission(request_id=request_id, answer=answer) for request_id in ids)
