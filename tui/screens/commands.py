"""Commands of the main screen: from what was typed after a slash to the action that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from textual import on

from tui.commands import find_command
from tui.screens.queueing import QueueScreen
from tui.widgets.composer import asks
from tui.widgets.composer.items import CommandEntered, CommandRefused, MenuChanged
from tui.widgets.composer.menu import CompletionMenu

if TYPE_CHECKING:
    from tui.widgets.composer.editor import Composer
    from tui.widgets.status import StatusLine


class CommandActions(QueueScreen):
    """The menu above the composer, and the actions that only commands have."""

    composer: Composer
    status: StatusLine

    async def run_command(self, name: str, argument: str = "") -> None:
        """Do what a command of the table says."""
        command = find_command(name)
        if command is None:
            return
        name = f"action_{command.action}"
        action = getattr(self, name, None) or getattr(self.composer, name, None)
        if action is None:
            self.status.show_hint(f"/{command.name} cannot be done here.")
            return
        done = action(argument) if command.hint else action()
        if done is not None:
            await done

    async def action_mode(self, name: str = "") -> None:
        """The permission mode of this name; without one the next mode."""
        from core.protocol.ops import SetMode
        from core.protocol.views import PermissionMode

        modes: dict[str, PermissionMode] = {mode.lower(): mode for mode in get_args(PermissionMode)}
        modes |= {"manual": "default"}
        if not name:
            await self.run_action("cycle_mode")
        elif name.lower() in modes:
            self.send(SetMode(mode=modes[name.lower()]))
        else:
            self.status.show_hint(f"There is no mode {name}. There are: {', '.join(get_args(PermissionMode))}.")

    def action_plan(self, prompt: str = "") -> None:
        """Plan mode, and a prompt to plan where there is one; ``open`` edits the plan."""
        from core.protocol.ops import SetMode

        if prompt == "open":
            self.post_message(asks.PlanEditorRequested())
            return
        self.send(SetMode(mode="plan"))
        if prompt:
            self.post_message(asks.Submitted(prompt, "steer"))

    def action_model(self, model_id: str) -> None:
        """Use another model, after the turn that runs."""
        from core.protocol.ops import SetModel

        self.send(SetModel(model=model_id))

    def action_compact(self, instructions: str = "") -> None:
        """Put a summary in place of the conversation, after the turn that runs."""
        from core.protocol.ops import Compact

        self.send(Compact(instructions=instructions))

    def action_uncompact(self) -> None:
        """Take back the last compaction, after the turn that runs."""
        from core.protocol.ops import UndoCompaction

        self.send(UndoCompaction())

    def action_handoff(self, goal: str = "") -> None:
        """Go on in a fresh session with a brief of this one, after the turn that runs."""
        from core.protocol.ops import HandOff

        self.send(HandOff(goal=goal))

    @on(MenuChanged)
    def _menu_changed(self, event: MenuChanged) -> None:
        self.query_one(CompletionMenu).show(event.menu)

    @on(CompletionMenu.Picked)
    def _row_picked(self, event: CompletionMenu.Picked) -> None:
        self.composer.focus()
        self.composer.completer.take(event.index)

    @on(CommandEntered)
    async def _command_entered(self, event: CommandEntered) -> None:
        self.status.show_hint("")
        await self.run_command(event.name, event.argument)

    @on(CommandRefused)
    def _command_refused(self, event: CommandRefused) -> None:
        self.status.show_hint(event.hint)
