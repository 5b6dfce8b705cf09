"""The start of a session in the window: what comes after the first paint, and what is asked before the engine runs."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from textual import on

from tui.composer_desk import ComposerDesk
from tui.dialogs.dock import QuestionDock
from tui.panels import PanelApp
from tui.signals import Signals
from tui.widgets.composer.file_source import FileSource

if TYPE_CHECKING:
    from core.llm.client import ModelClient
    from core.protocol.errors import AgentError
    from tui.bridge import Bridge

LATE = (
    "tui.bridge",
    "tui.presenter.presenter",
    "tui.dialogs.asked",
    "tui.dialogs.start",
    "watchfiles",
)
"""Modules that the first paint does not need; together they take longer than it."""

SAMPLE = "`a` **b**\n\n```python\nprint(1)\n```\n"
"""Rendered once out of sight, so that the first answer does not wait for parser and highlighter to load."""


def load_late() -> ModuleType:
    """Import what comes after the first paint, in a thread so that keys are echoed meanwhile; gives the bridge."""
    modules = [importlib.import_module(name) for name in LATE]
    importlib.import_module("tui.rendering.markdown").render_markdown(SAMPLE, 40)
    return modules[0]


class OpeningApp(ComposerDesk, PanelApp):
    """Opens the bridge and goes from question to question until the engine can run."""

    _flags: Mapping[str, Any]
    _selection: Mapping[str, Any]
    _model: ModelClient | None
    _signals: Signals
    _is_running_engine = False

    async def _run_engine(self) -> None:
        raise NotImplementedError

    def _refuse(self, error: AgentError) -> None:
        raise NotImplementedError

    def _begin(self) -> None:
        self.run_worker(self._open(), name="start", exit_on_error=False)

    async def _open(self) -> None:
        from core.protocol.errors import AgentError

        read = partial((await asyncio.to_thread(load_late)).Bridge.open, self._flags, self._selection, self._model)
        try:
            bridge: Bridge = await asyncio.to_thread(read)
        except AgentError as error:
            self._refuse(error)
            return
        self._settle(bridge, bridge.start.settings.theme)
        self._signals.notifications = bridge.start.settings.notifications
        self._main.composer.completer.add_source(FileSource(bridge))
        await self.furnish_composer()
        self._next_step()

    def _next_step(self, problem: str = "") -> None:
        """The next question of the start, or the engine."""
        from tui.dialogs.start import bypass_question, credentials_question, trust_question

        assert self._bridge is not None
        if self._bridge.needs_credentials:
            self._main.dock.ask(credentials_question(problem))
        elif self._bridge.needs_trust:
            start = self._bridge.start
            self._main.dock.ask(trust_question(str(start.launch.cwd), start.untrusted, is_broad=start.is_broad))
        elif self._bridge.start.needs_bypass:
            self._main.dock.ask(bypass_question())
        else:
            self.run_worker(self._run_engine(), name="engine", exit_on_error=False)

    @on(QuestionDock.Answered)
    async def _start_answered(self, event: QuestionDock.Answered) -> None:
        from tui.dialogs.start import BYPASS

        assert self._bridge is not None
        if event.question_id == BYPASS:
            await self._bypass_answered(is_accepted=event.value == "yes")
            return
        if event.value == "quit":
            self.exit()
            return
        theme = self._bridge.start.settings.theme
        problem = self._bridge.answer_start(event.value, event.comment)
        if self._bridge.start.settings.theme != theme:
            self._settle(self._bridge, self._bridge.start.settings.theme)
        if problem and not self._bridge.needs_credentials:
            self._main.status.show_hint(problem)
        self._next_step(problem)

    async def _bypass_answered(self, *, is_accepted: bool) -> None:
        from core.protocol.errors import AgentError
        from core.protocol.ops import SetMode

        assert self._bridge is not None
        try:
            self._bridge.start.with_bypass(is_accepted)
        except AgentError as error:
            self._main.status.show_hint(str(error))
        if not self._is_running_engine:
            self._next_step()
        elif is_accepted:
            await self._bridge.send(SetMode(mode="bypassPermissions"))
