"""The Textual app: first paint, then the engine. Holds the window together and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.worker import Worker, WorkerState

from tui.keymap import textual_keymap
from tui.opening import OpeningApp
from tui.rendering.sanitize import clean
from tui.screens.main import MainScreen
from tui.signals import Signals
from tui.widgets.transcript.selecting import SelectableView
from tui.widgets.wall import Walled

if TYPE_CHECKING:
    from core.llm.client import ModelClient
    from core.protocol.errors import AgentError
    from core.protocol.ops import Op
    from tui.presenter.presenter import Presenter


SLOW_S = 0.3
READING = "Reading the session…"
"""Told where taking up a session takes longer than that."""


class AgentApp(Walled, OpeningApp):
    """``flags`` and ``selection`` come from the command line, ``config`` is the user's folder; ``model`` and ``now``
    are what tests replace."""

    TITLE = "agent-tui"
    CSS_PATH = Path(__file__).with_name("styles") / "main.tcss"
    ENABLE_COMMAND_PALETTE = False
    INLINE_PADDING = 0

    def __init__(
        self,
        flags: Mapping[str, Any],
        selection: Mapping[str, Any],
        *,
        first_prompt: str = "",
        config: Path | None = None,
        model: ModelClient | None = None,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(str(flags.get("theme") or ""), config)
        self._flags = flags
        self._selection = selection
        self._first_prompt = first_prompt
        self._model = model
        self._early: list[Op] = []
        self._is_going_over = False
        self._main = MainScreen(self._palette, now, wall)
        self._signals = Signals(self, now)

    def on_mount(self) -> None:
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, partial(self.exit, return_code=128 + signal.SIGTERM))
            loop.add_signal_handler(
                signal.SIGHUP, partial(self.run_worker, self._hang_up, name="hang-up", exit_on_error=False)
            )
        self.set_keymap(textual_keymap())
        self._signals.begin(os.getcwd())  # noqa: PTH109
        self.push_screen(self._main)
        self.call_after_refresh(self._begin)

    async def _run_engine(self) -> None:
        """Start the engine and show what it publishes until it is closed."""
        from core.protocol.errors import AgentError
        from core.protocol.ops import SubmitPrompt

        assert self._bridge is not None
        presenter = self._main.begin(self._signals.show)
        reading = self.set_timer(SLOW_S, partial(self._main.status.show_hint, READING))
        try:
            await self._bridge.run()
        except AgentError as error:
            self._refuse(error)
            return
        finally:
            reading.stop()
            self._main.status.clear_hint(READING)
        self._is_running_engine = True
        if self._first_prompt:
            self._early.append(SubmitPrompt(text=self._first_prompt))
        await self._send_early()
        await self._show(presenter)

    async def _show(self, presenter: Presenter) -> None:
        """Show what a session publishes, until it is closed or another one has taken its place."""
        assert self._bridge is not None
        async for batch in self._bridge.batches():
            if presenter is not self._main.presenter:
                return
            for envelope in batch:
                self._walled(partial(presenter.show, envelope))
            self._walled(presenter.flush)

    @on(MainScreen.HandoffReady)
    def _handoff_ready(self, event: MainScreen.HandoffReady) -> None:
        self.run_worker(self._go_over(event.session_id), name="handoff", exit_on_error=False)

    async def _go_over(self, session_id: str) -> None:
        """Another session takes the place of this one; where it cannot be taken up this one goes on."""
        from tui.rendering.call_remarks import handed_off

        assert self._bridge is not None
        left, self._is_going_over = self._bridge.session_id, True
        try:
            await self._bridge.go_on_with(session_id)
        except Exception as error:  # noqa: BLE001  the wall: whatever goes wrong there, the session here goes on
            hint = f"This session goes on. The brief is in the other one: agent-tui --resume {session_id}"
            self._main.tell("error", f"The new session could not be taken up: {error}", hint)
        else:
            presenter = await self._main.begin_anew(self._signals.show)
            presenter.resumed = handed_off(left)
            self.run_worker(self._show(presenter), name="engine", exit_on_error=False)
        self._is_going_over = False
        await self._send_early()

    async def _send_early(self) -> None:
        """What was asked for while there was nobody to take it."""
        early, self._early = self._early, []
        for op in early:
            await self._op_requested(MainScreen.OpRequested(op))

    def _walled(self, work: Callable[[], None]) -> None:
        """The wall: an event that cannot be shown costs neither the session nor the events after it."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  see above
            self._report(error)

    @on(MainScreen.OpRequested)
    async def _op_requested(self, event: MainScreen.OpRequested) -> None:
        from core.protocol.ops import SetMode
        from tui.dialogs.start import bypass_question

        op = event.op
        if self._bridge is not None and self._is_running_engine and not self._is_going_over:
            if isinstance(op, SetMode) and op.mode == "bypassPermissions" and self._bridge.start.is_bypass_new:
                self._main.dock.ask(bypass_question())
            else:
                await self._bridge.send(op)
        else:
            self._early.append(op)

    @on(MainScreen.Prompted)
    async def _prompted(self, event: MainScreen.Prompted) -> None:
        from core.protocol.ops import RunShell, SubmitPrompt

        if self._bridge is not None:
            self._bridge.remember(event.text)
        if event.text.startswith("!"):
            op: Op = RunShell(command=event.text[1:])
        else:
            op = SubmitPrompt(text=event.text, lane=event.lane, images=event.images)
        await self._op_requested(MainScreen.OpRequested(op))

    def _watch_app_focus(self, focus: bool) -> None:
        self._signals.has_focus = focus
        super()._watch_app_focus(focus)

    @on(SelectableView.CopyRequested)
    async def _copy_requested(self, event: SelectableView.CopyRequested) -> None:
        from tui.clipboard import copy

        if self._bridge is not None:
            remark = await copy(self._bridge, event.text, event.what, self.copy_to_clipboard)
            self._main.status.show_hint(remark)

    @on(MainScreen.LeaveRequested)
    def _leave_requested(self) -> None:
        self.exit()

    # The end, and what goes wrong on the way

    async def _hang_up(self) -> None:
        """The terminal is gone: end the session and all its commands, and leave without a word.

        Nothing may be drawn any more: Textual's writer has stopped at its first failure, and what is put before it
        would block the loop once its queue is full. For the same reason its own shutdown cannot be used.
        """
        with self.batch_update():
            try:
                self.keep_draft()
                if self._bridge is not None:
                    await self._bridge.close()
            finally:
                os._exit(128 + signal.SIGHUP)

    def _refuse(self, error: AgentError) -> None:
        """There can be no session: leave, and say why where it stays to be read."""
        self.exit(return_code=1, message=Text(f"agent-tui: {clean(str(error))}"))

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """Without the start or the engine nothing works any more: better to leave than to stand there dead."""
        error: BaseException | None = event.worker.error  # pyright: ignore[reportUnknownMemberType]
        if event.state is WorkerState.ERROR and error is not None:
            self._report(error)
            self.exit(return_code=1, message=Text(f"agent-tui: Unexpected error: {error!r}; details are in the log."))

    async def _shutdown(self) -> None:
        self.keep_draft()
        if self._bridge is not None:
            await self._bridge.close()
        self._signals.end()
        await super()._shutdown()

    def _handle_exception(self, error: Exception) -> None:
        """A fault in the window is logged and told; the session stays. Under a test it fails the test."""
        if self.is_headless or not self._main.is_mounted:
            super()._handle_exception(error)
        else:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        from tui.bridge import log_fault

        log_fault(error)
        self.call_later(partial(self._main.status.show_hint, f"Unexpected error: {error!r}; details are in the log."))
