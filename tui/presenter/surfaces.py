"""What a presenter writes to: the widgets of the window, or whatever else can show the same things."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from core.protocol.events import ModelChangeQuoted, PermissionExplained
from core.protocol.inquiries import Asked
from core.protocol.views import ContextLimits, QueuedMessage, SharedTask, TodoItem
from tui.rendering.line import Line
from tui.widgets.transcript.blocks import Block

State = Literal["working", "waiting", "done"]
"""A turn runs, it waits for the user, it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The subagent behind a request."""

    label: str
    style: str = "agent"
    """The name of its colour's style."""
    said: tuple[Line, ...] = ()
    """Its last lines, wrapped for a screen of the usual width."""


class HeaderSurface(Protocol):
    """Where the session runs, and with which model."""

    def show_session(self, folder: str, model: str, *, is_demo: bool) -> None: ...
    def show_branch(self, branch: str) -> None: ...
    def show_model(self, model: str) -> None: ...


class TranscriptSurface(Protocol):
    """The conversation. Blocks may change after they were added; ``flush`` ends a batch of changes."""

    @property
    def blocks(self) -> Iterable[Block]: ...
    def append(self, block: Block) -> None: ...
    def changed(self, block: Block) -> None: ...
    def drop(self, block: Block) -> None: ...
    def flush(self) -> None: ...


class TodoSurface(Protocol):
    """The todo list, and the tasks that the agents share."""

    def show(self, items: tuple[TodoItem, ...]) -> None: ...
    def show_shared(self, tasks: tuple[SharedTask, ...]) -> None: ...


class StatusSurface(Protocol):
    """What is going on."""

    def begin(self) -> None: ...
    def end(self) -> None: ...
    def show_activity(self, text: str, *, is_awaited: bool = False) -> None: ...
    def hear(self) -> None: ...
    def show_waiting(self, who: str = "") -> None: ...
    def show_retry(self, what: str, seconds: float, attempt: str) -> None: ...
    def show_tokens(self, text: str) -> None: ...
    def show_item(self, text: str) -> None: ...


class QueueSurface(Protocol):
    """Messages that wait for their turn."""

    def show(self, items: tuple[QueuedMessage, ...]) -> None: ...


class ComposerSurface(Protocol):
    """What the input must know of the session."""

    has_queue: bool
    is_busy: bool


class FooterSurface(Protocol):
    """Mode, context gauge, cache and cost."""

    def show_mode(self, mode: str) -> None: ...
    def show_window(self, window: int, limits: ContextLimits) -> None: ...
    def show_usage(self, used: int, cost: str, *, breaker: str = "closed") -> None: ...
    def show_cost(self, cost: str) -> None: ...
    def show_cache(self, percent: int | None, warm_until: float | None, cold_cost: str = "") -> None: ...
    def show_tasks(self, running: int) -> None: ...
    def show_agents(self, running: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surfaces:
    """Everything that shows events."""

    header: HeaderSurface
    transcript: TranscriptSurface
    todos: TodoSurface
    status: StatusSurface
    queue: QueueSurface
    composer: ComposerSurface
    footer: FooterSurface
    ask: Callable[[Asked, str, Asker | None], None]
    """Show what a call of the session in this folder asks; of which subagent, where it is one of theirs."""
    withdraw: Callable[[str], None]
    """Take it away, by its id."""
    explain: Callable[[PermissionExplained], None]
    """Show what a model says of a request, where that is still open."""
    look_at: Callable[[Block], None]
    """Let the reader begin at a block."""
    signal: Callable[[State], None]
    """The session begins to work, to wait for the user, or has finished."""
    quote: Callable[[ModelChangeQuoted], None]
    """Ask whether the model is to be changed at that price."""
    go_over: Callable[[str], None]
    """Go on with the session of this id in place of this one."""
    recall: Callable[[str], None]
    """Ask for what the subagent of this id has said."""
    wall: Callable[[], float] = time.time
    """Seconds since the epoch."""
