"""Runs an agent's turns: its own conversation, tools, permissions, cache and account; the loop is the same."""

from __future__ import annotations

import asyncio
import itertools
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.agents.agent import Agent
from core.agents.agent_policies import AgentPolicies
from core.agents.definition import AgentDefinition
from core.agents.prompting import agent_system_prompt
from core.context.breaker import Breaker
from core.context.tokens import overhead
from core.cost.ledger import Ledger
from core.host.clock import local_date
from core.host.git import find_repo_root
from core.llm.models import Chosen, Models
from core.llm.routes import Route
from core.llm.side import SideRequests
from core.memory.book import InstructionBook
from core.memory.instructions import Places
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import can_search
from core.prompt.cache_watch import CacheWatch
from core.prompt.reminders import Known, user_context
from core.prompt.sections import Environment, named_branch, named_date, template
from core.protocol.events import TurnEnded, TurnStarted
from core.protocol.messages import Message
from core.protocol.usage import PriceList, Usage
from core.protocol.views import SystemPrompt
from core.query.history import History
from core.query.loop import run_query
from core.query.queue import append_text, say_queued
from core.query.reminding import Reminders
from core.query.surroundings import Surroundings
from core.query.turn import Hold, Query, TurnOutcome, TurnSettings
from core.sessions.conversation import Conversation
from core.settings.schema import Settings
from core.tools.context import ToolState
from core.tools.registry import ToolRegistry
from core.tools.todo_store import TodoStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The main conversation as its agents see it. What changes with time is asked for when it is needed."""

    ledger: Ledger
    models: Models
    places: Places | None
    """Where instruction files are; None where they are not wanted."""
    conversation: Callable[[], Conversation]
    settings: Callable[[], Settings]
    system: Callable[[], SystemPrompt | None]
    tools: Callable[[], ToolRegistry]
    route: Callable[[], Route]
    """Who would answer the main conversation now."""
    answering: Callable[[], Chosen | None]
    """Who answers its turn that runs; None between turns."""
    folder: Path
    """Of the session's files."""
    todos: Path
    """Where todo lists are kept."""
    user_id: str = ""

    @property
    def session_id(self) -> str:
        """Id of the main conversation."""
        return self.folder.name


