"""What the model is told about where it works: gathered once, frozen as the system prompt, news told as it comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.engine.launch import Launch
from core.engine.preparation import Prepared, load_instructions, prepare
from core.engine.session_state import SessionState
from core.host.clock import local_date
from core.llm.catalog import find_model
from core.memory.instructions import Instructions
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import can_search
from core.prompt.reminders import Known, user_context
from core.prompt.sections import named_date
from core.protocol.events import Notice
from core.query.queue import append_text
from core.query.reminding import Reminders
from core.sessions.conversation import Conversation


class Briefing:
    """Gets the first prompt ready, and knows what holds now."""

    def __init__(self, launch: Launch, state: SessionState, conversation: Conversation, calls: CallEnvironment) -> None:
        self._launch = launch
        self._state = state
        self._conversation = conversation
        self._calls = calls
        self._preparing: asyncio.Task[Prepared] | None = None
        self._instructions = Instructions()
        self.reminders: Reminders | None = None
        """Made when the first prompt is got ready."""

    def prepare(self) -> asyncio.Task[Prepared]:
        """Begin to gather what the first prompt needs, again where that failed."""
        done = self._preparing
        if done is None or (done.done() and (done.cancelled() or done.exception() is not None)):
            work = prepare(self._launch, self._state.settings, self._calls.services.host)
            self._preparing = done = asyncio.create_task(work, name="prepare")
        return done

    def cancel(self) -> None:
        """Stop gathering."""
        if self._preparing is not None:
            self._preparing.cancel()

    async def get_ready(self) -> Reminders:
        """Before the first prompt freeze the system prompt and say the context; later see what has changed."""
        if self.reminders is not None:
            self._instructions = await asyncio.to_thread(load_instructions, self._launch, self._state.settings)
            return self.reminders
        prepared = await asyncio.shield(self.prepare())
        self._instructions = prepared.instructions
        for warning in prepared.instructions.warnings:
            self._calls.publisher.emit(Notice(level="warning", text=warning))
        is_resumed = self._state.system is not None
        if self._state.system is None:
            self._freeze(prepared)
        told = replace(self._current(), mode="default")
        if is_resumed and self._state.system is not None:
            told = replace(told, date=named_date(self._state.system))
        self.reminders = Reminders(told, self._current, self._calls.services.todos)
        return self.reminders

    def _freeze(self, prepared: Prepared) -> None:
        """Begin the conversation."""
        settings = self._state.settings
        self._state.system = prepared.system
        offer = self._calls.tools.offer(can_search=can_search(settings, find_model(settings.model)))
        self._conversation.record_system(prepared.system, offer.digest, offer.deferred)
        context = user_context(prepared.instructions.text)
        if context:
            append_text(self._conversation, self._calls.services.host, "user", context, is_meta=True)

    def _current(self) -> Known:
        """What the model should know by now."""
        return Known(
            date=local_date(self._calls.services.host.clock),
            instructions=self._instructions.text,
            mode=self._calls.policies.policy.mode,
            plan_file=str(self._calls.services.plan_file),
        )
