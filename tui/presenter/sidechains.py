"""The subagents of the session as the window knows them: what each is at, and the blocks of its conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from core.protocol.agent_views import AgentInfo, AgentKind
from core.protocol.views import QueuedMessage, TodoItem
from tui.presenter.watched import Watched
from tui.widgets.transcript.blocks import Block, PromptBlock

KEPT = 12
"""Agents that are over whose conversations are kept, the newest; those of others are asked for when looked at."""


class BlockView(Protocol):
    """What can show a conversation: see ``TranscriptSurface``."""

    def append(self, block: Block) -> None: ...
    def changed(self, block: Block) -> None: ...
    def drop(self, block: Block) -> None: ...
    def flush(self) -> None: ...


class Feed:
    """The blocks of one conversation, for any number of views at once: a surface of the presenter, and their source.

    ``look`` is called when a view begins to show it."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._blocks: dict[str, Block] = {}
        self._views: list[BlockView] = []
        self._has_changed = False

    @property
    def blocks(self) -> Iterable[Block]:
        """In order."""
        return self._blocks.values()

    @property
    def newest(self) -> Iterable[Block]:
        """The last one first."""
        return reversed(self._blocks.values())

    @property
    def is_shown(self) -> bool:
        """Whether a view shows it."""
        return bool(self._views)

    def attach(self, view: BlockView) -> None:
        """Show everything there is in a view, and from now on what comes."""
        self._look()
        self._views.append(view)
        for block in self._blocks.values():
            view.append(block)
        view.flush()

    def detach(self, view: BlockView) -> None:
        """Tell it nothing more."""
        self._views.remove(view)

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        self._has_changed = True
        self._blocks[block.id] = block
        for view in self._views:
            view.append(block)

    def changed(self, block: Block) -> None:
        """A block has changed."""
        self._has_changed = True
        for view in self._views:
            view.changed(block)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        self._has_changed = True
        self._blocks.pop(block.id, None)
        for view in self._views:
            view.drop(block)

    def clear(self) -> None:
        """Take all away, the last one first: that costs a view the least."""
        for block in list(self.newest):
            self.drop(block)

    def flush(self) -> None:
        """Have the views lay out what has changed."""
        if self._has_changed:
            self._has_changed = False
            for view in list(self._views):
                view.flush()


class Sidechain:
    """One subagent. ``recall`` asks for its conversation, where it was let go of and somebody looks."""

    def __init__(self, info: AgentInfo, recall: Callable[[str], None]) -> None:
        self.info = info
        self._recall = recall
        self.feed = Feed(self.look)
        self.activity = ""
        """What it is at, in a few words."""
        self.item = ""
        """The item of its todo list that is in progress."""
        self.todos: tuple[TodoItem, ...] = ()
        self.queued: tuple[QueuedMessage, ...] = ()
        """What was said to it and waits until it takes it."""
        self.is_asking = False
        """Whether it waits for the user."""
        self.heard: float | None = None
        """When its model was last heard of, seconds since the epoch; None where something else is waited for."""
        self.is_let_go = info.is_over
        """Whether what is known of its conversation is not all of it: one that is over from the start was another
        run's."""
        self.is_dismissed = False

    def look(self) -> None:
        """Somebody wants to see its conversation."""
        if self.is_let_go and self.info.is_over:
            self._recall(self.info.id)

    def give(self, block_id: str, task: str) -> None:
        """Show the task that it is given."""
        self.feed.append(PromptBlock(block_id, task))

    def has_just_been_told(self, text: str) -> bool:
        """Whether the newest that it was given is this."""
        newest = next(iter(self.feed.newest), None)
        return isinstance(newest, PromptBlock) and newest.source == text

    def let_go(self) -> None:
        """Forget its blocks; what is known of it stays."""
        self.is_let_go = True
        self.feed.clear()

    def begin_anew(self) -> None:
        """All that it has said follows."""
        self.is_let_go = False
        self.feed.clear()


class Sidechains(Watched):
    """All subagents, in the order in which they were started. Watchers hear of every change of what is known of one,
    not of every block."""

    def __init__(self, recall: Callable[[str], None]) -> None:
        super().__init__()
        self._recall = recall
        self._by_id: dict[str, Sidechain] = {}
        self._held: dict[str, Sidechain] = {}
        """Those that are over and whose blocks are kept; the newest at the end."""
        self.kinds: tuple[AgentKind, ...] = ()
        """What agents can be started from."""
        self.problems: tuple[str, ...] = ()
        """What is wrong with definitions that are left out."""

    @property
    def all(self) -> tuple[Sidechain, ...]:
        """Oldest first, without those that were dismissed."""
        return tuple(chain for chain in self._by_id.values() if not chain.is_dismissed)

    @property
    def running(self) -> tuple[Sidechain, ...]:
        """Those that are not over."""
        return tuple(chain for chain in self._by_id.values() if not chain.info.is_over)

    def get(self, agent_id: str) -> Sidechain | None:
        """The agent of that id, also one that was dismissed."""
        return self._by_id.get(agent_id)

    def label(self, agent_id: str) -> str:
        """How people are told which agent an id stands for; the id where that is not known."""
        chain = self._by_id.get(agent_id)
        return chain.info.label if chain is not None else agent_id

    def update(self, info: AgentInfo) -> Sidechain:
        """Take in what is known now of an agent, maybe for the first time."""
        chain = self._by_id.get(info.id)
        if chain is None:
            chain = self._by_id[info.id] = Sidechain(info, self._recall)
        chain.info = info
        if not info.is_over:
            chain.is_dismissed = False
            self._held.pop(info.id, None)
        self._changed()
        return chain

    def hold(self, chain: Sidechain) -> None:
        """The agent is over, or was recalled: keep its blocks, and let go of the oldest that nobody looks at."""
        self._held.pop(chain.info.id, None)
        self._held[chain.info.id] = chain
        for agent_id, old in list(self._held.items()):
            if len(self._held) <= KEPT:
                break
            if not old.feed.is_shown:
                del self._held[agent_id]
                old.let_go()

    def set_kinds(self, kinds: tuple[AgentKind, ...], problems: tuple[str, ...]) -> None:
        """What agents can be started from now."""
        self.kinds, self.problems = kinds, problems
        self._changed()

    def tell(self) -> None:
        """Something of one has changed that stands beside its info."""
        self._changed()

    def dismiss(self, agent_id: str) -> None:
        """List one that is over no more."""
        chain = self._by_id.get(agent_id)
        if chain is not None and chain.info.is_over:
            chain.is_dismissed = True
            self._changed()
