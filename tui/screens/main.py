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
from tui.screens.agents import AgentKeys
from tui.widgets.composer.editor import Composer
from tui.widgets.composer.menu import CompletionMenu
from tui.widgets.gauge import Footer
from tui.widgets.header import Header
from tui.widgets.line_widget import LineWidget
from tui.widgets.queue_lane import QueueLane
from tui.widgets.status import StatusLine
from tui.widgets.todo import TodoLine, TodoPanel, TodoViews
from tui.widgets.transcript.pane import ConversationPane
from tui.widgets.transcript.view import TranscriptView

if TYPE_CHECKING:
    from core.protocol.events import ModelChangeQuoted, NoticeLevel
    from core.protocol.ops import Op
    from core.protocol.views import ImageAttachment, Lane
    from tui.presenter.presenter import Presenter
    from tui.presenter.surfaces import State


class MainScreen(AgentKeys):
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

    class HandoffReady(Message):
        """A new session waits to take the place of this one."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    def __init__(self, palette: Palette, now: Callable[[], float], wall: Callable[[], float]) -> None:
        super().__init__()
        self._palette = palette
        self._footer = Footer(palette, wall)
        self._now = now
        self.wall = wall
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
        self._told = 0
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
                quote=self._quote,
                go_over=self._go_over,
                recall=self._recall,
                wall=self.wall,
            )
        )
        return self.presenter

    def _quote(self, quoted: ModelChangeQuoted) -> None:
        from tui.dialogs.quote import quote_question

        self.dock.ask(quote_question(quoted))

    def _recall(self, agent_id: str) -> None:
        from core.protocol.ops import RecallAgent

        self.send(RecallAgent(agent_id=agent_id))

    def _go_over(self, session_id: str) -> None:
        self.post_message(self.HandoffReady(session_id))

    @on(QuestionDock.Answered)
    def _quote_answered(self, event: QuestionDock.Answered) -> None:
        """Another model at the price that was told, or not; the other questions are the app's."""
        from core.protocol.ops import SetModel
        from tui.dialogs.quote import MODEL

        if event.question_id == MODEL:
            event.stop()
            if event.value:
                self.send(SetModel(model=event.value, is_confirmed=True))

    async def begin_anew(self, signal: Callable[[State], None]) -> Presenter:
        """Another session takes the place of the one that is shown; only what is typed stays."""
        from core.protocol.views import ContextLimits

        self.dock.clear()
        await self.close_agents()
        self._desk = None
        settled, self._pane = self._pane, ConversationPane(self._palette)
        self._transcript = self._pane.view
        self.remove_class("-reading")
        settled.display = False
        await self.query_one("#middle").mount(self._pane, before=0)
        await settled.remove()
        self.status.end()
        self.composer.is_busy = self.composer.has_queue = False
        self.queue_lane.show(())
        self._todos.show(())
        self._todos.show_shared(())
        self.status.show_item("")
        self._footer.show_tasks(0)
        self._footer.show_agents(0)
        self._footer.show_window(0, ContextLimits())
        self._footer.show_usage(0, "")
        self._footer.show_cache(None, None)
        return self.begin(signal)

    def set_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self._palette = palette
        for view in self.query(TranscriptView):
            view.set_palette(palette)
        if self._agents is not None:
            self._agents.set_palette(palette)
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
        """Tell of something that is wrong in the user's files."""
        self.tell("warning", f"Settings: {text}")

    def tell(self, level: NoticeLevel, text: str, hint: str = "") -> None:
        """Tell of something in the conversation, where it stays."""
        from tui.widgets.transcript.blocks import NoticeBlock

        self._told += 1
        self._transcript.append(NoticeBlock(f"told-{self._told}", level, text, hint))
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
            self.give_keys()

    @on(QuestionDock.Typed)
    def _typed_on(self, event: QuestionDock.Typed) -> None:
        if self._agents is None:
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

    def send(self, op: Op) -> None:
        """Ask the engine for something."""
        self.post_message(self.OpRequested(op))
