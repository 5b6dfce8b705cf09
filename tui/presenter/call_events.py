"""Events of calls: running, asking, their results, and the groups that run at once."""

from __future__ import annotations

from core.protocol import events as ev
from tui.presenter.base import PresenterBase
from tui.widgets.transcript.shell_block import ShellBlock
from tui.widgets.transcript.tool_block import ToolBlock


class CallEvents(PresenterBase):
    """Keeps each call's block up to date."""

    def on_tool_started(self, event: ev.ToolStarted) -> None:
        """A call runs; calls of one batch are drawn as a group."""
        block = self._tools.get(event.tool_use_id)
        if block is None:
            return
        block.set_state("running")
        self._running[event.tool_use_id] = event.name
        self._show_work()
        # Block ids begin with the response they are of: calls of two responses are never one group.
        key = (block.id.rpartition(":")[0], event.batch)
        if key != self._batch:
            self._batch, self._batch_tools = key, []
        if block not in self._batch_tools:
            self._batch_tools.append(block)
        self._group()
        self._redraw(block)

    def on_tool_progress(self, event: ev.ToolProgress) -> None:
        """The tail of what it prints."""
        block = self._tools.get(event.tool_use_id)
        if block is not None:
            block.progress(event.text, event.total_lines)
            self._redraw(block)

    def on_tool_finished(self, event: ev.ToolFinished) -> None:
        """The result."""
        block = self._tools.pop(event.tool_use_id, None)
        if block is None:
            return
        block.finish(event.content, event.display, event.duration_ms, is_error=event.is_error, todos=self._todos)
        self._finished[event.tool_use_id] = block
        self._running.pop(event.tool_use_id, None)
        self._show_work()
        self._redraw(block)

    def on_tool_result_moved(self, event: ev.ToolResultMoved) -> None:
        """It made room for the others."""
        block = self._finished.get(event.tool_use_id)
        if block is not None:
            block.move_result(event.content, event.path)
            self._redraw(block)

    def on_shell_started(self, event: ev.ShellStarted) -> None:
        """A command of the user's own."""
        self._tools[event.shell_id] = self._add(ShellBlock(event.shell_id, event.command, self._cwd))
        self._on.status.begin()
        self._on.status.show_activity(f"Running {event.command}")

    def on_shell_finished(self, event: ev.ShellFinished) -> None:
        """What it printed."""
        block = self._tools.pop(event.shell_id, None)
        if isinstance(block, ShellBlock):
            block.end(event.output, event.exit_code)
            self._on.transcript.changed(block)
        self._on.status.end()

    def on_permission_requested(self, event: ev.PermissionRequested) -> None:
        """The question opens above the composer."""
        block = self._tools.get(event.request.tool_use_id)
        if block is not None:
            block.set_state("asking")
            self._redraw(block)
        self._asking.add(event.request.id)
        self._show_work()
        self._on.ask(event.request, self._cwd)

    def on_permission_resolved(self, event: ev.PermissionResolved) -> None:
        """The question closes."""
        self._on.withdraw(event.request_id)
        self._asking.discard(event.request_id)
        self._show_work()
        block = self._tools.get(event.tool_use_id)
        if block is not None and event.answer in ("once", "session"):
            block.set_state("running")
            self._redraw(block)

    def on_permission_decided(self, event: ev.PermissionDecided) -> None:
        """Kept in the event log; the question shows the reason where there is one."""

    def _group(self) -> None:
        """Mark the members of the running batch as one group."""
        members = self._batch_tools
        if len(members) < 2:
            return
        for place, block in enumerate(members):
            block.set_group("first" if place == 0 else "last" if place == len(members) - 1 else "middle", members)
            self._on.transcript.changed(block)

    def _redraw(self, block: ToolBlock) -> None:
        """Draw a call, and the line above its batch, anew."""
        self._on.transcript.changed(block)
        self._on.transcript.changed(block.batch_head)
