"""What the main screen only passes on: commands that the app carries out."""

from __future__ import annotations

from textual import on
from textual.message import Message
from textual.screen import Screen

from tui.widgets.composer.editor import Composer
from tui.widgets.gauge import Footer
from tui.widgets.wall import Walled


class RequestScreen(Walled, Screen[None]):
    """Turns keys and commands into requests to the app."""

    class HelpRequested(Message):
        """The user wants to see the keys."""

    class PaletteRequested(Message):
        """The user wants to choose among all commands."""

    class ThemeRequested(Message):
        """The user wants another theme: the one of that name, or to choose one."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class PermissionsRequested(Message):
        """The user wants to see the permission rules and what was decided."""

    class ContextRequested(Message):
        """The user wants to see what fills the window."""

    class CostsRequested(Message):
        """The user wants to see what the session has cost."""

    class KindsRequested(Message):
        """The user wants to see what kinds of agents there are."""

    class TasksRequested(Message):
        """The user wants to see all tasks."""

    class LeaveRequested(Message):
        """The user leaves."""

    @on(Composer.HelpWanted)
    def action_help(self) -> None:
        """The list of keys."""
        self.post_message(self.HelpRequested())

    def action_palette(self) -> None:
        """All commands, to find and run."""
        self.post_message(self.PaletteRequested())

    def action_permissions(self) -> None:
        """Permission rules and recent decisions."""
        self.post_message(self.PermissionsRequested())

    @on(Footer.GaugeClicked)
    def action_context(self) -> None:
        """What fills the window, and what can be done about it."""
        self.post_message(self.ContextRequested())

    def action_costs(self) -> None:
        """What the session has cost."""
        self.post_message(self.CostsRequested())

    def action_kinds(self) -> None:
        """What kinds of agents there are."""
        self.post_message(self.KindsRequested())

    def action_tasks(self) -> None:
        """All tasks."""
        self.post_message(self.TasksRequested())

    def action_themes(self, name: str = "") -> None:
        """Choose the theme, or take the one of that name."""
        self.post_message(self.ThemeRequested(name))

    def action_leave(self) -> None:
        """Leave at once."""
        self.post_message(self.LeaveRequested())

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self.refresh(layout=True, repaint=True)
