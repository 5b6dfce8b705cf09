"""The main screen: conversation, todo list, question, status, composer, footer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from tui.dialogs.dock import QuestionDock
from tui.keymap import SCREEN_KEYS, bindings
from tui.rendering.palette import Palette
from tui.screens.queueing import QueueScreen
from tui.widgets.composer.editor import Composer
from tui.widgets.gauge import Footer
from tui.widgets.header import Header
from tui.widgets.line_widget import LineWidget
from tui.widgets.queue_lane import QueueLane
from tui.widgets.status import StatusLine
from tui.widgets.todo import TodoLine, TodoPanel, TodoViews
from tui.widgets.transcript.view import TranscriptView
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.protocol.ops import Op
    from core.protocol.views import Lane
    from tui.presenter.presenter import Presenter
    from tui.presenter.surfaces import State

TWICE_S = 1.5
"""How soon a second Ctrl+C or Ctrl+D must follow to leave."""
MODE_ORDER = ("default", "acceptEdits", "plan")


class MainScreen(Walled, QueueScreen):
    """Draws what it is told, and turns keys into ops."""

    BINDINGS = bindings([key for key in SCREEN_KEYS if key.id != "session.interrupt"], priority=True) + bindings(
        [key for key in SCREEN_KEYS if key.id == "session.interrupt"]
    )
    AUTO_FOCUS = "Composer"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012  as Textual has it

    class OpRequested(Message):
        """The user wants something of the engine."""

        def __init__(self, op: Op) -> None:
            super().__init__()
            self.op = op

    class Prompted(Message):
        """A prompt was sent."""

        def __init__(self, text: str, lane: Lane) -> None:
            super().__init__()
            self.text = text
            self.lane: Lane = lane

    class HelpRequested(Message):
        """The user wants to see the keys."""

    class LeaveRequested(Message):
        """The user leaves."""

    def __init__(self, palette: Palette, now: Callable[[], float], wall: Callable[[], float]) -> None:
        super().__init__()
        self._palette = palette
        self._footer = Footer(palette, wall)
        self._now = now
        self._transcript = TranscriptView(palette)
        self.composer = Composer()
        self.queue_lane = QueueLane(palette)
        self.status = StatusLine(palette, now)
        self.dock = QuestionDock(palette, now)
        panel, self._todo_line = TodoPanel(palette), TodoLine(palette)
        self._side = Vertical(panel, id="side")
        self._todos = TodoViews(panel, self._todo_line, self._side)
        self._leave_by = 0.0
        self._announced_typing = False
        self.presenter: Presenter | None = None

    def compose(self) -> ComposeResult:
        yield Header(self._palette)
        with Horizontal(id="middle"):
            yield self._transcript
            yield self._side
        yield self.dock
        yield self._todo_line
        yield self.status
        yield self.queue_lane
        yield self.composer
        yield self._footer

    def on_resize(self) -> None:
        self._todos.place(self.size.width)
        self.queue_lane.update_lines()

    def on_click(self) -> None:
        """A click in the conversation must not take the keys from a question."""
        self.dock.take_keys()

    def begin(self, signal: Callable[[State], None]) -> Presenter:
        """Make the presenter: from now on events can be shown. ``signal`` hears what the session comes to."""
        from tui.presenter.presenter import Presenter
        from tui.presenter.surfaces import Surfaces

        self.presenter = Presenter(
            Surfaces(
                header=self.query_one(Header),
                transcript=self._transcript,
                todos=self._todos,
                status=self.status,
                queue=self.queue_lane,
                composer=self.composer,
                footer=self._footer,
                ask=self.dock.ask_permission,
                withdraw=self.dock.withdraw,
                signal=signal,
            )
        )
        return self.presenter

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        self._transcript.set_palette(palette)
        self.dock.set_palette(palette)
        for widget in self.query(LineWidget):
            widget.set_palette(palette)

    @on(QuestionDock.PermissionAnswered)
    def _permission_answered(self, event: QuestionDock.PermissionAnswered) -> None:
        from core.protocol.ops import AnswerPermission

        self.send(AnswerPermission(request_id=event.request_id, answer=event.answer, comment=event.comment))

    @on(QuestionDock.Cleared)
    def _question_cleared(self) -> None:
        if not self.dock.is_open:
            self.composer.focus()

    @on(QuestionDock.Typed)
    def _typed_on(self, event: QuestionDock.Typed) -> None:
        self.composer.insert(event.text)

    # The composer

    @on(Composer.Submitted)
    def _submit(self, event: Composer.Submitted) -> None:
        self.post_message(self.Prompted(event.text, event.lane))

    @on(Composer.Typing)
    def _typing(self) -> None:
        from core.protocol.ops import WarmUp

        self.status.show_hint("")
        if not self._announced_typing:
            self._announced_typing = True
            self.send(WarmUp())

    # Keys

    def action_interrupt(self) -> None:
        """Esc: stop the turn; with nothing running clear a hint."""
        from core.protocol.ops import Interrupt

        self.status.show_hint("")
        self.send(Interrupt())

    def action_cancel_or_quit(self) -> None:
        """Ctrl+C: copy a selection, stop, clear, and on the second press leave."""
        from core.protocol.ops import Interrupt

        if self.dock.asks_permission:
            self.send(Interrupt())
        elif self.composer.selected_text:
            self.composer.action_copy()
        elif self.status.is_busy:
            self.send(Interrupt())
        elif self.composer.text:
            self.composer.put("")
        else:
            self._leave("Ctrl+C")

    def action_exit_if_empty(self) -> None:
        """Ctrl+D: delete forward, or with nothing typed leave on the second press."""
        if self.composer.text:
            self.composer.action_delete_right()
        else:
            self._leave("Ctrl+D")

    def action_cycle_mode(self) -> None:
        """The next permission mode."""
        from core.protocol.ops import SetMode

        mode = self.presenter.mode if self.presenter else "default"
        at = MODE_ORDER.index(mode) if mode in MODE_ORDER else -1
        self.send(SetMode(mode=MODE_ORDER[(at + 1) % len(MODE_ORDER)]))  # pyright: ignore[reportArgumentType]

    def action_background(self) -> None:
        """Move the running command to the background."""
        from core.protocol.ops import BackgroundTools

        self.send(BackgroundTools())

    def action_help(self) -> None:
        """The list of keys."""
        self.post_message(self.HelpRequested())

    def action_toggle_todos(self) -> None:
        """Show or hide the todo list."""
        self._todos.toggle()

    def action_unfold_all(self) -> None:
        """Unfold everything, or fold it again."""
        self._transcript.unfold_all()

    def action_page(self, direction: int) -> None:
        """Scroll the conversation, or what a question is about."""
        if self.dock.has_keys:
            self.dock.scroll_body(direction)
        else:
            self._transcript.scroll_page(direction)

    def action_edge(self, direction: int) -> None:
        """To the beginning or the end of the conversation."""
        self._transcript.scroll_edge(direction)

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self.refresh(layout=True, repaint=True)

    def _leave(self, key: str) -> None:
        now = self._now()
        if now <= self._leave_by:
            self.post_message(self.LeaveRequested())
            return
        self._leave_by = now + TWICE_S
        hint = f"{key} once more leaves"
        self.status.show_hint(hint)
        self.set_timer(TWICE_S, lambda: self.status.clear_hint(hint))

    def send(self, op: Op) -> None:
        """Ask the engine for something."""
        self.post_message(self.OpRequested(op))
