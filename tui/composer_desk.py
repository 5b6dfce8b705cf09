"""What the app does for the composer on the machine: editor, images, drafts, history. The bridge does the work."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import App, SuspendNotSupported

from tui.screens.main import MainScreen
from tui.widgets.composer import asks

if TYPE_CHECKING:
    from tui.bridge import Bridge


class ComposerDesk(App[None]):
    """The part of the app that serves the composer. Whatever fails here is a hint, and the text stays as it was."""

    _bridge: Bridge | None
    _main: MainScreen
    _is_editing = False

    async def furnish_composer(self) -> None:
        """Give it its settings, the history of the project, and the draft that an earlier run left."""
        bridge, composer = self._bridge, self._main.composer
        assert bridge is not None
        self._draft_lock = asyncio.Lock()
        settings = bridge.start.settings
        composer.flavor = settings.keybinding_flavor
        if settings.vim:
            composer.use_vim(True)
        composer.prompts.load(await asyncio.to_thread(bridge.read_history))
        composer.restore(await asyncio.to_thread(bridge.drafts.take))

    def keep_draft(self) -> None:
        """At the end: what is typed now is kept for the next run."""
        if self._bridge is not None:
            self._bridge.drafts.save(self._main.composer.draft())

    @on(asks.DraftChanged)
    async def _draft_changed(self, event: asks.DraftChanged) -> None:
        if self._bridge is not None:
            self.run_worker(self._save_draft(self._bridge, event.draft), group="draft", exit_on_error=False)

    async def _save_draft(self, bridge: Bridge, draft: dict[str, Any]) -> None:
        """One after the other, so that the newest is what stays."""
        async with self._draft_lock:
            await asyncio.to_thread(bridge.drafts.save, draft)

    @on(asks.Discarded)
    def _discarded(self, event: asks.Discarded) -> None:
        if self._bridge is not None:
            self._bridge.remember(event.text)

    @on(asks.ImagesDropped)
    async def _images_dropped(self, event: asks.ImagesDropped) -> None:
        self.run_worker(self._attach_files(event.paths, event.pasted), exit_on_error=False)

    @on(asks.ClipboardRequested)
    async def _clipboard_requested(self) -> None:
        self.run_worker(self._attach_clipboard(), exit_on_error=False)

    @on(asks.EditorRequested)
    async def _editor_requested(self, event: asks.EditorRequested) -> None:
        self.run_worker(self._edit(event.text), group="editor", exit_on_error=False)

    @on(asks.PlanEditorRequested)
    async def _plan_editor_requested(self) -> None:
        self.run_worker(self._edit_plan(), group="editor", exit_on_error=False)

    async def _attach_files(self, paths: tuple[str, ...], pasted: str) -> None:
        from core.protocol.errors import AgentError

        if self._bridge is None:
            return
        try:
            images = [await asyncio.to_thread(self._bridge.load_image, path) for path in paths]
        except AgentError as error:
            self._main.remark(str(error))
        else:
            self._main.composer.attach(images, pasted)

    async def _attach_clipboard(self) -> None:
        from core.protocol.errors import AgentError

        if self._bridge is None:
            return
        try:
            image = await asyncio.to_thread(self._bridge.load_clipboard)
        except AgentError as error:
            if self.clipboard:
                self._main.composer.take_in(self.clipboard)
            else:
                self._main.remark(str(error))
        else:
            self._main.composer.attach([image])

    async def _edit(self, text: str) -> None:
        """Write on in the editor."""
        if self._bridge is not None:
            edited = await self._in_editor(partial(self._bridge.edit_text, text))
            if edited is not None:
                self._main.composer.replace_all(edited if text.endswith("\n") else edited.removesuffix("\n"))

    async def _edit_plan(self) -> None:
        """Edit the plan in its file."""
        if self._bridge is not None:
            plan = await self._in_editor(self._bridge.edit_plan)
            if plan is not None:
                self._main.plan_edited(plan)

    async def _in_editor(self, edit: Callable[[], str]) -> str | None:
        """What the editor gives; None where there is nothing, which is told.

        The terminal is the editor's meanwhile; the session goes on, and is drawn when it comes back.
        """
        from core.protocol.errors import AgentError

        if self._is_editing:
            return None
        self._is_editing = True
        edited, problem = None, ""
        try:
            with self.batch_update(), self.suspend():
                self._ignore_interrupts()
                # Nothing may be raised in here: Textual would not take the terminal back.
                try:
                    edited = await asyncio.to_thread(edit)
                except AgentError as error:
                    problem = str(error)
        except SuspendNotSupported:
            problem = "An editor cannot be opened in this terminal."
        finally:
            self._is_editing = False
        if problem:
            self._main.remark(problem)
        self.refresh(repaint=True, layout=True)
        return edited

    def _ignore_interrupts(self) -> None:
        """Ctrl+C in the editor is the editor's; where it leaves the terminal as it is the signal comes here too."""
        if not self.is_headless:
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
