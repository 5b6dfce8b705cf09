"""What fills the window, and what the session has cost: two panels that ask the engine and keep up with it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.timer import Timer

from core.protocol.ops import Compact, Op, ReportContext, ReportCosts, UndoCompaction
from tui.dialogs.question import key_line
from tui.presenter.reports import Reports
from tui.rendering.context_views import context_lines
from tui.rendering.cost_views import cost_lines, sum_of
from tui.rendering.line import Line, truncate
from tui.rendering.palette import Palette
from tui.rendering.sanitize import clean_line
from tui.screens.panel import Panel

AGAIN_S = 1.0
"""So long after a request a report is asked for again: what ends meanwhile is in it too."""
FIRST_ROWS = 16
"""Rows of the body before anything is known."""


class ReportPanel(Panel[None]):
    """Asks when it opens, and again while the session works; idle it stands still."""

    class Wanted(Message):
        """The engine should hear this."""

        def __init__(self, op: Op) -> None:
            super().__init__()
            self.op = op

    def __init__(self, palette: Palette, reports: Reports) -> None:
        super().__init__(palette)
        self._reports = reports
        self._unwatch: Callable[[], None] = lambda: None
        self._again: Timer | None = None

    def question(self) -> Op:
        """What is asked of the engine."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self._unwatch = self._reports.watch(self._changed)
        self._ask()

    def on_unmount(self) -> None:
        self._unwatch()

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "up" | "down":
                self._scroll.scroll_relative(y=-1 if event.key == "up" else 1, animate=False)
            case "pageup" | "pagedown":
                super().on_key(event)
            case "home" | "end":
                (self._scroll.scroll_home if event.key == "home" else self._scroll.scroll_end)(animate=False)
            case "q" | "enter":
                self.action_leave()
            case _:
                return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """A click beside the box closes it."""
        if event.screen_offset not in self.box.region:
            self.action_leave()

    def _ask(self) -> None:
        self._again = None
        self._reports.ask()
        self.post_message(self.Wanted(self.question()))

    def _changed(self) -> None:
        if self._reports.is_outdated and self._again is None:
            self._again = self.set_timer(AGAIN_S, self._ask)
        self.redraw()
        # There may be more rows than before.
        self.on_resize()


class ContextScreen(ReportPanel):
    """What fills the window, and what can be done about it. ``wall`` gives seconds since the epoch."""

    COLUMNS = 108

    def __init__(self, palette: Palette, reports: Reports, wall: Callable[[], float]) -> None:
        super().__init__(palette, reports)
        self._wall = wall
        self._cooling: Timer | None = None

    def question(self) -> Op:
        return ReportContext()

    def head(self, width: int) -> Line:
        report = self._reports.context
        model = f"  {clean_line(report.model)}" if report is not None else ""
        return truncate((("Context", "heading"), (model, "muted")), width)

    def body(self, width: int) -> list[Line]:
        report = self._reports.context
        if report is None:
            return [(("Counting…", "muted"),)]
        return context_lines(report, width, self._wall())

    def foot(self, width: int) -> Line:
        report = self._reports.context
        keys = [("Esc", "close"), ("c", "compact now")]
        if report is not None and report.can_undo:
            keys.append(("u", "undo the last compaction"))
        return truncate(key_line([*keys, ("↑ ↓", "scroll")]), width)

    def wanted_rows(self, width: int) -> int:
        return FIRST_ROWS if self._reports.context is None else super().wanted_rows(width)

    def on_key(self, event: events.Key) -> None:
        report = self._reports.context
        match event.key:
            case "c":
                self._do(Compact())
            case "u" if report is not None and report.can_undo:
                self._do(UndoCompaction())
            case _:
                super().on_key(event)
                return
        event.stop()
        event.prevent_default()

    def _do(self, op: Op) -> None:
        """Have it done, and make way for what is seen of it."""
        self.post_message(self.Wanted(op))
        self.dismiss()

    def _changed(self) -> None:
        super()._changed()
        if self._cooling is not None:
            self._cooling.stop()
            self._cooling = None
        report = self._reports.context
        left = (report.warm_until or 0.0) - self._wall() if report is not None else 0.0
        if left > 0:
            self._cooling = self.set_timer(left, self._ask)


class CostScreen(ReportPanel):
    """What was spent on what."""

    COLUMNS = 100

    def __init__(self, palette: Palette, reports: Reports, label: Callable[[str], str]) -> None:
        """``label`` names an agent by its id."""
        super().__init__(palette, reports)
        self._label = label

    def question(self) -> Op:
        return ReportCosts()

    def head(self, width: int) -> Line:
        costs = self._reports.costs
        total = sum_of(costs.lines).price if costs is not None and costs.lines else ""
        return truncate((("Costs", "heading"), (f"  {total} in this session" if total else "", "muted")), width)

    def body(self, width: int) -> list[Line]:
        costs = self._reports.costs
        return cost_lines(costs, width, self._label) if costs is not None else [(("Adding up…", "muted"),)]

    def foot(self, width: int) -> Line:
        return truncate(key_line((("Esc", "close"), ("↑ ↓", "scroll"))), width)
