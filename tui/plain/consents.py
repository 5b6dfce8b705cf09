"""Permission requests, rules and decisions as lines, and what a typed line answers."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocol.events import PermissionExplained
from core.protocol.inquiries import Asked
from core.protocol.ops import ExplainPermission
from core.protocol.views import PermissionRequest
from tui.dialogs.asked import alike
from tui.dialogs.consent import Consent
from tui.dialogs.consent_lines import alike_lines, explanation_lines, permission_title
from tui.plain.inquiries import Decided, Inquiry
from tui.plain.paper import WIDE, Paper
from tui.plain.questions import WORDS
from tui.presenter.permission_log import PermissionLog
from tui.presenter.surfaces import Asker
from tui.rendering.action_views import SIGNS, action_lines, on_one_line, reason_of
from tui.rendering.line import plain
from tui.rendering.rule_views import answer_words, clock_time, rule_source

RECENT = 20
"""Decisions that are printed."""


class ConsentInquiry(Inquiry):
    """May this call run? What is answered with it is only what was printed with it."""

    def __init__(self, request: PermissionRequest, cwd: str, asker: Asker | None = None) -> None:
        super().__init__(request)
        self.consent = Consent(request, cwd, asker)

    def show(self, paper: Paper, behind: Sequence[Asked]) -> None:
        consent, request = self.consent, self.consent.request
        consent.waiting, consent.alike = len(behind), alike(request, behind)
        paper.line("\n" + plain(permission_title(consent)))
        paper.lines(action_lines(request, consent.cwd, WIDE), "  ")
        if len(request.parts) > 1:
            paper.line("  It consists of:")
            for part in request.parts:
                text = f"{SIGNS[part.behavior][0]}{on_one_line(part.text)}"
                paper.line(f"    {text}: {reason_of(part)[0]}")
        if consent.asker is not None and consent.asker.said:
            paper.line("  What it said and did last:")
            paper.lines(list(consent.asker.said), "    ")
        paper.line(f"  because {on_one_line(request.reason)}")
        for choice in consent.choices:
            detail = f" ({choice.detail})" if choice.detail and choice.value == "always" else ""
            paper.line(f"  {choice.key} = {choice.label}{detail}")
        self._show_scope(paper)
        if consent.alike:
            paper.line("  Alike, and waiting too:")
            for other in consent.alike:
                paper.lines(alike_lines(other, consent, WIDE), "  ")
            paper.line(f"  Y = yes to all {len(consent.alike) + 1} of them, N = no to all of them")
        self._show_keys(paper)

    def take(self, line: str, paper: Paper) -> Decided:
        consent, line = self.consent, line.strip()
        if line in ("<", ">"):
            if not consent.choose_scope(-1 if line == "<" else 1):
                paper.line("  There is none further.")
            self._show_scope(paper)
            return ()
        if line in ("Y", "N") and consent.alike:
            return consent.answer_all(is_yes=line == "Y")
        if line.lower() == "e":
            is_first, consent.is_explaining = not consent.is_explaining, True
            paper.lines(explanation_lines(consent, WIDE))
            return (ExplainPermission(request_id=self.id),) if is_first else ()
        value, comment = self._read(line)
        if value:
            return (consent.answer(value, comment),)
        self._show_keys(paper)
        return ()

    def decline(self) -> Decided:
        return (self.consent.answer("deny"),)

    def explain(self, event: PermissionExplained, paper: Paper) -> None:
        """Print what a model thinks."""
        self.consent.explanation = event
        paper.lines(explanation_lines(self.consent, WIDE))

    def _read(self, line: str) -> tuple[str, str]:
        """The answer and the words that go with it. A yes takes words only behind a colon: nobody consents by
        accident."""
        word, _, comment = line.partition(" ")
        has_colon = word.endswith(":")
        key = WORDS.get(word.removesuffix(":").lower(), word.removesuffix(":").lower())
        for number, choice in enumerate(self.consent.choices, 1):
            if key in (choice.key, str(number)) and (choice.value == "deny" or has_colon or not comment.strip()):
                return choice.value, comment.strip()
        return "", ""

    def _show_scope(self, paper: Paper) -> None:
        scope, count = self.consent.offered, len(self.consent.request.scopes)
        if scope is None:
            return
        place = f" ({self.consent.scope + 1} of {count}; < is narrower, > is wider)" if count > 1 else ""
        saving = "s and a save" if self.consent.request.saves_to else "s saves"
        paper.line(f"  {saving}{place}:")
        for rule in scope.rules:
            paper.line(f"    {on_one_line(rule)}")
        if scope.allows:
            paper.line(f"    allows: {on_one_line(scope.allows)}")
        if scope.refuses:
            paper.line(f"    still asks: {on_one_line(scope.refuses)}")

    def _show_keys(self, paper: Paper) -> None:
        keys = " or ".join(choice.key for choice in self.consent.choices)
        paper.line(
            f"Type {keys} and Enter, or e to have it explained; words after n, or after y: with its colon, are told to "
            "the model, and it goes on."
        )


def print_permissions(log: PermissionLog, cwd: str, paper: Paper) -> None:
    """All rules, numbered, and the newest decisions."""
    paper.line("Permission rules:" if log.rules else "There are no permission rules.")
    for number, rule in enumerate(log.rules, 1):
        problem = f"; has no effect: {on_one_line(rule.problem)}" if rule.problem else ""
        paper.line(f"  {number} {rule.behavior} {on_one_line(rule.text)} ({rule_source(rule, cwd)}{problem})")
    if log.rules:
        paper.line("/permissions delete N takes one away.")
    if log.decisions:
        paper.line("Recent decisions, the newest first:")
    for one in log.decisions[:RECENT]:
        done = one.decided
        said = answer_words(one.answer, is_open=one.is_open)
        about = f"{on_one_line(done.tool_name)} {on_one_line(done.subject)}"
        why = on_one_line(done.rule or done.reason)
        paper.line(f"  {clock_time(one.at)} {done.behavior}: {about}; {why}" + (f"; {said}" if said else ""))
