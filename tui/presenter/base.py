"""What all parts of the presenter share: the surfaces, and what it takes to find a block again."""

from __future__ import annotations

from typing import TypeVar

from core.protocol.events import ModelChangeQuoted
from core.protocol.views import PermissionMode, TodoItem
from tui.presenter.permission_log import PermissionLog
from tui.presenter.reports import Reports
from tui.presenter.sidechains import Sidechains
from tui.presenter.surfaces import Surfaces
from tui.presenter.task_book import TaskBook
from tui.widgets.transcript.blocks import Block
from tui.widgets.transcript.compaction_block import CompactionBlock
from tui.widgets.transcript.retry_block import RetryBlock
from tui.widgets.transcript.tool_block import ToolBlock

B = TypeVar("B", bound=Block)


class PresenterBase:
    """State, and how a block comes into the conversation."""

    def __init__(self, surfaces: Surfaces) -> None:
        self._on = surfaces
        self._ts = 0.0
        """When the event that is shown was published, seconds since the epoch."""
        self.resumed = "Taken up where it was left."
        """Said of a session that has a history."""
        self.permissions = PermissionLog()
        self.sidechains = Sidechains()
        self.tasks = TaskBook()
        self._cwd = ""
        self._mode: PermissionMode = "default"
        self._may_bypass = False
        self._blocks: dict[str, Block] = {}
        self._tools: dict[str, ToolBlock] = {}
        self._finished: dict[str, ToolBlock] = {}
        """Calls that have their result."""
        self._batch: tuple[str, int] = ("", -1)
        self._batch_tools: list[ToolBlock] = []
        self._running: dict[str, str] = {}
        self._asking: set[str] = set()
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
        self.reports = Reports()
        self.quoted: ModelChangeQuoted | None = None
        """The newest price of a change of the model."""
        self._todos: tuple[TodoItem, ...] = ()
        self._count = 0

    def _add(self, block: B) -> B:
        self._on.transcript.append(block)
        return block

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
        names = list(self._running.values())
        if self._asking:
            self._on.status.show_waiting()
            self._on.signal("waiting")
            return
        self._on.signal("working")
        if names:
            self._on.status.show_activity(f"Running {names[0]}" if len(names) == 1 else f"Running {len(names)} tools")
