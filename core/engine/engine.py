"""The engine as its users see it: ops in, events out, started and closed once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, assert_never

from core.agents.audit import export_audit
from core.agents.runner import AgentRunner
from core.background.session_notes import SessionNotes
from core.bus.bus import Bus
from core.bus.recorder import Recorder
from core.bus.subscription import Subscription
from core.context.budget import context_limits, window_of
from core.engine.explain import explain
from core.engine.launch import Launch
from core.engine.model_choice import warm_since_answer
from core.engine.reports import report_context, report_costs
from core.engine.rule_book import problems_of, read_rules
from core.engine.session import Session
from core.engine.session_commands import COMPACT, HANDOFF, UNDO
from core.engine.settings_watch import SettingsWatch
from core.engine.task_ops import TaskOps
from core.engine.tools import TOOLS
from core.host.log import LOGGER
from core.host.watch import watch_files
from core.llm.catalog import ModelInfo
from core.llm.routes import usable_routes
from core.permissions.modes import check_mode
from core.prompt.assemble import can_search
from core.protocol import ops
from core.protocol.errors import AgentError
from core.protocol.events import (
    Notice,
    SessionStarted,
    UsageUpdated,
    WorkspaceRead,
)
from core.protocol.views import PermissionMode
from core.query.replay import replay
from core.sessions.load import LoadedSession
from core.settings.layers import Problem
from core.settings.schema import Settings
from core.version import __version__

SENT_ALREADY = "That message has been sent already."


class Engine:
    """One session with its bus. Everything runs on the event loop that ``start`` was called in."""

    def __init__(
        self,
        launch: Launch,
        session: Session,
        agents: AgentRunner,
        bus: Bus,
        recorder: Recorder,
        loaded: LoadedSession | None,
    ) -> None:
        self._launch = launch
        self.session = session
        self.calls = session.calls
        self.agents = agents
        self._bus = bus
        self._recorder = recorder
        self._loaded = loaded
        self._settings = SettingsWatch(launch.loaded, self._rules_changed) if launch.loaded is not None else None
        self._task_ops = TaskOps(session.calls, agents)
        self._tasks: list[asyncio.Task[None]] = []
        self._beside: list[asyncio.Task[None]] = []
        """What sends requests of its own: ends before the session does."""

    @property
    def session_id(self) -> str:
        """Id of the conversation."""
        return self._bus.session_id

    @property
    def last_seq(self) -> int:
        """Number of the newest event."""
        return self._bus.seq

    def subscribe(self) -> Subscription:
        """A reader of all events from now on; one that falls far behind catches up from the event log."""
        return self._bus.subscribe(backlog=self._recorder.after)

    async def start(self) -> None:
        """Publish what there is to see, and begin to gather what the first prompt needs."""
        publisher, services = self.calls.publisher, self.calls.services
        settings = self.session.state.settings
        self._spawn(self._recorder.run(), "recorder")
        model = self.session.models.find(settings.model)
        publisher.emit(
            SessionStarted(
                cwd=str(self._launch.cwd),
                model=settings.model,
                mode=self.calls.policies.policy.mode,
                version=__version__,
                tools=self.calls.tools.offer(can_search=can_search(settings, model)).names,
                context_window=window_of(model, settings),
                limits=context_limits(model, settings),
                is_demo=self._launch.is_demo,
                is_resumed=self._loaded is not None,
            )
        )
        self.calls.policies.tell()
        for problem in self._launch.problems:
            publisher.emit(Notice(level="warning", text=f"Settings: {problem}"))
        if self._loaded is not None:
            replay(self._loaded, publisher)
            services.todos.load()
            publisher.emit(self._usage(model))
            self._spawn(self.agents.recall_all(), "recall-agents")
        services.tasks.load()
        self._spawn(self._tell_workspace(), "tell-workspace")
        self._spawn(self._tell_sandbox(), "tell-sandbox")
        watched = {services.todos.path: services.todos.load, services.tasks.path: services.tasks.load}
        self._spawn(watch_files(watched), "watch-lists")
        self._spawn(self.session.briefing.watch(), "watch-instructions")
        self._spawn(self.session.follow_tasks(), "follow-tasks")
        if self._settings is not None:
            self._spawn(self._settings.run(), "watch-settings")
        if settings.background_agents and not self._launch.is_demo:
            self._begin_notes()

    def _begin_notes(self) -> None:
        session, services = self.session, self.calls.services
        notes = SessionNotes(
            session.conversation,
            session.state.notebook,
            services.side,
            self.calls.publisher,
            services.output_dir.with_name("notes.json"),
        )
        self._beside.append(self._spawn(notes.run(self._bus.subscribe()), "session-notes"))

    async def handle(self, op: ops.Op) -> None:
        """Carry out an op. What cannot be done is told by a notice; nothing is raised."""
        try:
            await self._handle(op)
        except AgentError as error:
            self.calls.publisher.emit(Notice(level="error", text=error.user_message, hint=error.hint))

    async def close(self) -> None:
        """End the turn, all shells and all files."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self.agents.close()
        await self.session.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._recorder.close()

    async def _handle(self, op: ops.Op) -> None:
        match op:
            case ops.SubmitPrompt():
                if self._settings is not None:
                    self._settings.refresh()
                self.session.submit(op.text, op.lane, op.images)
            case ops.RunShell():
                self.session.run_shell(op.command)
            case ops.EditQueued():
                if not self.session.queue.edit(op.message_id, op.text):
                    self._note(SENT_ALREADY)
            case ops.MoveQueued():
                if not self.session.queue.move(op.message_id, op.by):
                    self._note(SENT_ALREADY)
            case ops.Interrupt():
                self.session.interrupt()
            case ops.AnswerPermission() | ops.AnswerQuestion() | ops.AnswerPlan():
                self.calls.broker.answer(op)
            case ops.SetMode():
                self._set_mode(op.mode)
            case ops.ExplainPermission():
                self._explain(op.request_id)
            case ops.AddRule():
                self.calls.policies.add((op.text,), op.behavior, op.layer)
                self.calls.broker.look_again()
            case ops.DeleteRule():
                self.calls.policies.delete(op.text, op.behavior, op.layer, op.source)
            case ops.SetModel():
                await self.session.set_model(op.model, is_confirmed=op.is_confirmed)
            case ops.Compact():
                self.session.command(COMPACT, op.instructions)
            case ops.UndoCompaction():
                self.session.command(UNDO)
            case ops.HandOff():
                self.session.command(HANDOFF, op.goal)
            case ops.ReportContext():
                self._spawn(report_context(self.session, self.calls), "report-context")
            case ops.ReportCosts():
                self.calls.publisher.emit(report_costs(self.session))
            case (
                ops.BackgroundTools()
                | ops.StopTask()
                | ops.StopAgents()
                | ops.MessageAgent()
                | ops.MoveTask()
                | ops.StartFork()
                | ops.RecallAgent()
                | ops.ReadTask()
            ):
                await self._task_ops.handle(op)
            case ops.ExportAudit():
                await self._export_audit(op.agent_id)
            case ops.WarmUp():
                self.session.warm_up()
            case _:
                assert_never(op)

    def _usage(self, model: ModelInfo) -> UsageUpdated:
        """How things stand when an earlier session is taken up."""
        conversation, settings = self.session.conversation, self.session.state.settings
        return UsageUpdated(
            context_tokens=self.session.choice.used(),
            context_window=window_of(model, settings),
            last=conversation.last_usage,
            total=self.session.ledger.usage,
            cost_usd=self.session.ledger.cost_usd,
            limits=context_limits(model, settings),
            warm_until=warm_since_answer(conversation, settings),
        )

    def _set_mode(self, mode: PermissionMode) -> None:
        disabled = bool(self.session.state.settings.disable_bypass)
        check_mode(mode, self.calls.services.host.environ, is_bypass_disabled=disabled)
        self.calls.policies.set_mode(mode)
        self.calls.broker.look_again()

    def _explain(self, request_id: str) -> None:
        request = self.calls.broker.request(request_id)
        if request is not None:
            self._spawn(explain(request, self.calls.services.side, self.calls.publisher), "explain")

    def _rules_changed(self, settings: Settings, problems: tuple[Problem, ...]) -> None:
        """The settings files are others than at the start: their rules and folders count from the next call on, routes,
        prices and the budget from the next turn on."""
        policies, state = self.calls.policies, self.session.state
        rules, unusable = read_rules(settings, [tool.name for tool in TOOLS])
        usable, unroutable = usable_routes(settings, self.calls.services.host.environ)
        problems += problems_of(unusable)
        problems += tuple(problem for problem in unroutable if problem not in self._launch.problems)
        policies.reload(rules, unusable, (self._launch.cwd, *settings.additional_dirs))
        state.settings = replace(
            state.settings,
            rules=settings.rules,
            additional_dirs=settings.additional_dirs,
            disable_bypass=settings.disable_bypass,
            routing=usable.routing,
            models=usable.models,
            session_budget_usd=usable.session_budget_usd,
        )
        for problem in problems:
            self.calls.publisher.emit(Notice(level="warning", text=f"Settings: {problem}"))
        if settings.disable_bypass and policies.policy.mode == "bypassPermissions":
            policies.set_mode("default")
        self.calls.broker.look_again()

    async def _tell_workspace(self) -> None:
        prepared = await asyncio.shield(self.session.briefing.prepare())
        self.calls.publisher.emit(
            WorkspaceRead(
                is_repository=prepared.is_repository,
                branch=prepared.branch,
                instruction_files=tuple(str(path) for path in prepared.instructions.files),
            )
        )
        if not prepared.is_repository:
            self._note("This folder is not in a git repository: what is changed here cannot be taken back by git.")

    async def _tell_sandbox(self) -> None:
        """Try the sandbox, which also holds what runs unasked; tell of it where the user wants it for all commands."""
        services = self.calls.services
        sandbox, rules = services.host.sandbox, services.sandbox
        await sandbox.find()
        if rules.is_enabled:
            for place in rules.own_places:
                place.mkdir(parents=True, exist_ok=True)
            is_well, text = rules.describe(sandbox, services.root)
            self.calls.publisher.emit(Notice(level="info" if is_well else "warning", text=text))

    async def _export_audit(self, agent_id: str) -> None:
        """Write what an agent did, or all, into a file beside the transcript. Raises ``AgentError``."""
        self._recorder.flush()
        folder = self.session.conversation.transcript.with_suffix("")
        target = folder / f"audit-{agent_id or 'all'}.jsonl"
        count = await asyncio.to_thread(export_audit, folder / "events.jsonl", target, agent_id)
        self._note(f"Audit trail of {agent_id or 'all agents'}: {count} rows in {target}")

    def _note(self, text: str) -> None:
        self.calls.publisher.emit(Notice(level="info", text=text))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)
        return task


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        LOGGER.error("background task %s failed", task.get_name(), exc_info=task.exception())
