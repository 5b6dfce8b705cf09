"""A tool's questions, one after the other, docked above the composer."""

from __future__ import annotations

from collections.abc import Callable, Collection

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.message import Message

from core.protocol.inquiries import QuestionAnswer, QuestionRequest
from tui.dialogs.answering import Answering
from tui.dialogs.consent_lines import said_lines
from tui.dialogs.prompt import DockPrompt
from tui.dialogs.question import key_line
from tui.presenter.surfaces import Asker
from tui.rendering.inquiry_views import answer_text, comment_lines
from tui.rendering.line import Line, Span, line_width, truncate, wrap
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean, clean_line
from tui.widgets.line_widget import LineWidget

OTHER = "Other"
SAID = 3
"""Last lines of the subagent that a question is about."""
MIN_LABEL = 16


class QuestionForm(DockPrompt):
    """Answers are kept while the user goes back and forth; several are looked over before they are sent."""

    class Answered(Message):
        """The user has answered, or declined where there are no answers."""

        def __init__(self, prompt: QuestionForm, answers: tuple[QuestionAnswer, ...], comment: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.answers = answers
            self.comment = comment

    def __init__(
        self, palette: Palette, request: QuestionRequest, asker: Asker | None, now: Callable[[], float]
    ) -> None:
        super().__init__(palette, (), now)
        self.answering = Answering(request.questions)
        self._asker = asker
        self._waiting = 0
        self._is_comment = False
        self._body = _Body(palette, self.answering, asker)
        self._keys = _Keys(palette, self.answering)

    def compose(self) -> ComposeResult:
        yield self._title
        with VerticalScroll(can_focus=False):
            yield self._body
        yield self._keys

    def on_resize(self) -> None:
        super().on_resize()
        self._entitle()

    def set_waiting(self, waiting: int) -> None:
        """So many requests wait behind this one."""
        self._waiting = waiting
        self._entitle()

    @property
    def answer_keys(self) -> Collection[str]:
        return "12345 "

    def cancel(self) -> None:
        if self.has_line:
            self.close_line()
        else:
            self.post_message(self.Answered(self, (), self.answering.comment))

    def take_key(self, event: events.Key) -> bool:
        state = self.answering
        match event.key:
            case "escape":
                self.cancel()
            case "tab":
                self._is_comment = True
                self.open_line("A comment to your answers, or to Esc; Enter keeps it", state.comment)
            case "left" | "right":
                self._show(state.step + (1 if event.key == "right" else -1))
            case "up" | "down" if not state.is_review:
                state.move(-1 if event.key == "up" else 1)
                self._draw()
            case "enter":
                self._enter()
            case "space" if not state.is_review:
                self._mark(state.at)
            case _:
                return self._by_digit(event.character or "")
        return True

    def take_line(self, text: str) -> None:
        self.close_line()
        if self._is_comment:
            self.answering.comment = text
        else:
            self.answering.say(text)
            if text and not self.answering.question.multi_select:
                self._next()
                return
        self._draw()

    def _by_digit(self, character: str) -> bool:
        state = self.answering
        place = int(character) - 1 if character in tuple("12345") else -1
        if place < 0 or place > (len(state.questions) - 1 if state.is_review else state.other):
            return False
        if state.is_review:
            self._show(place)
        else:
            self._mark(place)
        return True

    def _enter(self) -> None:
        """Take what is under the cursor; where several may be marked and one is, only go on."""
        state = self.answering
        if state.is_review:
            self._next()
        elif not state.question.multi_select or (state.at == state.other and not state.words):
            self._mark(state.at)
        else:
            if not state.is_answered(state.step):
                state.mark(state.at)
            self._next()

    def _mark(self, place: int) -> None:
        """Take an option, or ask for the user's own words; with one answer possible go on."""
        state = self.answering
        state.at = place
        if place == state.other:
            self._is_comment = False
            self.open_line("Your own words; Enter takes them", state.words)
        else:
            state.mark(place)
            if not state.question.multi_select:
                self._next()
                return
        self._draw()

    def _next(self) -> None:
        """To the next question; after the last one look everything over, and then send it."""
        state = self.answering
        if state.is_review or len(state.questions) == 1:
            if state.is_complete:
                self.post_message(self.Answered(self, state.answers, state.comment))
            else:
                self._show(next(step for step in range(len(state.questions)) if not state.is_answered(step)))
            return
        self._show(state.step + 1)

    def _show(self, step: int) -> None:
        before = self.answering.step
        self.answering.go(step)
        if self.answering.is_review and before != self.answering.step:
            self.be_quiet()
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._draw()

    def _draw(self) -> None:
        self._entitle()
        self._body.update_lines()
        self._keys.update_lines()
        self.tell_rest()
        self.call_after_refresh(self._reveal_cursor)

    def _reveal_cursor(self) -> None:
        first, count = self._body.cursor_rows
        if self.answering.at:  # at first the question itself is what should be read
            for body in self.query(VerticalScroll):
                body.scroll_to_region(Region(0, first, 1, count), animate=False, force=True)

    def _entitle(self) -> None:
        self.set_title(form_title(self.answering, self._waiting, self._title.content_size.width, self._asker))


class _Body(LineWidget):
    """The question with its options, or all answers."""

    def __init__(self, palette: Palette, answering: Answering, asker: Asker | None) -> None:
        super().__init__(palette)
        self._answering = answering
        self._asker = asker
        self.cursor_rows = (0, 1)
        """First row of the option under the cursor, and how many it has."""

    def build(self, width: int) -> list[Line]:
        state = self._answering
        if state.is_review:
            return _review(state, width)
        lines = wrap([(clean(state.question.question), "strong")], width)
        lines += said_lines(self._asker, width, SAID)
        for place in range(state.other + 1):
            option = _option(state, place, width)
            if place == state.at:
                self.cursor_rows = (len(lines), len(option))
            lines += option
        return lines


class _Keys(LineWidget):
    """The user's comment, and what the keys do."""

    def __init__(self, palette: Palette, answering: Answering) -> None:
        super().__init__(palette)
        self._answering = answering

    def build(self, width: int) -> list[Line]:
        state = self._answering
        keys = [("Enter", "send" if state.is_review else "choose")]
        if not state.is_review and state.question.multi_select:
            keys = [("Space", "mark"), ("Enter", "go on" if len(state.questions) > 1 else "send")]
        if len(state.questions) > 1:
            keys.append(("← →", "questions"))
        keys += [("Tab", "comment"), ("Esc", "decline")]
        comment = comment_lines(clean_line(state.comment), width - 2)[:1]
        return [*((("  ", "text"), *line) for line in comment), truncate((("  ", "text"), *key_line(keys)), width)]


def form_title(state: Answering, waiting: int, width: int, asker: Asker | None = None) -> Line:
    """The topics with where the user stands among them; only the present one where there is no room for all. Before
    them the subagent that it is about."""
    sign: Line = (("? ", "state.asking"),)
    if asker is not None:
        sign = truncate((*sign, (clean_line(asker.label), asker.style)), max(MIN_LABEL, width // 2))
        sign = (*sign, (": ", asker.style))
    behind: Line = ((f"  (and {waiting} more after this)", "muted"),) if waiting else ()
    if len(state.questions) == 1:
        return (*sign, (clean_line(state.questions[0].header), "strong"), *behind)
    count: Span = (f"  {min(state.step + 1, len(state.questions))}/{len(state.questions)}", "muted")
    chips: list[Span] = []
    for step, question in enumerate(state.questions):
        mark = "✓" if state.is_answered(step) else "○"
        style = "strong accent" if step == state.step else "good" if state.is_answered(step) else "muted"
        chips.append((f"{'  ' if step else ''}{mark} {clean_line(question.header)}", style))
    chips.append(("  ▸ Send", "strong accent" if state.is_review else "faint"))
    line: Line = (*sign, *chips, *behind) if state.is_review else (*sign, *chips, count, *behind)
    if line_width(line) <= width:
        return line
    now = "Send" if state.is_review else clean_line(state.question.header)
    return (*sign, (now, "strong accent"), count, *behind)


def _option(state: Answering, place: int, width: int) -> list[Line]:
    """One option, with its number, its mark and its description."""
    is_here, is_marked = place == state.at, state.is_marked(place)
    mark: Span = ("❯ ", "accent") if is_here else ("  ", "text")
    prefix: list[Span] = [mark, (f"{place + 1} ", "key")]
    if state.question.multi_select:
        prefix.append(("☑ ", "good") if is_marked else ("☐ ", "muted"))
    spans: list[Span] = []
    if place == state.other:
        spans.append((OTHER, "strong" if is_here else "text"))
        spans.append((f"  “{clean_line(state.words)}”", "text") if state.words else ("  in your own words", "muted"))
    else:
        option = state.question.options[place]
        spans.append((clean_line(option.label), "strong" if is_here else "text"))
        if is_marked and not state.question.multi_select:
            spans.append((" ✓", "good"))
        if option.description:
            spans.append((f"  {clean_line(option.description)}", "muted"))
    rest: Span = (" " * line_width(prefix), "text")
    return wrap(spans, width, first_prefix=tuple(prefix), rest_prefix=(rest,))


def _review(state: Answering, width: int) -> list[Line]:
    """Every topic with its answer."""
    lines: list[Line] = []
    column = max(line_width(((clean_line(question.header), ""),)) for question in state.questions)
    for step, question in enumerate(state.questions):
        header = clean_line(question.header)
        prefix: list[Span] = [("  ", "text"), (f"{step + 1} ", "key"), (header, "muted")]
        prefix.append((" " * (column - line_width(((header, ""),))) + "  ", "text"))
        answer = state.answer_of(step)
        style = "text" if state.is_answered(step) else "caution"
        rest: Span = (" " * line_width(prefix), "text")
        told = answer_text(answer.chosen, answer.text)
        lines += wrap([(told, style)], width, first_prefix=tuple(prefix), rest_prefix=(rest,))
    return lines
