"""Events of subagents and background tasks: panes, lists, notices of their end; where the events of an agent go."""

from __future__ import annotations

from functools import partial

from core.protocol import events as ev
from core.protocol.agent_views import AgentInfo
from core.protocol.inquiries import Asked
from tui.presenter.agent_surfaces import AgentQueue, AgentStatus, AgentTodos, Nowhere
from tui.presenter.base import PresenterBase
from tui.presenter.sidechains import Sidechain
from tui.presenter.surfaces import Asker, Surfaces
from tui.rendering.agent_views import task_end
from tui.rendering.amounts import dollars
from tui.widgets.transcript.agent_block import AgentBlock
from tui.widgets.transcript.blocks import RuleBlock


class AgentEvents(PresenterBase):
    """Keeps what is known of each agent, and the block of its run in the main conversation."""

    def on_agent_started(self, event: ev.AgentStarted) -> None:
        """An agent begins, or goes on with a further task."""
        agent = event.agent
        chain = self.sidechains.update(agent)
        block = self._call_of(agent)
        if block is None:
            block = self._add(self._agent_block(f"{agent.id}-{self._next_id()}"))
        block.follow(chain)
        self._panes[agent.id] = block
        if agent.prompt:
            chain.give(f"task-{self._next_id()}", agent.prompt)
            self._touched[agent.id] = chain
        self._show_agent(chain)

    def on_agent_progressed(self, event: ev.AgentProgressed) -> None:
        """What it is at."""
        self._count_cost(event.agent)
        chain = self.sidechains.update(event.agent)
        if event.agent.id not in self._panes and (block := self._call_of(event.agent)) is not None:
            block.follow(chain)
            self._panes[event.agent.id] = block
        self._show_agent(chain)

    def on_agent_ended(self, event: ev.AgentEnded) -> None:
        """Its run is over."""
        chain = self.sidechains.update(event.agent)
        chain.activity, chain.is_asking, chain.heard = "", False, None
        block = self._panes.pop(event.agent.id, None) or self._call_of(event.agent)
        if block is not None:
            block.follow(chain)
            block.end(event.result)
            self._on.transcript.changed(block)
        self._show_agent(chain)
        if not chain.is_let_go:
            self._hold(chain)

    def on_agent_recalled(self, event: ev.AgentRecalled) -> None:
        """What it said follows anew."""
        chain = self.sidechains.update(event.agent)
        chain.begin_anew()
        self._agents.pop(event.agent.id, None)
        block = self._call_of(event.agent)
        if block is not None and block.info is None:
            block.follow(chain)
            block.end("")
        self._hold(chain)
        self._show_agent(chain)

    def on_agent_kinds_changed(self, event: ev.AgentKindsChanged) -> None:
        """Kept until they are looked at."""
        self.sidechains.set_kinds(event.kinds, event.problems)

    def on_task_notified(self, event: ev.TaskNotified) -> None:
        """The model was told of the end of a task."""
        text, style = task_end(event.task)
        self._add(RuleBlock(self._next_id(), text, style))

    def on_task_output_reported(self, event: ev.TaskOutputReported) -> None:
        """Kept for who looks at it."""
        self.tasks.report(event)

    # What the events of one come to in the main conversation

    def _show_agent(self, chain: Sidechain) -> None:
        """Draw its block anew, count those that run, and say what is waited for."""
        self._draw_agent(chain)
        block = self._panes.get(chain.info.id)
        if block is not None and any(self._tools.get(call) is block for call in self._running):
            self._show_work()
        self._on.footer.show_agents(len(self.sidechains.running))

    def _count_cost(self, agent: AgentInfo) -> None:
        """What it has spent since it was last heard of; the next request of the main agent tells the exact sum."""
        chain = self.sidechains.get(agent.id)
        before = chain.info.cost_usd if chain is not None else 0.0
        if self._cost is not None and agent.cost_usd is not None and before is not None and agent.cost_usd > before:
            self._cost += agent.cost_usd - before
            self._on.footer.show_cost(dollars(self._cost))

    def _draw_agent(self, chain: Sidechain) -> None:
        """It has said something."""
        block = self._panes.get(chain.info.id)
        if block is not None:
            block.refresh()
            self._on.transcript.changed(block)
            self._on.transcript.changed(block.batch_head)

    def _call_of(self, agent: AgentInfo) -> AgentBlock | None:
        """The call that began this run of it, where it is shown."""
        block = self._tools.get(agent.tool_use_id) or self._finished.get(agent.tool_use_id)
        return block if isinstance(block, AgentBlock) and not block.has_ended else None

    def _hold(self, chain: Sidechain) -> None:
        """Its blocks are kept; of those that are let go of for it nothing stays."""
        self.sidechains.hold(chain)
        for agent_id in [one for one in self._agents if self._is_let_go(one)]:
            del self._agents[agent_id]

    def _is_let_go(self, agent_id: str) -> bool:
        chain = self.sidechains.get(agent_id)
        return chain is None or (chain.is_let_go and chain.info.is_over)

    def _surfaces_of(self, chain: Sidechain) -> Surfaces:
        """Its conversation goes to its feed, what it asks to where all is asked, the rest nowhere."""
        nowhere = Nowhere()
        return Surfaces(
            header=nowhere,
            transcript=chain.feed,
            todos=AgentTodos(chain),
            status=AgentStatus(chain, self._on.wall),
            queue=AgentQueue(chain),
            composer=nowhere,
            footer=nowhere,
            ask=partial(self._agent_asks, chain),
            withdraw=self._agent_answered,
            explain=self._on.explain,
            look_at=lambda _block: None,
            signal=lambda _state: None,
            quote=lambda _quoted: None,
            go_over=lambda _session_id: None,
            recall=self._on.recall,
            wall=self._on.wall,
        )

    def _agent_asks(self, chain: Sidechain, request: Asked, cwd: str, asker: Asker | None) -> None:
        if chain.info.in_background:
            self._asking_aside.add(request.id)
        else:
            self._asking[request.id] = chain.info.label
        self._show_work()
        self._on.ask(request, cwd, asker)

    def _agent_answered(self, request_id: str) -> None:
        self._on.withdraw(request_id)
        self._asking.pop(request_id, None)
        self._asking_aside.discard(request_id)
        if self._is_turn or self._asking_aside:
            self._show_work()
        else:
            self._on.signal("done")
