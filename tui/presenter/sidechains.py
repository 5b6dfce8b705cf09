"""The subagents of the session as the window knows them: what each is at, and the blocks of its conversation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from core.protocol.agent_views import AgentInfo, AgentKind
from tui.presenter.watched import Watched
from tui.widgets.transcript.blocks import Block


class BlockView(Protocol):
    """What can show a conversation: see ``TranscriptSurface``."""

    def append(self, block: Block) -> None: ...
    def changed(self, block: Block) -> None: ...
    def drop(self, block: Block) -> None: ...
    def flush(self) -> None: ...


class Feed:
    """The blocks of one conversation, for any number of views at once: a surface of the presenter, and their source."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}
        self._views: list[BlockView] = []

    @property
    def blocks(self) -> Iterable[Block]:
        """In order."""
        return self._blocks.values()

    def attach(self, view: BlockView) -> None:
        """Show everything there is in a view, and from now on what comes."""
        self._views.append(view)
        for block in self._blocks.values():
            view.append(block)
        view.flush()

    def detach(self, view: BlockView) -> None:
        """Tell it nothing more."""
        self._views.remove(view)

    def append(self, block: Block) -> None:
        """Add a block at the end."""
        self._blocks[block.id] = block
        for view in self._views:
            view.append(block)

    def changed(self, block: Block) -> None:
        """A block has changed."""
        for view in self._views:
            view.changed(block)

    def drop(self, block: Block) -> None:
        """Take a block away."""
        self._blocks.pop(block.id, None)
        for view in self._views:
            view.drop(block)

    def flush(self) -> None:
        """Have the views lay out what has changed."""
        for view in self._views:
            view.flush()


class Sidechain:
    """One subagent."""

    def __init__(self, info: AgentInfo) -> None:
        self.info = info
        self.feed = Feed()
        self.activity = ""
        """What it is at, in a few words."""
        self.is_asking = False
        self.heard: float | None = None


class Sidechains(Watched):
    """All subagents, in the order in which they were started. Watchers hear of every change of what is known of one,
    not of every block."""

    def __init__(self) -> None:
        super().__init__()
        self._by_id: dict[str, Sidechain] = {}
        self.kinds: tuple[AgentKind, ...] = ()
        self.problems: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Sidechain, ...]:
        """Oldest first, without those that were dismissed."""
        return tuple(self._by_id.values())

    def get(self, agent_id: str) -> Sidechain | None:
        """The agent of that id."""
        return self._by_id.get(agent_id)

    def update(self, info: AgentInfo) -> Sidechain:
        """Take in what is known now of an agent, maybe for the first time."""
        chain = self._by_id.get(info.id)
        if chain is None:
            chain = self._by_id[info.id] = Sidechain(info)
        chain.info = info
        self._changed()
        return chain

    def dismiss(self, agent_id: str) -> None:
        """Forget one that is over."""
        chain = self._by_id.get(agent_id)
        if chain is not None and chain.info.is_over:
            del self._by_id[agent_id]
            self._changed()
