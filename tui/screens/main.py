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
from tui.screens.session_keys import SessionKeys
from tui.widgets.composer.editor import Composer
from tui.widgets.composer.menu import CompletionMenu
from tui.widgets.gauge import Footer
from tui.widgets.header import Header
from tui.widgets.line_widget import LineWidget
from tui.widgets.queue_lane import QueueLane
from tui.widgets.status import StatusLine
from tui.widgets.todo import TodoLine, TodoPanel, TodoViews
from tui.widgets.transcript.pane import ConversationPane

if TYPE_CHECKING:
    from core.protocol.ops import Op
    from core.protocol.views import ImageAttachment, Lane
    from tui.presenter.presenter import Presenter
    from tui.presenter.surfaces import State


class MainScreen(SessionKeys):
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

        def __init__(self, text: str, lane: Lane, images: tuple[ImageAttachment, ...] = ()) -> None:
            super().__init__()
            self.text = text
            self.lane: Lane = lane
            self.images = images

    def __init__(self, palette: Palette, now: Callable[[], float], wall: Callable[[], float]) -> None:
        super().__init__()
        self._palette = palette
        self._footer = Footer(palette, wall)
        self._now = now
        self._pane = ConversationPane(palette)
        self._transcript = self._pane.view
        self.composer = Composer()
        self.queue_lane = QueueLane(palette)
        self.status = StatusLine(palette, now)
        self.dock = QuestionDock(palette, now)
        panel, self._todo_line = TodoPanel(palette), TodoLine(palette)
        self._side = Vertical(panel, id="side")
        self._todos = TodoViews(panel, self._todo_line, self._side)
        self._announced_typing = False
        self._warnings = 0
        self.presenter: Presenter | None = None

    def compose(self) -> ComposeResult:
        yield Header(self._palette)
        with Horizontal(id="middle"):
            yield self._pane
            yield self._side
        yield self.dock
        yield self._todo_line
        yield self.status
        yield self.queue_lane
        yield CompletionMenu(self._palette)
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
                ask=self.dock.put,
                withdraw=self.dock.withdraw,
                explain=self.dock.explain,
                look_at=self._pane.look_at,
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

    def keys_changed(self) -> None:
        """Other keys are in force: write them where keys are written."""
        from tui.widgets.transcript.blocks import WelcomeBlock

        for widget in self.query(LineWidget):
            widget.update_lines()
        for block in self._transcript.blocks:
            if isinstance(block, WelcomeBlock):
                block.touch()
                self._transcript.changed(block)
        self._transcript.flush()

    def warn(self, text: str) -> None:
        """Tell of something that is wrong in the user's files, where it stays."""
        from tui.widgets.transcript.blocks import NoticeBlock

        self._warnings += 1
        self._transcript.append(NoticeBlock(f"warning-{self._warnings}", "warning", f"Settings: {text}"))
        self._transcript.flush()

    @on(QuestionDock.Decided)
    def _decided(self, event: QuestionDock.Decided) -> None:
        if self.dock.plan is not None:
            # The reader was taken to the plan's beginning.
            self._transcript.scroll_edge(1)
        self.send(event.op)

    def plan_edited(self, plan: str) -> None:
        """The user has edited the plan: where it waits for approval show it as it is now."""
        if self.dock.plan is not None and self.presenter is not None:
            self.presenter.show_plan(self.dock.plan.tool_use_id, plan)
            self.presenter.flush()

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
        self.status.show_hint("")
        self._transcript.scroll_edge(1)
        self.post_message(self.Prompted(event.text, event.lane, event.images))

    @on(Composer.Typing)
    def _typing(self) -> None:
        from core.protocol.ops import WarmUp

        self.status.show_hint("")
        if not self._announced_typing:
            self._announced_typing = True
            self.send(WarmUp())

    # Keys

    def action_toggle_todos(self) -> None:
        """Show or hide the todo list."""
        self._todos.toggle()

    def action_transcript(self) -> None:
        """Read the conversation with everything unfolded, or go back to how it was."""
        self.set_class(self._pane.toggle_reading(), "-reading")

    def action_search(self, text: str = "") -> None:
        """Search the conversation."""
        self._pane.search(text)

    def action_copy_last(self) -> None:
        """Copy the newest answer as Markdown."""
        self._pane.copy_answer()

    @on(ConversationPane.Left)
    def _conversation_left(self) -> None:
        self.remove_class("-reading")
        self.set_focus(self.composer)

    def action_page(self, direction: int) -> None:
        """Scroll what a question is about, or where all of that is in view the conversation."""
        if not (self.dock.has_keys and self.dock.scroll_body(direction)):
            self._transcript.scroll_page(direction)

    def action_edge(self, direction: int) -> None:
        """To the beginning or the end of the conversation."""
        self._transcript.scroll_edge(direction)

    def send(self, op: Op) -> None:
        """Ask the engine for something."""
        self.post_message(self.OpRequested(op))
