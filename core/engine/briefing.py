"""What the model is told about where it works: gathered once, frozen as the system prompt, news told as it comes."""

from __future__ import annotations

import asyncio

from core.engine.launch import Launch
from core.engine.preparation import Prepared, instruction_places, prepare
from core.engine.session_state import SessionState
from core.host.watch import watch_folders
from core.llm.catalog import find_model
from core.memory.book import InstructionBook
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import can_search
from core.prompt.reminders import Known
from core.prompt.sections import named_branch, named_date
from core.protocol.views import SystemPrompt
from core.query.queue import append_text
from core.query.reminding import Reminders
from core.query.surroundings import Surroundings
from core.sessions.conversation import Conversation


class Briefing:
    """Gets the first prompt ready, and knows what holds now."""

    def __init__(self, launch: Launch, state: SessionState, conversation: Conversation, calls: CallEnvironment) -> None:
        self._launch = launch
        self._state = state
        self._conversation = conversation
        self._calls = calls
        self._preparing: asyncio.Task[Prepared] | None = None
        book = InstructionBook(instruction_places(launch, state.settings))
        self._surroundings = Surroundings(calls, book, state.definitions)
        self._reminders: Reminders | None = None
        """Made when the first prompt is got ready."""

    def prepare(self) -> asyncio.Task[Prepared]:
        """Begin to gather what the first prompt needs, again where that failed."""
        done = self._preparing
        if done is None or (done.done() and (done.cancelled() or done.exception() is not None)):
            state, host = self._state, self._calls.services.host
            work = prepare(self._launch, state.settings, host, self._surroundings.book, state.definitions.read)
            self._preparing = done = asyncio.create_task(work, name="prepare")
        return done

    def cancel(self) -> None:
        """Stop gathering."""
        if self._preparing is not None:
            self._preparing.cancel()

    async def watch(self) -> None:
        """Follow the files of instructions and agents until cancelled, so that the user sees at once what has changed.
        What the model is told does not depend on it: that is looked at before each request."""
        await asyncio.shield(self.prepare())
        self._surroundings.tell_agents()
        reading: set[asyncio.Task[None]] = set()

        def look() -> None:
            if not reading:
                task = asyncio.create_task(self._surroundings.refresh(), name="read-instructions")
                reading.add(task)
                task.add_done_callback(reading.discard)

        book, agents = self._surroundings.book, self._state.definitions
        await watch_folders(lambda: {*book.folders(), *agents.folders()}, look)

    def context(self) -> str:
        """What the first message says before the prompt, once everything is gathered; empty where that is nothing."""
        return self._surroundings.context()

    async def get_ready(self) -> Reminders:
        """Before the first prompt freeze the system prompt and say the context."""
        if self._reminders is None:
            self._reminders = await self._begin()
        self._reminders.begin_turn()
        return self._reminders

    async def _begin(self) -> Reminders:
        prepared = await asyncio.shield(self.prepare())
        await self._surroundings.refresh()
        self._surroundings.tell_found()
        system = self._state.system or self._freeze(prepared)
        branch = named_branch(system)
        if branch is None:
            branch = self._surroundings.now().branch
        named = Known(date=named_date(system), branch=branch)
        return Reminders(named, self._surroundings, self._calls, self._conversation.messages)

    def _freeze(self, prepared: Prepared) -> SystemPrompt:
        """Begin the conversation."""
        settings, calls = self._state.settings, self._calls
        self._state.system = prepared.system
        offer = calls.tools.offer(can_search=can_search(settings, find_model(settings.model, settings.models)))
        self._conversation.record_system(prepared.system, offer.digest, offer.deferred)
        context = self.context()
        if context:
            append_text(self._conversation, calls.services.host, "user", context, is_meta=True)
        return prepared.system
