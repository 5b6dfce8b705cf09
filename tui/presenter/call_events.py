"""Events of calls: running, asking, their results, and the groups that run at once."""

from __future__ import annotations

from core.protocol import events as ev
from core.protocol.inquiries import Asked, PlanRequest
from tui.presenter.base import PresenterBase
from tui.presenter.surfaces import Asker
from tui.rendering.agent_views import agent_style
from tui.widgets.transcript.agent_block import LIVE_LINES
from tui.widgets.transcript.agent_lines import last_lines
from tui.widgets.transcript.shell_block import ShellBlock
from tui.widgets.transcript.tool_block import ToolBlock

SAID_COLUMNS = 72
"""Of the last lines of an agent that asks."""


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
            block.move_result(event.path, event.content)
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
        self.permissions.ask(event.request)
        self._ask(event.request)

    def on_permission_resolved(self, event: ev.PermissionResolved) -> None:
        """The question closes."""
        self.permissions.resolve(event.tool_use_id, event.answer, event.comment)
        self._close(event.request_id, event.tool_use_id, runs_on=event.answer in ("once", "session", "always"))

    def on_permission_decided(self, event: ev.PermissionDecided) -> None:
        """Kept among the recent decisions; the question shows the reason where there is one."""
        self.permissions.decide(event, self._ts, self._chain.info.label if self._chain is not None else "")

    def on_permission_explained(self, event: ev.PermissionExplained) -> None:
        """The question shows it."""
        self._on.explain(event)

    def on_rules_changed(self, event: ev.RulesChanged) -> None:
        """Kept until they are looked at."""
        self.permissions.set_rules(event.rules)

    def on_question_asked(self, event: ev.QuestionAsked) -> None:
        """The questions open above the composer."""
        self._ask(event.request)

    def on_plan_proposed(self, event: ev.PlanProposed) -> None:
        """The plan stands in the conversation, the question above the composer."""
        self._ask(event.request)
        self.show_plan(event.request.tool_use_id, event.request.plan)

    def on_question_resolved(self, event: ev.QuestionResolved) -> None:
        """They close."""
        self._close(event.request_id, event.tool_use_id, runs_on=event.outcome == "answered")

    def show_plan(self, tool_use_id: str, plan: str) -> None:
        """The plan of a call as it is now, from its beginning."""
        block = self._tools.get(tool_use_id)
        if block is not None:
            block.show_plan(plan)
            self._redraw(block)
            self._on.look_at(block)

    def _ask(self, request: Asked) -> None:
        block = self._tools.get(request.tool_use_id)
        if block is not None:
            block.set_state("asking")
            self._redraw(block)
        asker = self._asker(request)
        self._asking[request.id] = asker.label if asker is not None else ""
        self._show_work()
        self._on.ask(request, self._cwd, asker)

    def _asker(self, request: Asked) -> Asker | None:
        """The subagent that asks; None where it is the main one."""
        agent = "" if isinstance(request, PlanRequest) else request.agent
        chain = self._chain or self.sidechains.get(agent)
        if chain is not None:
            said = tuple(last_lines(chain.feed.newest, LIVE_LINES, SAID_COLUMNS, with_asking=False))
            return Asker(label=chain.info.label, style=agent_style(chain.info), said=said)
        if isinstance(request, PlanRequest) or not agent:
            return None
        return Asker(label=request.agent_label or agent)

    def _close(self, request_id: str, tool_use_id: str, *, runs_on: bool) -> None:
        self._on.withdraw(request_id)
        self._asking.pop(request_id, None)
        if not (self._asking or self._running):
            self._on.status.show_activity("Working")
        self._show_work()
        block = self._tools.get(tool_use_id)
        if block is not None and runs_on:
            block.set_state("running")
            self._redraw(block)

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
