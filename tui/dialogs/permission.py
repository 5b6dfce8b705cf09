"""The permission prompt: the whole action in a body that scrolls, below it the answers and what they would save.

Nothing is saved, and nothing alike is approved, before all that it covers was in view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

from textual import events
from textual.app import App, ComposeResult
from textual.message import Message

from core.protocol.events import PermissionExplained
from core.protocol.ops import AnswerPermission, ExplainPermission
from core.protocol.views import PermissionRequest
from tui.dialogs.consent import SAVING, Consent
from tui.dialogs.consent_body import ConsentBody
from tui.dialogs.consent_lines import (
    answer_lines,
    hint_words,
    permission_title,
    scope_lines,
)
from tui.dialogs.prompt import GRACE_S, DockPrompt
from tui.rendering.line import Line
from tui.rendering.palette import Palette
from tui.widgets.line_widget import LineWidget

FRAME_ROWS = 3
"""The border, and the title."""
FRAME_COLUMNS = 4
ROOMY = 30
"""Rows of a screen that has some to spare."""
USUAL = 24
MIN_CONVERSATION = 1
MIN_AGENTS = 6
"""Rows for the agents where they are looked at: strip, keys, two heads."""
MIN_BODY = 3
"""Rows that the action keeps, whatever else there is to say."""


class _Answers(LineWidget):
    """The reason, the answers, the rules."""

    def __init__(self, palette: Palette, prompt: PermissionPrompt) -> None:
        super().__init__(palette)
        self._prompt = prompt
        self.choice_rows: list[int] = []

    def build(self, width: int) -> list[Line]:
        prompt = self._prompt
        rows = answer_lines(prompt.consent, width, is_seen=prompt.body.is_seen, said=prompt.said_rows)
        self.choice_rows = [index for _line, index in rows]
        rules = scope_lines(self._prompt.consent, width) if self._prompt.has_rules_below else []
        if self._prompt.is_roomy:
            self.choice_rows.insert(0, -1)
            return [(), *(line for line, _index in rows), (), *rules]
        return [*(line for line, _index in rows), *rules]


class PermissionPrompt(DockPrompt):
    """May this call run?"""

    class Told(Message):
        """What the engine should hear: answers, or that an explanation is wanted."""

        def __init__(self, prompt: PermissionPrompt, ops: tuple[AnswerPermission | ExplainPermission, ...]) -> None:
            super().__init__()
            self.prompt = prompt
            self.ops = ops

    def __init__(self, palette: Palette, consent: Consent, now: Callable[[], float]) -> None:
        super().__init__(palette, permission_title(consent), now)
        self.consent = consent
        self._answers = _Answers(palette, self)
        self.body = ConsentBody(palette, consent, self._answers.update_lines)
        self._commented = ""
        self.border_subtitle = hint_words(consent)
        self._alike_since = now()
        self._is_just_focused = False

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.body
        yield self._answers

    def on_mount(self) -> None:
        super().on_mount()
        self._fit()
        app = cast("App[None]", self.app)  # pyright: ignore[reportUnknownMemberType]
        self.watch(app, "app_focus", self._focus_changed, init=False)

    def on_resize(self) -> None:
        self._fit()
        super().on_resize()

    @property
    def is_roomy(self) -> bool:
        """Whether there is room for blank lines between the parts."""
        return self.screen.size.height >= ROOMY

    @property
    def said_rows(self) -> int:
        """How many last lines of the agent that asks there is room for."""
        return 3 if self.is_roomy else 2 if self.screen.size.height >= USUAL else 1

    @property
    def has_rules_below(self) -> bool:
        """Whether there is room for all rules below the answers; else they stand in the body and have to be read."""
        width = self.screen.size.width - FRAME_COLUMNS
        fixed = len(answer_lines(self.consent, width, is_seen=False, said=self.said_rows)) + 2 * self.is_roomy
        return len(scope_lines(self.consent, width)) <= self._rows - MIN_BODY - fixed

    @property
    def _rows(self) -> int:
        """Rows for all but frame and title: what the input and all else leave, three quarters of the screen at most."""
        height = self.screen.size.height
        beside = ("middle", "question", "agents")
        others = sum(child.outer_size.height for child in self.screen.children if child.id not in beside)
        kept = MIN_AGENTS if self.screen.has_class("-agents") else MIN_CONVERSATION
        return min(height * 3 // 4, height - others - kept) - FRAME_ROWS

    def _fit(self) -> None:
        """Give the body what the answers leave, a third of the screen at most, and rules that find no room there."""
        self.body.place_rules(has_rules=not self.has_rules_below)
        self._answers.update_lines()
        below = len(self._answers.build(self.screen.size.width - FRAME_COLUMNS))
        self.body.styles.max_height = max(MIN_BODY, min(self.screen.size.height // 3, self._rows - below))

    def _redraw(self) -> None:
        self.body.redraw()
        self._fit()
        self.tell_rest()

    # What was in view

    def _tell_rest(self) -> None:
        if self.is_attached:
            super()._tell_rest()
            self._fit()
            self.body.look()

    # What comes in

    def set_queue(self, alike: tuple[PermissionRequest, ...], waiting: int) -> None:
        """These wait and are alike; so many wait altogether."""
        self.consent.waiting = waiting
        self.set_title(permission_title(self.consent))
        if alike != self.consent.alike:
            if not {request.id for request in alike} <= {request.id for request in self.consent.alike}:
                self._alike_since = self._now()
            self.consent.alike = alike
            if self.is_mounted:
                self._redraw()

    def explain(self, event: PermissionExplained) -> None:
        """A model has said what it thinks."""
        self.consent.explanation = event
        self._redraw()
        self.call_after_refresh(self.body.show_explanation)

    # What the user does

    @property
    def answer_keys(self) -> Collection[str]:
        return {"e", *(choice.key for choice in self.consent.choices), *"123456789"[: len(self.consent.choices)]}

    def cancel(self) -> None:
        self._answer("deny")

    def take_line(self, text: str) -> None:
        self._answer(self._commented, text)

    def take_key(self, event: events.Key) -> bool:
        match event.key:
            case "up" | "down":
                self.consent.move(-1 if event.key == "up" else 1)
                self._answers.update_lines()
            case "left" | "right":
                if self.consent.choose_scope(-1 if event.key == "left" else 1):
                    self._redraw()
            case "enter":
                self._choose(self.consent.at)
            case "escape":
                self.cancel()
            case "tab":
                self._open_comment()
            case _:
                return self._by_character(event.character or "")
        return True

    def on_click(self, event: events.Click) -> None:
        """A click chooses an answer, one more gives it; the one that brought the window to the front does neither."""
        was_away, self._is_just_focused = self._is_just_focused, False
        place = event.get_content_offset(self._answers)
        if was_away or place is None or self.has_line or self._now() - self._quiet_since < GRACE_S:
            return
        row = self._answers.choice_rows[place.y] if place.y < len(self._answers.choice_rows) else -1
        if row == self.consent.at:
            self._choose(row)
        elif row >= 0:
            self.consent.at = row
            self._answers.update_lines()

    def _focus_changed(self, has_focus: bool) -> None:
        self._is_just_focused = has_focus

    def _by_character(self, character: str) -> bool:
        if character in ("Y", "N") and self.consent.alike:
            self._answer_all(is_yes=character == "Y")
            return True
        if character.lower() == "e":
            self._explain()
            return True
        for index, choice in enumerate(self.consent.choices):
            if character and (character.lower() == choice.key or character == str(index + 1)):
                self._choose(index)
                return True
        return False

    def _choose(self, index: int) -> None:
        self._answer(self.consent.choices[index].value)

    def _open_comment(self) -> None:
        choice = self.consent.choices[self.consent.at]
        if choice.value not in SAVING or self.body.is_seen:
            self._commented = choice.value
            what = "what should it do instead?" if choice.value == "deny" else "what should it know?"
            self.open_line(f"{choice.label}: {what} Enter sends")

    def _explain(self) -> None:
        is_first = not self.consent.is_explaining
        self.consent.is_explaining = True
        self._redraw()
        self.call_after_refresh(self.body.show_explanation)
        if is_first:
            self.post_message(self.Told(self, (ExplainPermission(request_id=self.consent.request.id),)))

    def _answer(self, value: str, comment: str = "") -> None:
        if value not in SAVING or self.body.is_seen:
            self.post_message(self.Told(self, (self.consent.answer(value, comment),)))

    def _answer_all(self, *, is_yes: bool) -> None:
        """The same to all that are alike; a yes only to a list that was in view for a moment."""
        if not is_yes or (self.body.is_seen and self._now() - self._alike_since >= GRACE_S):
            self.post_message(self.Told(self, self.consent.answer_all(is_yes=is_yes)))
