"""What the engine has told of the window and of the costs: kept by the presenter, read by the views."""

from __future__ import annotations

from core.protocol.context_views import ContextReport
from core.protocol.events import CostsReported
from tui.presenter.watched import Watched


class Reports(Watched):
    """The newest report of each kind. ``is_outdated``: a request has ended since it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.context: ContextReport | None = None
        self.costs: CostsReported | None = None
        self.is_outdated = False

    def ask(self) -> None:
        """A report is asked for: what comes is new."""
        self.is_outdated = False

    def outdate(self) -> None:
        """A request has ended: what was told is no longer true."""
        self.is_outdated = True
        self._changed()

    def show_context(self, report: ContextReport) -> None:
        """What fills the window."""
        self.context = report
        self._changed()

    def show_costs(self, costs: CostsReported) -> None:
        """What the session has taken."""
        self.costs = costs
        self._changed()
