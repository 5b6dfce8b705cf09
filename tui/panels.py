"""The panels that the app opens over the window: keys, commands, permissions, context, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from tui.screens.main import MainScreen
from tui.tailored import TailoredApp

if TYPE_CHECKING:
    from tui.screens.permissions import PermissionsScreen
    from tui.screens.reports import ReportPanel


class PanelApp(TailoredApp):
    """Opens what the main screen asks for, and passes on what is decided there."""

    @on(MainScreen.HelpRequested)
    async def _help_requested(self) -> None:
        from tui.screens.help import HelpScreen

        await self._look_again()
        self.push_screen(HelpScreen(self._palette))

    @on(MainScreen.PaletteRequested)
    def _palette_requested(self) -> None:
        from tui.screens.palette import PaletteScreen

        self.push_screen(PaletteScreen(self._palette), self._run_command)

    def _run_command(self, action: str | None) -> None:
        if action:
            self.call_later(self._main.run_action, action)

    @on(MainScreen.PermissionsRequested)
    def _permissions_requested(self) -> None:
        from tui.screens.permissions import PermissionsScreen

        presenter = self._main.presenter
        if presenter is not None:
            self.push_screen(PermissionsScreen(self._palette, presenter.permissions, presenter.cwd))

    def on_permissions_screen_wanted(self, event: PermissionsScreen.Wanted) -> None:
        """Add a rule, or delete one."""
        self._main.send(event.op)

    @on(MainScreen.ContextRequested)
    def _context_requested(self) -> None:
        from tui.screens.reports import ContextScreen

        presenter = self._main.presenter
        if presenter is not None:
            self.push_screen(ContextScreen(self._palette, presenter.reports, self._main.wall))

    @on(MainScreen.CostsRequested)
    def _costs_requested(self) -> None:
        from tui.screens.reports import CostScreen

        presenter = self._main.presenter
        if presenter is not None:
            self.push_screen(CostScreen(self._palette, presenter.reports, presenter.sidechains.label))

    @on(MainScreen.KindsRequested)
    def _kinds_requested(self) -> None:
        from tui.screens.kinds import KindsScreen

        presenter = self._main.presenter
        if presenter is not None:
            self.push_screen(KindsScreen(self._palette, presenter.sidechains))

    @on(MainScreen.TasksRequested)
    def _tasks_requested(self) -> None:
        from tui.screens.tasks import TasksScreen

        presenter = self._main.presenter
        if presenter is not None:
            self.push_screen(TasksScreen(self._palette, presenter.tasks, self._main.wall), self._open_task)

    async def _open_task(self, task_id: str | None) -> None:
        """An agent among the agents, another task by its output."""
        from tui.screens.tasks import TaskOutputScreen

        presenter = self._main.presenter
        if presenter is None or not task_id:
            return
        if presenter.sidechains.get(task_id) is not None:
            await self._main.action_agents(task_id)
        else:
            self.push_screen(TaskOutputScreen(self._palette, presenter.tasks, task_id), self._task_left)

    def _task_left(self, _none: None) -> None:
        """Back to the list."""
        self._tasks_requested()

    def on_report_panel_wanted(self, event: ReportPanel.Wanted) -> None:
        """Ask the engine, or have something done about it."""
        self._main.send(event.op)
