"""Starts agents, goes on with them, ends them: the one place that knows all agents of a session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from core.agents.agent import Agent
from core.agents.definition import GENERAL, AgentDefinition
from core.agents.definitions import Definitions
from core.agents.limits import limits_of
from core.agents.makings import FORKS, Makings
from core.agents.oversight import Oversight
from core.agents.running import AgentRun, Parent, Setting, last_words
from core.agents.shared_prefix import SharedPrefixes
from core.agents.sidechain import (
    begin_sidechain,
    load_sidechain,
    read_agent,
    read_agents,
    reopen_sidechain,
    sidechain_path,
)
from core.bus.bus import Author, Publisher
from core.context.tokens import estimate
from core.host.log import LOGGER
from core.host.tasks import despite_cancel
from core.llm.models import Chosen
from core.orchestration.call import CallEnvironment
from core.prompt.assemble import can_search
from core.prompt.cache import TTL_S, prompt_cost
from core.prompt.sections import template
from core.protocol.agent_views import FORK, AgentInfo
from core.protocol.errors import AgentError
from core.protocol.events import AgentRecalled, BlockStarted, Event, FaultOccurred, Notice
from core.protocol.messages import Message
from core.protocol.views import TaskStatus
from core.query.queue import append_text
from core.query.replay import replay
from core.query.turn import Hold, Query, TurnOutcome
from core.sessions.conversation import Conversation
from core.tools.base import ToolError
from core.tools.context import ToolState

RECALLED = 12
"""So many of the newest agents of an earlier run are shown with all that they said; of the others it is recalled when
they are looked at."""
NO_ANSWER = "It ended without an answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOrder:
    """What an agent is asked to do."""

    prompt: str
    description: str = ""
    agent_type: str = GENERAL
    model: str = ""
    """As the call names it; empty: as the definition says."""
    tool_use_id: str = ""
    in_background: bool = False
    state: ToolState


class AgentRunner:
    """The agents of a session, by id. ``calls`` is what their calls share; its tools are all that any may have."""

    def __init__(self, parent: Parent, definitions: Definitions, calls: CallEnvironment) -> None:
        self._parent = parent
        self.definitions = definitions
        self._calls = calls
        self._makings = Makings(parent, definitions, calls)
        self._agents: dict[str, Agent] = {}
        self._prefixes = SharedPrefixes(calls.services.host.clock, lambda: TTL_S[parent.settings().cache_ttl])
        self._places = asyncio.Semaphore(parent.settings().agent_max_concurrency)
        self._resuming = asyncio.Lock()
        """Held until the agent runs, so that nobody else goes on with it too."""
        self._is_closed = False

    # Starting

    async def start(self, order: AgentOrder) -> tuple[Agent, str]:
        """A new agent at work, and what whoever asked should know of how it was started. Raises ``ToolError``."""
        if order.agent_type == FORK:
            return await self._fork(order), ""
        found, remark = await self._makings.find(order.agent_type), ""
        if found is None:
            remark = f"There is no agent type {order.agent_type!r}: {GENERAL} was used."
        definition = found or self.definitions.agents[GENERAL]
        chosen = await self._makings.choose(definition, order.model)
        tools = self._makings.tools_of(definition)
        agent = self._new_agent(order, definition, chosen)
        setting = Setting(
            definition=definition,
            chosen=chosen,
            tools=tools,
            conversation=self._new_conversation(agent),
            system=None,
            state=ToolState(cwd=order.state.cwd),
        )
        self._launch(agent, setting, order.prompt)
        return agent, remark

    async def _fork(self, order: AgentOrder) -> Agent:
        """It begins with what the main conversation has sent, byte for byte."""
        parent, system = self._parent, self._parent.system()
        messages = _complete(parent.conversation().messages)
        if system is None or not messages:
            raise ToolError("There is nothing to fork yet: the conversation has not begun.")
        chosen = await self._makings.choose(FORKS)
        used = parent.conversation().known_tokens or sum(estimate(message) for message in messages)
        agent = self._new_agent(
            order,
            FORKS,
            chosen,
            inherited_tokens=used,
            expected_usd=prompt_cost(chosen.model, cached=used, fresh=0, ttl=chosen.settings.cache_ttl),
        )
        conversation = self._new_conversation(agent)
        offer = parent.tools().offer(can_search=can_search(chosen.settings, chosen.model))
        conversation.record_system(system, offer.digest, offer.deferred)
        for message in messages:
            conversation.append(message)
        append_text(conversation, self._calls.services.host, "user", template("fork"), is_meta=True)
        setting = Setting(
            definition=FORKS,
            chosen=chosen,
            tools=self._makings.tools_of(FORKS),
            conversation=conversation,
            system=system,
            state=order.state,
        )
        self._launch(agent, setting, order.prompt)
        return agent

    async def resume(self, agent_id: str, order: AgentOrder) -> Agent:
        """Go on with one that is over, with all that it has said and done. Raises ``AgentError``."""
        async with self._resuming:
            return await self._resume(agent_id, order)

    async def _resume(self, agent_id: str, order: AgentOrder) -> Agent:
        known = self._agents.get(agent_id)
        if known is not None and not known.done.is_set():
            raise ToolError(f"{agent_id} still runs.", "Wait for its end; what it gave so far BashOutput tells.")
        path = sidechain_path(self._parent.folder, agent_id)
        if not agent_id.isalnum() or not path.is_file():
            there_are = ", ".join(info.id for info in read_agents(self._parent.folder)) or "none"
            raise ToolError(f"There is no agent {agent_id}.", f"There are: {there_are}.")
        loaded = await asyncio.to_thread(load_sidechain, path)
        assert loaded.agent is not None
        before = loaded.agent
        definition = await self._makings.definition_of(before)
        chosen = await self._makings.choose(definition, order.model or before.model)
        tools = self._makings.tools_of(definition)
        state = replace(
            before,
            prompt=order.prompt,
            model=chosen.model.id,
            tool_use_id=order.tool_use_id,
            in_background=order.in_background,
            status="pending",
            cost_usd=self._parent.ledger.of_agent(agent_id),
        )
        agent = self._make(state)
        offer = tools.offer(can_search=can_search(chosen.settings, chosen.model))
        host = self._calls.services.host
        conversation = reopen_sidechain(path, state, loaded, offer, host, agent.publisher)
        if known is not None:
            # What the user said to it when it ended.
            agent.queue.take_over(known.queue)
        setting = Setting(
            definition=definition,
            chosen=chosen,
            tools=tools,
            conversation=conversation,
            system=loaded.system,
            state=ToolState(cwd=order.state.cwd),
        )
        self._launch(agent, setting, order.prompt)
        return agent

    def _new_agent(self, order: AgentOrder, definition: AgentDefinition, chosen: Chosen, **more: object) -> Agent:
        services = self._calls.services
        state = AgentInfo(
            id=self._new_id(),
            agent_type=definition.name,
            description=order.description,
            prompt=order.prompt,
            model=chosen.model.id,
            color=definition.color,
            tool_use_id=order.tool_use_id,
            in_background=order.in_background or definition.in_background,
            started_at=services.host.clock.time(),
            **more,  # pyright: ignore[reportArgumentType]
        )
        return self._make(state)

    def _new_id(self) -> str:
        """One that no agent of the session has, on disk either: there are only 16 million."""
        ids = self._calls.services.host.ids
        agent_id = ids.task("a")
        while sidechain_path(self._parent.folder, agent_id).exists():
            agent_id = ids.task("a")
        return agent_id

    def _make(self, state: AgentInfo) -> Agent:
        if self._is_closed:
            raise AgentError("The session is closed: no agent is started any more.")
        path = sidechain_path(self._parent.folder, state.id)
        cost = partial(self._parent.ledger.of_agent, state.id)
        return Agent(state, self._calls.services.host, self._calls.publisher, str(path), cost)

    def _new_conversation(self, agent: Agent) -> Conversation:
        state, services = agent.state, self._calls.services
        path = sidechain_path(self._parent.folder, state.id)
        return begin_sidechain(path, state, self._parent.session_id, services.root, services.host, agent.publisher)

    # Running

    def _launch(self, agent: Agent, setting: Setting, prompt: str) -> None:
        agent.queue.add(prompt, is_shown=False)
        if agent.state.in_background:
            agent.released.set()
        self._agents[agent.state.id] = agent
        self._calls.services.task_registry.add(agent)
        agent.task = asyncio.create_task(self._run(agent, setting), name=f"agent-{agent.state.id}")

    async def _run(self, agent: Agent, setting: Setting) -> None:
        """The wall of one agent: whatever happens in it ends it alone."""
        status: TaskStatus
        begins_after = next(reversed(setting.conversation.messages), None)
        try:
            outcome, why_ended = await self._turns(agent, setting)
            status, ending = _verdict(outcome, agent.why_stopped or why_ended)
        except asyncio.CancelledError:
            status, ending = "killed", agent.why_stopped or "interrupted"
        except AgentError as error:
            status, ending = "failed", error.user_message
        except Exception as error:  # noqa: BLE001  the wall: one agent's fault harms no other
            LOGGER.exception("agent %s failed", agent.state.id)
            status, ending = "failed", f"{type(error).__name__}: {error}"
            agent.publisher.emit(FaultOccurred(text=f"Unexpected error: {ending}", log_path=""))
        result = last_words(setting.conversation.messages, begins_after)
        await despite_cancel(self._end(agent, setting.conversation, result, status, ending))

    async def _turns(self, agent: Agent, setting: Setting) -> tuple[TurnOutcome, str]:
        """How its turns ended, and why it had to end where it was held to."""
        if self._places.locked():
            agent.wait_for_place()
        async with self._places:
            agent.begin(waits_for="")
            setting.conversation.record_agent(agent.state)
            run = AgentRun(agent, setting, self._parent, self._calls)
            # A kill must not make one that was in the background look as if it had been waited for.
            agent.moved = lambda: setting.conversation.record_agent(agent.state)
            if run.calls.policies.notice:
                agent.publisher.emit(Notice(level="warning", text=run.calls.policies.notice))
            oversight = Oversight(
                limits_of(setting.definition, self._parent.settings()),
                self._calls.broker,
                agent.publisher,
                self._calls.services.host,
                agent.trouble,
                agent.kill,
            )
            agent.listeners = [oversight.heard, lambda event: self._heard(agent, event)]
            watching = asyncio.create_task(oversight.watch(), name=f"oversight-{agent.state.id}")
            try:
                outcome = await run.run(self._hold(agent, run, oversight))
            finally:
                agent.is_listening = False
                watching.cancel()
                await asyncio.wait({watching})
                agent.listeners, agent.moved = [], None
            return outcome, oversight.ending

    def _hold(self, agent: Agent, run: AgentRun, oversight: Oversight) -> Hold:
        """Before its first request it waits for what another one like it is about to have cached."""
        is_first = True

        async def hold(query: Query) -> TurnOutcome | None:
            nonlocal is_first
            if is_first:
                is_first = False
                prefix = run.prefix(query.turn.system)
                if prefix:
                    await self._prefixes.enter(prefix, agent.state.id)
            return await oversight.hold(query)

        return hold

    def _heard(self, agent: Agent, event: Event) -> None:
        if isinstance(event, BlockStarted):
            self._prefixes.answered(agent.state.id)

    async def _end(
        self, agent: Agent, conversation: Conversation, result: str, status: TaskStatus, ending: str
    ) -> None:
        self._prefixes.left(agent.state.id)
        if status == "completed" and not result:
            status, ending = "failed", NO_ANSWER
        agent.end(status, ending, result)
        conversation.record_agent(agent.state)
        conversation.close()
        agent.tell_end()
        # Whoever waited for it says that it is known already.
        self._calls.services.task_registry.ended(agent, notify=not self._is_closed)

    # Steering

    def get(self, agent_id: str) -> Agent | None:
        """An agent of this run of the program."""
        return self._agents.get(agent_id)

    def kind_of(self, agent_id: str) -> str:
        """The type of an agent, also of an earlier run of the program; empty where there is none of that id."""
        known = self._agents.get(agent_id)
        if known is not None:
            return known.state.agent_type
        found = read_agent(sidechain_path(self._parent.folder, agent_id)) if agent_id.isalnum() else None
        return found.agent_type if found is not None else ""

    @property
    def running(self) -> tuple[Agent, ...]:
        """Those that are not over, oldest first."""
        return tuple(agent for agent in self._agents.values() if not agent.done.is_set())

    async def message(self, agent_id: str, text: str) -> None:
        """Something the user says to it: one that is over goes on in the background. Raises ``AgentError``."""
        if not text.strip():
            return
        async with self._resuming:
            agent = self._agents.get(agent_id)
            if agent is not None and agent.is_listening:
                agent.queue.add(text)
                return
            if agent is not None:
                # It has come to its end in this very moment.
                await agent.done.wait()
            state = ToolState(cwd=self._calls.services.root)
            await self._resume(agent_id, AgentOrder(prompt=text, in_background=True, state=state))

    async def stop_all(self) -> int:
        """Kill all that run; how many there were."""
        running = self.running
        await asyncio.gather(*(agent.stop() for agent in running))
        return len(running)

    async def close(self) -> None:
        """The session ends: nothing of any agent runs afterwards."""
        self._is_closed = True
        await asyncio.gather(*(agent.stop("the session was closed") for agent in self.running))

    # What earlier runs have left

    async def recall_all(self) -> None:
        """Tell of the agents that are on disk, the newest with all that they said."""
        found = await asyncio.to_thread(read_agents, self._parent.folder)
        for info in found[:-RECALLED]:
            self._publisher_of(info).emit(AgentRecalled(agent=info))
        for info in found[-RECALLED:]:
            try:
                await self.recall(info.id)
            except AgentError as error:
                self._calls.publisher.emit(Notice(level="warning", text=error.user_message, hint=error.hint))

    async def recall(self, agent_id: str) -> None:
        """Tell again what an agent that is over has said. Raises ``AgentError``."""
        agent = self._agents.get(agent_id)
        if agent is not None and not agent.done.is_set():
            return
        loaded = await asyncio.to_thread(load_sidechain, sidechain_path(self._parent.folder, agent_id))
        assert loaded.agent is not None
        if self._agents.get(agent_id) is not agent:
            # Somebody goes on with it by now.
            return
        publisher = self._publisher_of(loaded.agent)
        cost = self._parent.ledger.of_agent(agent_id)
        publisher.emit(AgentRecalled(agent=replace(loaded.agent, cost_usd=cost)))
        replay(loaded, publisher)

    def _publisher_of(self, info: AgentInfo) -> Publisher:
        return self._calls.publisher.for_agent(Author(info.id, info.tool_use_id, info.label))


def _verdict(outcome: TurnOutcome, why: str) -> tuple[TaskStatus, str]:
    """What its turns have come to; ``why`` it had to end, where it had to."""
    if outcome.reason == "completed":
        return "completed", why
    if outcome.reason == "interrupted":
        return "killed", why or "interrupted"
    return "failed", outcome.detail or why or outcome.reason


def _complete(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """All but an answer whose calls have no results yet."""
    return messages[:-1] if messages and messages[-1].tool_uses else messages
