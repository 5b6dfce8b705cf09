"""Events of the session: where it runs, its mode and model, notices, queue, todo and task list."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.views import PermissionMode
from tui.presenter.base import PresenterBase
from tui.rendering.tool_views import short_path
from tui.widgets.transcript.blocks import NoticeBlock, WelcomeBlock

MODE_ORDER: tuple[PermissionMode, ...] = ("default", "acceptEdits", "plan")
"""One key goes through these."""


class SessionEvents(PresenterBase):
    """Fills header, footer, queue lane and todo views."""

    @property
    def mode(self) -> PermissionMode:
        """The permission mode as last told."""
        return self._mode

    @property
    def next_mode(self) -> PermissionMode:
        """The mode after this one; asking nothing is among them only where the session was started so."""
        order = (*MODE_ORDER, "bypassPermissions") if self._may_bypass else MODE_ORDER
        at = order.index(self._mode) if self._mode in order else -1
        return order[(at + 1) % len(order)]

    def on_session_started(self, event: ev.SessionStarted) -> None:
        """Fill the header, the mode and the gauge."""
        self._cwd = event.cwd
        self._on.header.show_session(event.cwd, event.model, is_demo=event.is_demo)
        self._on.footer.show_window(event.context_window, event.limits)
        self._may_bypass = event.mode == "bypassPermissions"
        self._set_mode(event.mode)
        if event.is_resumed:
            self._add(NoticeBlock(self._next_id(), "info", self.resumed))
        else:
            self._add(WelcomeBlock(self._next_id(), event.version, is_demo=event.is_demo))

    def on_workspace_read(self, event: ev.WorkspaceRead) -> None:
        """The branch, and the files that speak to the model."""
        self._on.header.show_branch(event.branch)
        if event.instruction_files:
            names = ", ".join(short_path(path, self._cwd) for path in event.instruction_files)
            self._add(NoticeBlock(self._next_id(), "info", f"Instructions read: {names}"))

    def on_model_changed(self, event: ev.ModelChanged) -> None:
        """Another model, another window."""
        stands_in = f"{event.model} (for {event.stands_in_for})" if event.stands_in_for else event.model
        self._on.header.show_model(stands_in)
        self._on.footer.show_window(event.context_window, event.limits)

    def on_mode_changed(self, event: ev.ModeChanged) -> None:
        """Another mode."""
        self._set_mode(event.mode)

    def on_notice(self, event: ev.Notice) -> None:
        """A line in the conversation."""
        self._add(NoticeBlock(self._next_id(), event.level, event.text, event.hint))

    def on_fault_occurred(self, event: ev.FaultOccurred) -> None:
        """An error of ours, with where to read more."""
        self._add(NoticeBlock(self._next_id(), "error", event.text, f"Details are in {event.log_path}."))

    def on_queue_changed(self, event: ev.QueueChanged) -> None:
        """What waits above the composer."""
        self._on.queue.show(event.items)
        self._on.composer.has_queue = bool(event.items)

    def on_todos_changed(self, event: ev.TodosChanged) -> None:
        """The list, wherever it is shown."""
        self._todos = event.items
        self._on.todos.show(event.items)
        current = next((item for item in event.items if item.status == "in_progress"), None)
        self._on.status.show_item((current.active_form or current.content) if current else "")

    def on_shared_tasks_changed(self, event: ev.SharedTasksChanged) -> None:
        """The list that the agents share, beside the todo list."""
        self._on.todos.show_shared(event.tasks)

    def on_tasks_changed(self, event: ev.TasksChanged) -> None:
        """How many run in the background beside agents, which are counted on their own."""
        self.tasks.show(event.tasks)
        running = [task for task in event.tasks if task.status == "running" and task.in_background]
        self._on.footer.show_tasks(sum(task.kind != "agent" for task in running))

    def on_unknown(self, event: ev.UnknownEvent) -> None:
        """From a newer version: nothing that this one could show."""

    def _set_mode(self, mode: PermissionMode) -> None:
        self._mode = mode
        self._on.footer.show_mode(mode)
