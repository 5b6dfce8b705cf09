"""What all parts of the presenter share: the surfaces, and what it takes to find a block again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.protocol.envelope import Envelope
from core.protocol.events import ModelChangeQuoted
from core.protocol.ids import MAIN_AGENT
from core.protocol.views import PermissionMode, TodoItem
from tui.presenter.permission_log import PermissionLog
from tui.presenter.reports import Reports
from tui.presenter.sidechains import Sidechain, Sidechains
from tui.presenter.surfaces import Surfaces
from tui.presenter.task_book import TaskBook
from tui.widgets.transcript.agent_block import AgentBlock
from tui.widgets.transcript.blocks import Block
from tui.widgets.transcript.compaction_block import CompactionBlock
from tui.widgets.transcript.retry_block import RetryBlock
from tui.widgets.transcript.tool_block import ToolBlock

B = TypeVar("B", bound=Block)


class PresenterBase:
    """State, and how a block comes into the conversation.

    One presents one conversation: the main one, or with ``of`` and ``chain`` that of a subagent of it. What is known of
    the session beside its conversations is kept once."""

    def __init__(self, surfaces: Surfaces, *, of: PresenterBase | None = None, chain: Sidechain | None = None) -> None:
        self._on = surfaces
        self._chain = chain
        self._agent_id = chain.info.id if chain is not None else MAIN_AGENT
        self._ts = 0.0
        """When the event that is shown was published, seconds since the epoch."""
        self.resumed = "Taken up where it was left."
        """Said of a session that has a history."""
        self.permissions = of.permissions if of else PermissionLog()
        self.sidechains = of.sidechains if of else Sidechains(surfaces.recall)
        self.tasks = of.tasks if of else TaskBook()
        self.reports = of.reports if of else Reports()
        self._cwd = of.cwd if of else ""
        self._mode: PermissionMode = "default"
        self._may_bypass = False
        self._blocks: dict[str, Block] = {}
        self._tools: dict[str, ToolBlock] = {}
        self._finished: dict[str, ToolBlock] = {}
        """Calls that have their result."""
        self._batch: tuple[str, int] = ("", -1)
        self._batch_tools: list[ToolBlock] = []
        self._running: dict[str, str] = {}
        self._asking: dict[str, str] = {}
        """What waits for the user and holds up the turn, and the label of the subagent that asks, if it is one."""
        self._asking_aside: set[str] = set()
        """What agents in the background ask."""
        self._cost_before = 0.0
        self._cost: float | None = 0.0
        self._up = self._down = 0
        self._retry: RetryBlock | None = None
        self._session_id = ""
        self._interrupted = ""
        """What the end of an interrupted turn says in place of the usual words."""
        self._is_turn = False
        """Whether a turn runs; compactions and handoffs also come alone."""
        self._compacting: CompactionBlock | None = None
        self._compacted: CompactionBlock | None = None
        """The newest that is done and was not undone."""
        self.quoted: ModelChangeQuoted | None = None
        """The newest price of a change of the model."""
        self._todos: tuple[TodoItem, ...] = ()
        self._agents: dict[str, Callable[[Envelope], None]] = {}
        """What shows the events of each subagent."""
        self._panes: dict[str, AgentBlock] = {}
        """The block of each agent's run that is not over."""
        self._touched: dict[str, Sidechain] = {}
        """Agents of which something has come since the last ``flush``."""
        self._count = 0

    @property
    def cwd(self) -> str:
        """Where the session runs."""
        return self._cwd

    def _add(self, block: B) -> B:
        self._on.transcript.append(block)
        return block

    def _agent_block(self, block_id: str) -> AgentBlock:
        return AgentBlock(block_id, self._cwd, self._on.transcript.changed, self._on.wall)

    def _next_id(self) -> str:
        self._count += 1
        return f"note-{self._count}"

    def _begin_alone(self, activity: str) -> None:
        """Something is done that a turn may be in the middle of, or not."""
        if not self._is_turn:
            self._on.status.begin()
            self._on.composer.is_busy = True
            self._on.signal("working")
        self._on.status.show_activity(activity)

    def _end_alone(self) -> None:
        """It is over; a turn that runs goes on."""
        if not self._is_turn:
            self._on.status.end()
            self._on.composer.is_busy = False
            self._on.signal("done")

    def _show_work(self) -> None:
        """What the calls are at: a question to the user comes before what runs."""
        if self._asking:
            self._on.status.show_waiting(next(iter(self._asking.values())))
        elif self._running:
            self._on.status.show_activity(self._work())
        self._on.signal("waiting" if self._asking or self._asking_aside else "working")

    def _work(self) -> str:
        """The running calls in a few words, those of agents apart."""
        agents = [block for call in self._running if isinstance(block := self._tools.get(call), AgentBlock)]
        names = [name for call, name in self._running.items() if self._tools.get(call) not in agents]
        if not names and len(agents) == 1:
            return agents[0].at_work
        parts = [f"Running {names[0]}" if len(names) == 1 else f"Running {len(names)} tools" if names else ""]
        if agents:
            parts.append(f"{len(agents)} agent{'' if len(agents) == 1 else 's'} running")
        return ", ".join(part for part in parts if part)