class AgentLedger(Ledger):
    """An agent's own account; all that is in it counts for the session too, under the agent's id."""

    def __init__(self, parent: Parent, agent_id: str) -> None:
        super().__init__()
        self._parent = parent
        self._agent_id = agent_id

    @property
    def session(self) -> Ledger:
        return self._parent.ledger

    def add(
        self, usage: Usage, model_id: str, prices: PriceList | None, source: str = "agent", agent: str = ""
    ) -> float | None:
        self._parent.conversation().record_side_usage(source, model_id, usage, self._agent_id)
        self._parent.ledger.add(usage, model_id, prices, source, self._agent_id)
        return super().add(usage, model_id, prices, source, self._agent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an agent's conversation begins with, and goes on with when it is resumed."""

    definition: AgentDefinition
    chosen: Chosen
    tools: ToolRegistry
    conversation: Conversation
    system: SystemPrompt | None
    """None: it is made, for a new conversation."""
    state: ToolState


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCalls(CallEnvironment):
    """What the calls of an agent share."""

    policies: AgentPolicies


class AgentRun:
    """One run of an agent: from a task to its last words."""

    def __init__(self, agent: Agent, setting: Setting, parent: Parent, calls: CallEnvironment) -> None:
        self._agent = agent
        self._setting = setting
        self._parent = parent
        self.ledger = AgentLedger(parent, agent.state.id)
        services = calls.services
        self.calls = AgentCalls(
            tools=setting.tools,
            services=replace(
                services,
                # What a compaction writes down is of this agent alone.
                output_dir=services.output_dir / agent.state.id,
                todos=TodoStore(parent.todos / f"{parent.session_id}-agent-{agent.state.id}.json", agent.publisher),
                side=SideRequests(parent.models, services.host, self._count, parent.user_id),
            ),
            policies=AgentPolicies(calls.policies, setting.definition),
            broker=calls.broker,
            publisher=agent.publisher,
        )
        settings = setting.chosen.settings
        self._watch = CacheWatch(settings.cache_ttl if settings.prompt_caching else None)

    async def run(self, hold: Hold) -> TurnOutcome:
        """Turns until nothing more was said to it. Never raises ``CancelledError`` once a turn has begun."""
        self.calls.services.todos.load()
        system, reminders = await self._brief()
        history, breaker, state = History(), Breaker(), self._setting.state
        outcome = TurnOutcome("completed")
        while outcome.reason == "completed" and self._agent.queue.items:
            query = self._query(system, reminders, state)
            query.history, query.breaker, query.hold = history, breaker, hold
            outcome = await self._turn(query)
            state = query.state
        return outcome

    def prefix(self, system: SystemPrompt) -> str:
        """The same for agents that begin with the same; empty where nothing of it would be cached."""
        chosen = self._setting.chosen
        offer = self.calls.tools.offer(can_search=can_search(chosen.settings, chosen.model))
        too_small = overhead(system, offer.schemas) < chosen.model.cache_min
        if too_small or not chosen.settings.prompt_caching:
            return ""
        return f"{chosen.model.id} {chosen.settings.effort} {chosen.settings.base_url} {offer.digest} {system.static}"

    async def _brief(self) -> tuple[SystemPrompt, Reminders]:
        """The system prompt, made or taken up, and what the agent should hear of its surroundings."""
        setting, conversation = self._setting, self._setting.conversation
        has_instructions = setting.definition.has_instructions
        book = InstructionBook(self._parent.places if has_instructions else None)
        await asyncio.to_thread(book.read)
        surroundings = Surroundings(self.calls, book, is_main=False)
        system = setting.system
        if system is None:
            system = agent_system_prompt(setting.definition, self._environment())
        if not conversation.messages:
            offer = setting.tools.offer(can_search=can_search(setting.chosen.settings, setting.chosen.model))
            conversation.record_system(system, offer.digest, offer.deferred)
            context = user_context(book.current.text, {})
            if context:
                append_text(conversation, self.calls.services.host, "user", context, is_meta=True)
        branch = named_branch(system)
        named = Known(
            date=named_date(system) or local_date(self.calls.services.host.clock),
            branch=surroundings.now().branch if branch is None else branch,
        )
        return system, Reminders(named, surroundings, self.calls, conversation.messages)

    def _environment(self) -> Environment:
        services = self.calls.services
        return Environment(
            cwd=str(services.root),
            is_repo=find_repo_root(services.root) is not None,
            platform=platform.system().lower(),
            os=f"{platform.system()} {platform.release()}",
            date=local_date(services.host.clock),
            model=self._setting.chosen.model.id,
        )

    def _query(self, system: SystemPrompt, reminders: Reminders, state: ToolState) -> Query:
        setting, chosen = self._setting, self._setting.chosen
        host = self.calls.services.host
        publisher = self._agent.publisher.for_turn(host.ids.uuid())
        publisher.emit(TurnStarted())
        prompts = say_queued(self._agent.queue.take_next(), setting.conversation, publisher, host)
        reminders.begin_turn()
        return Query(
            turn=TurnSettings(
                settings=replace(chosen.settings, max_turns=None),
                model=chosen.model,
                system=system,
                user_id=self._parent.user_id,
            ),
            client=chosen.client,
            conversation=setting.conversation,
            history=History(),
            calls=replace(self.calls, publisher=publisher),
            queue=self._agent.queue,
            ledger=self.ledger,
            reminders=reminders,
            state=state,
            watch=self._watch,
            source="agent",
            first_prompt=prompts[0].id if prompts else "",
        )

    async def _turn(self, query: Query) -> TurnOutcome:
        clock = query.host.clock
        started = clock.monotonic()
        outcome = await run_query(query)
        query.conversation.sync()
        query.publisher.emit(
            TurnEnded(
                reason=outcome.reason,
                detail=f"{outcome.detail} {outcome.hint}".strip(),
                steps=query.steps,
                duration_ms=round((clock.monotonic() - started) * 1000),
                usage=query.usage,
            )
        )
        return outcome

    def _count(self, source: str, model_id: str, usage: Usage) -> float | None:
        return self.ledger.add(usage, model_id, self._parent.models.find(model_id).prices, source)


def last_words(messages: tuple[Message, ...], begins_after: Message | None = None) -> str:
    """The text of the newest answer behind that message; with what it goes on from, where it was cut off."""
    words = ""
    is_cut = True
    for message in itertools.takewhile(lambda message: message is not begins_after, reversed(messages)):
        if message.role == "assistant":
            if not is_cut:
                break
            words, is_cut = message.text + words, False
        elif words and message.role == "user":
            if message.text not in (template("go_on"), template("broke_off")):
                break
            is_cut = True
    return words.strip()
